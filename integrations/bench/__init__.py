"""Measures: each figure beside its floor, taken in turns in one run."""
