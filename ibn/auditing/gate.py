"""A limit on the mean posterior variance, and whether a dataset keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from ibn.auditing.uncertainty import Uncertainty
from ibn.errors import InputError, unknown_name

KINDS = ("within", "across")


@dataclass(frozen=True)
class Gate:
    """A limit held against what was measured.

    Attributes
    ----------
    max_variance : float
        The limit, in squared units of reward.
    of : {"within", "across"}
        Over which pairs the variance is averaged: within prompts, or across them.
    variance, stderr : float
        What was measured.
    passed : bool
        Whether the variance is at most the limit.
    """

    max_variance: float
    of: str
    variance: float
    stderr: float
    passed: bool


def check_limit(limit: float | None, kind: str | None) -> None:
    """Refuse a limit that none can be, before any work is done."""
    if limit is not None and not limit >= 0:
        raise InputError(f"--max-variance must not be negative, not {limit}")
    if kind is not None and limit is None:
        raise InputError("--max-variance-of without --max-variance", fix="give a limit")
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind of pairs", kind, KINDS)


def hold(after: Uncertainty, limit: float, kind: str | None = None) -> Gate:
    """Hold a mean posterior variance against its limit.

    ``kind``: by default within prompts; across, if no prompt has two responses.

    Raises InputError if there are no such pairs.
    """
    kind = kind or ("within" if after.within else "across")
    pairs = after.within if kind == "within" else after.across
    if pairs is None:
        raise InputError(f"no two responses are {kind} prompts: there is no such variance")
    measured = pairs.variance
    return Gate(limit, kind, measured.mean, measured.stderr, measured.mean <= limit)
