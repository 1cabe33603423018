"""Memberships as values: which data rows, in which split.

Plain Python when small, DuckDB when large, one behaviour from both.
"""
