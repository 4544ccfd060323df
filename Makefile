# The same words as `python tasks.py`, for fingers that type make. `make` alone shows the help.
PYTHON ?= python3
VERBS := help setup book serve lab test screens notebooks exercises assignments results clean

.DEFAULT_GOAL := help
.PHONY: $(VERBS)
$(VERBS):
	@$(PYTHON) tasks.py $@
