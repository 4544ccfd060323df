"""Runs too long for a chapter, recorded with seed, versions and standard errors.

``python tasks.py results`` repeats them all.
"""
