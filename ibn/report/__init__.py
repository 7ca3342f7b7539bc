"""The audit's page: its figures, words and templates."""
