"""A reward model linear in features of responses, fitted to labels."""
