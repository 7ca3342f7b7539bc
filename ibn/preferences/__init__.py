"""Preferences: comparisons, their noise, and the files they come in."""
