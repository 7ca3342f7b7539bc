"""JSON as its standard has it, which knows no infinity and no NaN."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any


def dumps(document: Any, **options: Any) -> str:
    """Write a document; numbers that are not finite are null.

    ``options``: as for :func:`json.dumps`.

    Examples
    --------
    >>> dumps({"needed": float("inf"), "bought": 3})
    '{"needed": null, "bought": 3}'
    """
    return json.dumps(_finite(document), allow_nan=False, **options)


def loads(text: str | bytes) -> Any:
    """Read a document; whatever is wrong with it is a ValueError, nesting too deep included."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
