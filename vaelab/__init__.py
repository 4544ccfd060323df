"""Variational autoencoders held against exact truth: the package behind the book.

Importing it changes nothing: no global seed, no default dtype, no thread count.
"""

__version__ = "0.1.0"
