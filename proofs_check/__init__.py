"""The ledger: every claim of the theory, decided by computation."""
