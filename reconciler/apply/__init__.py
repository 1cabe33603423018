"""Carrying out a plan: events out, no decisions in."""
