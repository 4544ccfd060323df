"""Estimates made of random samples, each with its standard error."""
