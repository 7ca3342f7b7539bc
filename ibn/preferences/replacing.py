"""What an output may replace: never a label that stands nowhere else.

Reports, pages and figures are replaced. A file of pairs is replaced where no label is lost: by the
verbs that plan, where they wrote it and nobody has labelled any of it; by ``ibn convert``, where
its labels are among those written. Stores, journals and folders are gone on with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ibn.errors import InputError
from ibn.plurals import count_of

if TYPE_CHECKING:  # what reads is loaded where a file stands there alone
    from ibn.preferences.reading import PreferenceData

ASIDE = "remove it, or name another --out"
# What the verbs that plan write without any label, besides pairs with an empty winner.
UNLABELLED = ({"model_a", "model_b", "battles"}, {"prompt", "responses", "variance"})


def keep_labels(out: str | os.PathLike[str]) -> None:
    """Refuse to replace anything but pairs that were planned and are not labelled.

    Raises
    ------
    InputError
        If labels stand in the file, or something else, or it cannot be read.
    """
    from ibn.preferences.files import read_records

    if not os.path.isfile(out) or not os.path.getsize(out):
        return
    try:
        states = [_labelled(record) for _, record in read_records(out)]
    except InputError as error:
        problem = f"a file stands there that cannot be read ({error.problem})"
        raise InputError(problem, file=out, fix=ASIDE) from None
    if any(states):
        raise InputError(
            f"{count_of(states.count(True), 'label')} there would be lost",
            file=out,
            fix="give the file to ibn plan beside the others, and name another --out",
        )
    if None in states:
        problem = "something other than planned pairs stands there, and would be lost"
        raise InputError(problem, file=out, fix=ASIDE)


def _labelled(record: dict[str, Any]) -> bool | None:
    """Whether a planned pair has a label; None of what is no planned pair."""
    from ibn.preferences.labelling_tools import LABEL

    if LABEL in record:
        return bool(str(record[LABEL] or "").strip())
    for inside, answers in (("data", "annotations"), ("fields", "responses")):  # labelling tools
        if isinstance(record.get(inside), dict):
            return bool(record.get(answers))
    return False if set(record) in UNLABELLED else None


def keep_converted(out: str, data: PreferenceData, *, ties: bool) -> None:
    """Refuse to replace labels that are not among the comparisons to be written.

    ``ties``: whether these are written.

    Raises
    ------
    InputError
        If a label would be lost, or the file cannot be read.
    """
    from ibn.preferences.reading import read_preferences

    if not os.path.isfile(out) or not os.path.getsize(out):
        return
    try:
        before = read_preferences(out)
    except InputError as error:
        problem = f"a file stands there that cannot be read ({error.problem})"
        raise InputError(problem, file=out, fix=ASIDE) from None
    lost = set(_said(before, ties=True)).difference(_said(data, ties=ties))
    if lost:
        problem = f"{count_of(len(lost), 'label')} there would be lost"
        raise InputError(problem, file=out, fix=ASIDE)


def _said(data: PreferenceData, *, ties: bool) -> Iterator[tuple[str, str, str, bool]]:
    """Yield each label: prompt, preferred response, the other, and whether it is a tie."""
    comparisons, texts = data.comparisons, data.responses
    assert comparisons.winner is not None
    for a, b, winner in zip(comparisons.a, comparisons.b, comparisons.winner, strict=True):
        tie = winner == 0
        pair = (texts[a], texts[b]) if winner > 0 else (texts[b], texts[a])
        if ties or not tie:
            yield data.prompts[data.prompt_of[a]], *(sorted(pair) if tie else pair), tie
