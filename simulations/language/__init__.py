"""A synthetic language: reward models trained on it, and what predicts their errors."""
