"""What builds the book and its notebooks, run from the root: ``python -m tools.NAME``."""
