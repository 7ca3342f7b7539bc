"""``python -m ibn`` does what ``ibn`` does."""

from ibn.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
