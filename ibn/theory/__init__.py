"""The formulas of the theory: rates and bounds, and RLHF as an autoencoder."""
