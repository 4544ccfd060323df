"""What builds the book and its notebooks. Run from the repository's root: ``python -m tools.NAME``."""
