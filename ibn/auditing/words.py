"""An audit in words, for a terminal and for the report alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ibn.auditing.result import Audit, Uncertainty
from ibn.estimate import Estimate

CLEAR = 3.0  # standard errors at which a difference is one


def plus_minus(value: Estimate) -> str:
    """Write an estimate with its standard error, if it has one."""
    digits = 3 if value.mean < 10 else 2 if value.mean < 1000 else 0
    error = f" ± {value.stderr:.{digits}f}" if value.stderr else ""
    return f"{value.mean:,.{digits}f}{error}"


def lines_of(lines: Sequence[int]) -> str:
    """Name the lines of a file, the first few."""
    more = ", …" if len(lines) > 4 else ""
    return ", ".join(map(str, lines[:4])) + more if lines else "never compared"


def snippet(text: str, length: int) -> str:
    """Take a text's last words, where a prompt asks, on one line of printable characters."""
    words = " ".join(text[-8 * length :].split())
    words = "".join(c if c.isprintable() else "�" for c in words)
    return words if len(words) <= length else "…" + words[1 - length :].partition(" ")[2]


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def summary(found: Audit) -> list[str]:
    """Say what was found, a sentence or two a finding."""
    parts = found.components
    reused = "a pure chain" if found.uses[2:].sum() == 0 else "1.00 would be a pure chain"
    bias = (
        "one"
        if parts.with_bias == 1
        else f"{parts.with_bias:,}, which {count(parts.links, 'added link')} joined"
    )
    return [
        f"{count(found.comparisons, 'comparison')} of {count(found.responses, 'response')} to "
        f"{count(found.prompts, 'prompt')}. A response takes part in {found.reuse:.2f} "
        f"comparisons on average; {reused}.",
        f"Comparisons alone leave {count(parts.comparisons, 'connected component')}, the largest "
        f"of {count(parts.largest, 'response')}; with similar responses tied together: {bias}.",
        _learned(found),
        *[line for kind in ("within", "across") if (line := _compared(found, kind))],
    ]


def _learned(found: Audit) -> str:
    kind = "two answers to one prompt" if found.after.within else "answers to two prompts"
    before, after = (np.sqrt(one.decisive.variance.mean) for one in (found.before, found.after))
    return (
        f"The rewards of {kind} differ, before any label, by a standard deviation of "
        f"{before:.2f}; the labels bring it to {after:.2f}: {found.remaining:.0%} of the variance "
        "is left."
    )


def _variance(one: Uncertainty, kind: str) -> Estimate | None:
    pairs = one.within if kind == "within" else one.across
    return pairs.variance if pairs else None


def _compared(found: Audit, kind: str) -> str | None:
    """Say which other topology leaves the least, if it is clearly less or clearly more."""
    own = _variance(found.after, kind)
    others = {name: _variance(one, kind) for name, one in found.topologies.items()}
    known = {name: value for name, value in others.items() if value is not None}
    if own is None or not known:
        return None
    name, best = min(known.items(), key=lambda item: item[1].mean)
    where = "Within a prompt" if kind == "within" else "Across prompts"
    error = np.hypot(best.stderr, own.stderr)
    if abs(best.mean - own.mean) <= CLEAR * error:
        return f"{where}, no other layout of as many comparisons would leave clearly less."
    side = "less" if best.mean < own.mean else "more, and all others more still"
    share = abs(best.mean / own.mean - 1.0)
    return (
        f"{where}, as many comparisons laid out as {name} would leave {share:.0%} {side} "
        f"({plus_minus(best)} against {plus_minus(own)})."
    )
