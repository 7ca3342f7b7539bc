"""Sweeps: a grid of tasks, measured into a store that resumes."""
