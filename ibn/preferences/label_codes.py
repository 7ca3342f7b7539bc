"""Codes of labels: which value means which side, where that is certain, and an error elsewhere.

The rule. A value is read by itself only where it names a side: by the column (``response_a``,
``left``), by the column's letter (``A``, ``model_a``, ``A>B`` for ``…_a`` and ``…_b``), by what
stands in the column (the winning model's name), or by a word for a tie. Numbers name sides only
where the columns are numbered, both numbers occur, no other does and there are at least 20 labels:
1 and 2 for ``…_1`` and ``…_2``; 0 and 1 for ``…_0`` and ``…_1`` where the label is called the
winner or the like. A value that names one side by its column and the other by what stands there
is not certain. 0, 1/2 and 1 under ``winner`` are the first side's score. Two
published formats are known by all their columns (SHP, HelpSteer 3). All else is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from ibn.errors import InputError
from ibn.preferences.column_names import MODELS, STEMS, canonical, end_of

TIES = (
    *("tie", "tied", "draw", "equal", "same", "both", "neither", "bothbad", "both_bad"),
    *("tie_bothbad", "tie_both_bad", "both_good", "no_preference", "about_the_same"),
)
BLANK = ("", "nan", "null", "n/a")
MEANINGS = {"a": 1.0, "b": 0.0, "tie": 0.5, "skip": math.nan}
GOODNESS = {"good": 1.0, "bad": 0.0, "skip": math.nan}
SCORES = ("winner", "outcome", "result", "score")
WINNERS = (
    *("winner", "better", "best", "preferred", "choice", "chosen", "better_response"),
    *("label", "labels", "preference", "verdict", "vote"),
)
ENOUGH = 20  # labels, below which numbers may be the few seen of a longer scale
# Tokens of labels that name what stands in the column, or one side by that and the other by code.
FIRST, SECOND, EITHER = "\0first", "\0second", "\0either "
SHOWN = 12
FAULTS = ("is_toxic", "toxic", "is_harmful", "harmful")  # true where a response is bad


def token_of(value: object) -> str:
    """Write a label's value in one way; blank where there is no label.

    >>> token_of(1.0), token_of(" A "), token_of(None), token_of(True)
    ('1', 'a', '', 'true')
    """
    if value is None:
        return ""
    text = str(value).strip().lower()
    if isinstance(value, (bool, str)) and not re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", text):
        return "" if text in BLANK else text
    try:
        number = float(text)
    except ValueError:
        return text
    return "" if math.isnan(number) else f"{number:.15g}"


def meant(given: Mapping[str, str] | None, meanings: Mapping[str, float]) -> dict[str, float]:
    """Look up what labels mean, as the user says; InputError for a meaning that is none here."""
    for value, meaning in (given or {}).items():
        if meaning not in meanings:
            raise InputError(
                f"--winner {value}={meaning}", fix=f"here a meaning is {', '.join(meanings)}"
            )
    return {value: meanings[meaning] for value, meaning in (given or {}).items()}


@lru_cache(maxsize=4096)
def certain_word(token: str, a: str, b: str) -> float | None:
    """Share of a win that a word gives to the first of two columns; ``None`` where not certain.

    Parameters
    ----------
    token : str
        Of a label, as :func:`token_of` writes it.
    a, b : str
        Canonical names of the columns.
    """
    if token in (FIRST, SECOND):
        return float(token == FIRST)
    ends = (end_of(a), end_of(b))
    order = re.fullmatch(r"\[*\s*(\w+)\s*([<>=≻≺]+)\s*(\w+)\s*\]*", token)
    if order and {order[1], order[3]} == set(ends):
        if set(order[2]) == {"="}:
            return 0.5
        up = set(order[2]) <= {">", "≻"}
        down = set(order[2]) <= {"<", "≺"}
        return float(up == (order[1] == ends[0])) if up or down else None
    name = canonical(token)
    if name in TIES:
        return 0.5
    for side, end, share in ((a, ends[0], 1.0), (b, ends[1], 0.0)):
        if name == side or name in {f"{stem}_{end}" for stem in (*STEMS, *MODELS)}:
            return share
        if name == end and not end.isdigit():
            return share
    return None


def decide_codes(
    tokens: Mapping[str, int],
    sides: tuple[str, str],
    columns: tuple[str, str],
    label: str,
    given: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Decide what each label means: the share of a win that goes to the first side.

    Parameters
    ----------
    tokens : mapping of str to int
        The labels found and how often.
    sides : tuple of str
        Canonical names of the two columns.
    columns : tuple of str
        Their own names, for errors.
    label : str
        The column of the labels.
    given : mapping of str to str, optional
        What labels mean, as the user says: a, b, tie or skip.

    Returns
    -------
    dict of str to float
        1 for the first side, 0 for the second, 1/2 for a tie, fractions for soft labels, NaN
        for rows to skip.

    Raises
    ------
    InputError
        If it is not certain, with the values found and the option that says it.
    """
    codes = {token: share for token in tokens if (share := certain_word(token, *sides)) is not None}
    codes |= {token_of(value): share for value, share in meant(given, MEANINGS).items()}
    rest = [token for token in tokens if token not in codes]
    if rest and not given:
        codes |= _numbered({token: tokens[token] for token in rest}, sides, canonical(label))
    if open_ := [token for token in tokens if token not in codes]:
        raise _uncertain(tokens, open_, columns, label)
    return codes


