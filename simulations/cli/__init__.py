"""The verbs that run simulations."""
