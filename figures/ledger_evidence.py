"""What the ledger measured, read from the documents of ``ibn check --json``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ibn.errors import InputError
from ibn.regular_file import require_regular
from ibn.strict_json import loads

Claims = Sequence[Mapping[str, Any]]
"""Claims decided, each as in the JSON document of ``ibn check``."""


def read(path: str | os.PathLike[str]) -> Claims:
    """Read what ``ibn check --json`` printed.

    Raises
    ------
    InputError
        If the file is no such document.
    """
    require_regular(path)
    with open(path, encoding="utf-8") as file:
        try:
            claims = loads(file.read())["claims"]
            assert all({"id", "verdict", "evidence"} <= set(one) for one in claims)
        except (ValueError, KeyError, TypeError, AssertionError):
            raise InputError(
                "not the ledger's evidence", file=path, fix="give what ibn check --json prints"
            ) from None
    return claims


def found(claims: Claims, claim: str, check: str) -> Mapping[str, Any] | None:
    """Return what one check found, as ``ibn check --json`` prints it, or None if it was not run."""
    for one in claims:
        if one["id"] == claim:
            for each in one["evidence"]:
                if each["check"] == check:
                    return each
    return None


def data(claims: Claims, claim: str, check: str) -> Mapping[str, Any] | None:
    """Return what one check measured, or None if it was not run."""
    each = found(claims, claim, check)
    return None if each is None else each["data"]