def _numbered(tokens: Mapping[str, int], sides: tuple[str, str], label: str) -> dict[str, float]:
    """Codes of numbers, all of them or none."""
    try:
        values = {token: float(token) for token in tokens}
    except ValueError:
        return {}
    found, ends = set(values.values()), (end_of(sides[0]), end_of(sides[1]))
    enough = sum(tokens.values()) >= ENOUGH
    named_by_id = label.endswith(("_id", "_idx", "_index"))
    if label == "labels" and sides == ("human_ref_a", "human_ref_b") and found <= {0, 1}:
        return values  # SHP: 1 where A is preferred
    signed = label == "overall_preference" and sides == ("response_1", "response_2")
    if signed and found <= set(range(-3, 4)):  # HelpSteer 3: negative where the first is better
        return {token: (1.0 - (x > 0) + (x < 0)) / 2.0 for token, x in values.items()}
    if ends == ("1", "2"):
        if (found == {1, 2} and enough) or (named_by_id and found <= {1, 2}):
            return {token: 2.0 - x for token, x in values.items()}
        if all(1 <= x <= 2 for x in found) and any(x % 1 for x in found):
            return {token: 2.0 - x for token, x in values.items()}  # AlpacaEval: 1 … 2
    named = found == {0, 1} and enough and label in WINNERS
    if ends == ("0", "1") and (named or (named_by_id and found <= {0, 1})):
        return {token: 1.0 - x for token, x in values.items()}
    if label in SCORES and found <= {0, 0.5, 1} and 0.5 in found:
        return values
    return {}


def _uncertain(
    tokens: Mapping[str, int], rest: list[str], columns: tuple[str, str], label: str
) -> InputError:
    listed = sorted(tokens, key=lambda token: (token not in rest, len(token), token))
    shown = [f"{_shown(token)!r} ({tokens[token]:,} ×)" for token in listed[:SHOWN]]
    shown += [f"{len(listed) - SHOWN:,} more"] if len(listed) > SHOWN else []
    holds = "hold" if " and " in label else "holds"
    problem = f"{label} {holds} {', '.join(shown)}: it is not certain which means {columns[0]!r}"
    try:
        fractions = any(float(token) % 1 for token in rest) and len(rest) > 3
    except ValueError:
        fractions = False
    if fractions:
        return InputError(
            problem,
            fix=f"if it is a probability, say whose: --column probability_a={label} for "
            f"{columns[0]!r}, probability_b for {columns[1]!r}",
        )
    if any(token.startswith(EITHER) for token in rest):
        problem += " where it also names what stands on a side"
    codes = dict.fromkeys(map(_shown, sorted(rest)))
    mapped = ",".join(f"{token}=MEANING" for token in list(codes)[:4])
    return InputError(
        problem,
        fix=f"say what each means: --winner {mapped}; a MEANING is a ({columns[0]!r} is better), "
        f"b ({columns[1]!r} is better), tie or skip",
    )


def _shown(token: str) -> str:
    """Write a token for a message, of bounded length and printable."""
    kept = token.removeprefix(EITHER)[:40]
    return "".join(x if x.isprintable() else "?" for x in kept)


def decide_goodness(
    tokens: Mapping[str, int], label: str, given: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Decide which labels of single responses mean good (1) and which bad (0).

    Raises
    ------
    InputError
        If it is not certain: only true and false, good and bad and the like are.
    """
    words = {"true": 1.0, "false": 0.0, "good": 1.0, "bad": 0.0, "chosen": 1.0, "rejected": 0.0}
    words |= {"desirable": 1.0, "undesirable": 0.0, "correct": 1.0, "incorrect": 0.0}
    if canonical(label) in FAULTS:
        words |= {"true": 0.0, "false": 1.0}
    words |= {token_of(value): good for value, good in meant(given, GOODNESS).items()}
    if rest := sorted(token for token in tokens if token not in words):
        shown = ", ".join(f"{_shown(token)!r} ({tokens[token]:,} ×)" for token in rest[:SHOWN])
        codes = [_shown(token) for token in rest]
        example = ",".join(f"{code}=MEANING" for code in codes[:SHOWN])
        raise InputError(
            f"{label} holds {shown}: it is not certain which means good",
            fix=f"say what each means, good, bad or skip: --winner {example}",
        )
    return {token: words[token] for token in tokens}
