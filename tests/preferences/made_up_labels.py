"""Made-up pairs with labels: their columns, their codes, and which codes nobody could read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from preferences.made_up_shapes import Block, Duel, Record, asked, drawn, said

# The codes of the first response, the second, and a tie (None: labels know no ties).
CODES: dict[str, tuple[Any, Any, Any]] = {
    "a, b": ("a", "b", "tie"),
    "A, B": ("A", "B", "tie"),
    "A>B": ("A>B", "B>A", "A=B"),
    "A>B, A<B": ("A>B", "A<B", "A=B"),
    "B<A, A<B": ("B<A", "A<B", "A=B"),
    "A is better": ("A is better", "B is better", "Tie"),
    "B is worse": ("B is worse", "A is worse", "Tie"),
    " A, b": (" A", "b ", "TIE"),
    "[[A]]": ("[[A]]", "[[B]]", "[[C]]"),
    "model_a": ("model_a", "model_b", "tie"),
    "first, second": ("first", "second", "tie"),
    "left, right": ("left", "right", "tie"),
    "1, 2": (1, 2, None),
    "1, 2, tie": (1, 2, "tie"),
    "1, 2, 0 tie": (1, 2, 0),
    "0, 1, 2 tie": (0, 1, 2),
    "0, 1": (0, 1, None),
    "1, 0": (1, 0, None),
    "1, 0.5, 0": (1, 0, 0.5),
    "true, false": (True, False, None),
    "false, true": (False, True, None),
    "+1, -1": (1, -1, 0),
    "-1, +1": (-1, 1, 0),
    "column names": ("", "", "tie"),
    "model names": ("", "", "tie"),
    "models A, B": ("", "", "tie"),
}
# Codes that are numbers on a scale: what a share of the first response's win becomes.
SCALES = {
    "P(first)": lambda share: round(share, 3),
    "P(second)": lambda share: round(1 - share, 3),
    "1 to 2": lambda share: round(2 - share, 3),
    "1 to 7": lambda share: 7 - round(6 * share),
    "7 to 1": lambda share: 1 + round(6 * share),
}
# Codes that name a response, so that a label can name the one that lost.
NAMING = ("a, b", "model_a", "first, second", "1, 2, tie", "column names", "model names")
STYLES = {  # by what the names of the two response columns end in
    "letters": re.compile(r"(.*[ _])[aA]\Z"),
    "from 1": re.compile(r".*1\Z"),
    "from 0": re.compile(r".*0\Z"),
    "sides": re.compile(r"left.*|.*left"),
}


@dataclass(frozen=True)
class Labelled:
    """Pairs of responses with one or more labels each.

    ``worse`` says that the label names the response that lost; ``swapped`` that the second
    response's column stands first in the file.
    """

    prompt: str = "prompt"
    first: str = "response_a"
    second: str = "response_b"
    labels: tuple[str, ...] = ("winner",)
    codes: str = "a, b"
    worse: bool = False
    swapped: bool = False

    @property
    def style(self) -> str:
        """How the two responses' columns are told apart."""
        return next((name for name, ends in STYLES.items() if ends.match(self.first)), "other")


LABELLED = {
    "response_a/b": Labelled(),
    "battles with texts": Labelled(codes="model names"),
    "JudgeBench": Labelled("question", "response_A", "response_B", ("label",), "A>B"),
    "LLMBar": Labelled("input", "output_1", "output_2", ("label",), "1, 2"),
    "Auto-J": Labelled("prompt", "response 1", "response 2", ("label",), "0, 1, 2 tie"),
    "PandaLM": Labelled(
        "instruction",
        "response1",
        "response2",
        ("annotator1", "annotator2", "annotator3"),
        "1, 2, 0 tie",
    ),
    "response_0/1": Labelled("prompt", "response_0", "response_1", ("label",), "0, 1"),
    "sides": Labelled("prompt", "left", "right", ("winner",), "left, right"),
    "a column a model": Labelled("prompt", "gpt", "llama", ("winner",), "column names"),
    "soft labels": Labelled("prompt", "response_a", "response_b", ("probability_a",), "P(first)"),
}


