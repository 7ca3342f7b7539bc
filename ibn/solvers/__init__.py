"""Linear systems of networks, made ready for many right-hand sides."""
