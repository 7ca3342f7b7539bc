"""Inductive biases: what the learner believes before any label."""