def sensible(spec: Labelled) -> Labelled:
    """Give the codes that somebody could use where those wanted contradict the columns' names."""
    if spec.style == "from 0" and spec.codes in ("1, 0", "1, 0.5, 0", "1, 2, 0 tie"):
        return replace(spec, codes="0, 1")  # 0 is the column that is numbered 0
    if spec.labels[0].startswith("probability") and spec.codes != "P(first)":
        named = (name.replace("probability_a", "label") for name in spec.labels)
        return replace(spec, labels=tuple(named))
    return spec


def block(spec: Labelled, rng: np.random.Generator, i: int) -> Block:
    """Make the record of prompt ``i``."""
    a, b = said(rng, i)
    sides = [(spec.first, a), (spec.second, b)]
    record: Record = {spec.prompt: asked(rng, i)} | dict(sides[::-1] if spec.swapped else sides)
    names = ("", "")
    if spec.codes in ("model names", "models A, B"):
        known = ["A", "B"] if spec.codes == "models A, B" else [f"m{k}" for k in range(6)]
        names = tuple(rng.choice(known, 2, replace=False).tolist())
        record |= {"model_a": names[0], "model_b": names[1]}
    elif spec.codes == "column names":
        names = (spec.first, spec.second)
    duels, models = [], []
    for label in spec.labels:
        if spec.codes in SCALES:
            scale = "P" in spec.codes
            share = round(float(rng.uniform()), 3) if scale else float(rng.integers(7)) / 6
        else:
            share = drawn(rng, ties=CODES[spec.codes][2] is not None)
        record[label] = _code(spec, 1 - share if spec.worse else share, names)
        duels.append(Duel(f"p{i}", f"r{i}a", f"r{i}b", share))
        if spec.codes == "model names":
            models.append(Duel("", *names, share))
    return Block([record], duels, models)


def _code(spec: Labelled, share: float, names: tuple[str, ...]) -> Any:
    if spec.codes in SCALES:
        return SCALES[spec.codes](share)
    first, second, tie = CODES[spec.codes]
    return {1.0: names[0] or first, 0.0: names[1] or second, 0.5: tie}[share]


def undecidable(spec: Labelled, records: list[Record]) -> str:
    """Say why nobody could tell from the file which response a label prefers; empty where one can.

    A coding is undecidable where another that people publish gives the same values under the
    same names, for the opposite labels.

    Parameters
    ----------
    spec : Labelled
        The file's columns and codes.
    records : list of dict
        What stands in it.
    """
    labels = (record.get(label) for record in records for label in spec.labels)
    found = {label for label in labels if label not in (None, "") and label == label}
    numbered = spec.style == "from 0"
    if spec.codes in ("true, false", "false, true", "+1, -1", "-1, +1", "1 to 7", "7 to 1"):
        return "the scale may run either way"
    if spec.codes in ("P(first)", "P(second)"):
        ends = "_1" if spec.style == "from 1" else "_0" if spec.style == "from 0" else "_a"
        if spec.style != "other" and all(label.endswith(ends) for label in spec.labels):
            return ""
        return "it does not say whose probability"
    if spec.codes == "1, 0" or (spec.codes == "0, 1" and not numbered):
        return "1 may be the first response or the second"
    if spec.codes == "1, 0.5, 0" and 0.5 not in found:
        return "1 may be the first response or the second"
    if spec.codes in ("1, 2, 0 tie", "0, 1, 2 tie") and 0 in found and not numbered:
        return "0 may be a tie or the first response"
    if spec.codes in ("1, 2", "1, 2, tie", "1, 2, 0 tie", "1 to 2") and numbered:
        return "the columns are counted from 0, the labels from 1 or not"
    if spec.codes == "models A, B" and any(record["model_a"] == "B" for record in records):
        return "A may be the model or the response in column a"
    if spec.style == "other" and spec.codes not in ("column names", "model names", "models A, B"):
        return "nothing says which column is the first"
    return ""


def options(spec: Labelled) -> Record:
    """Give the option by which the owner says what the codes mean; empty where none is enough."""
    if spec.codes in SCALES or CODES[spec.codes][0] == "" or spec.style == "other":
        return {}
    sides = ("b", "a", "tie") if spec.worse else ("a", "b", "tie")
    codes = zip(CODES[spec.codes], sides, strict=True)
    meanings = {_printed(code): side for code, side in codes if code is not None}
    return {"winner": meanings, "columns": {"prompt": spec.prompt}}


def _printed(code: Any) -> str:
    return code if isinstance(code, str) else json.dumps(code)
