"""Models and methods whose log p(x) is known, so that estimates can be held against it."""
