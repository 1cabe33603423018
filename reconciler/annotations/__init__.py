"""Predictions, labels and metrics as values, checked against an ontology.

A line of an import is read on its own (`checking`), and the lines of a whole
import together (`together`). Nothing here knows where lines come from.
"""
