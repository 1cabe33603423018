"""Declarative, reproducible model runs on Labelbox."""

__version__ = "0.1.0"
