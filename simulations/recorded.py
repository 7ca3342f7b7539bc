"""Results on record: what takes hours, or models and data that are not at hand.

Each file of the folder ``recorded``, JSON or CSV, was written by a command, never by hand, and is
part of an installation, so that figures and reports can be drawn from it anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ibn.errors import InputError
from ibn.strict_json import loads

FOLDER = Path(__file__).with_name("recorded")


def files(prefix: str) -> list[Path]:
    """List the files on record whose names begin so, in order."""
    return sorted(FOLDER.glob(f"{prefix}*"))


def load(name: str) -> dict[str, Any]:
    """Read a JSON document.

    ``name``: its file's name, without ``.json``.

    Raises InputError if there is none of that name, or it cannot be read.
    """
    path = FOLDER / f"{name}.json"
    try:
        return loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no result of the name {name} is on record") from None
    except (OSError, ValueError) as error:
        raise InputError("the record cannot be read", file=path) from error
