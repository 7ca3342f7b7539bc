"""How uncertain a reward model trained on a real preference dataset must be, and where."""
