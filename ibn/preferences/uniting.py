"""Several preference files over one list of responses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.preferences.reading_report import ReadingReport
from ibn.preferences.transcripts import Messages


def unite(first: PreferenceData, second: PreferenceData) -> tuple[PreferenceData, PreferenceData]:
    """Bring two datasets over one list of responses: those of the first, then what is new.

    Parameters
    ----------
    first, second : PreferenceData
        Labelled or not.

    Returns
    -------
    first, second : PreferenceData
        Each with its own comparisons, and the same prompts and responses.

    Raises
    ------
    InputError
        If one holds conversations and the other texts.
    """
    if (first.response_messages is None) != (second.response_messages is None):
        texts, others = "texts", "conversations"
        here, there = (others, texts) if first.response_messages is None else (texts, others)
        raise InputError(
            f"{here}, but {first.source} holds {there}",
            file=second.source,
            fix="write both in the same form",
        )
    prompts = {prompt: i for i, prompt in enumerate(_prompts(first))}
    prompt_at = np.array([prompts.setdefault(p, len(prompts)) for p in _prompts(second)], np.int64)
    keys = zip(first.prompt_of.tolist(), _responses(first), strict=True)
    known = {key: i for i, key in enumerate(keys)}
    m = len(known)
    own = list(zip(prompt_at[second.prompt_of].tolist(), _responses(second), strict=True))
    place = np.array([known.setdefault(key, len(known)) for key in own], np.int64)
    new = np.flatnonzero(place >= m)  # in order: a response is new once
    new_prompts = np.flatnonzero(prompt_at >= len(first.prompts))

    def more(these: list, those: list, at: NDArray[np.int64]) -> list:
        return [*these, *(those[i] for i in at)]

    def said(
        these: list[Messages] | None, those: list[Messages] | None, at: NDArray[np.int64]
    ) -> list[Messages] | None:
        return None if these is None or those is None else more(these, those, at)

    united = replace(
        first,
        prompts=more(first.prompts, second.prompts, new_prompts),
        responses=more(first.responses, second.responses, new),
        prompt_of=np.array([prompt for prompt, _ in known], np.int64),
        prompt_messages=said(first.prompt_messages, second.prompt_messages, new_prompts),
        response_messages=said(first.response_messages, second.response_messages, new),
        comparisons=replace(first.comparisons, responses=np.arange(len(known))),
    )
    theirs = second.comparisons
    comparisons = replace(
        theirs, responses=np.arange(len(known)), a=place[theirs.a], b=place[theirs.b]
    )
    return united, replace(
        second,
        prompts=united.prompts,
        responses=united.responses,
        prompt_of=united.prompt_of,
        prompt_messages=united.prompt_messages,
        response_messages=united.response_messages,
        comparisons=comparisons,
    )


def without_comparisons(data: PreferenceData) -> PreferenceData:
    """Return a dataset's prompts and responses with no comparison, as before any label."""
    none = np.empty(0, np.int64)
    return replace(
        data,
        comparisons=Comparisons(
            np.arange(len(data.responses)), none, none, winner=none.astype(np.int8)
        ),
        lines=none,
        swapped=None,
        annotators=None,
        row_of=None,
        rows=[],
        report=ReadingReport(prompts=len(data.prompts), responses=len(data.responses)),
    )


def concatenate(first: PreferenceData, second: PreferenceData) -> PreferenceData:
    """Put the labelled comparisons of two datasets behind each other.

    Margins are kept where both have them. ``lines`` are those of each file.
    """
    first, second = unite(first, second)
    one, two = first.comparisons, second.comparisons

    def both(name: str) -> NDArray | None:
        these, those = getattr(one, name), getattr(two, name)
        return None if these is None or those is None else np.concatenate([these, those])

    def either(these: NDArray | None, those: NDArray | None, missing: NDArray) -> NDArray | None:
        if these is None and those is None:
            return None
        n = len(one)
        return np.concatenate(
            [missing[:n] if these is None else these, missing[n:] if those is None else those]
        )

    n, total = len(one), len(one) + len(two)
    labels = np.concatenate(
        [x.preferred if x.winner is not None else np.ones(len(x)) for x in (one, two)]
    )
    comparisons = Comparisons(
        one.responses,
        np.concatenate([one.a, two.a]),
        np.concatenate([one.b, two.b]),
        delta=both("delta"),
        winner=both("winner"),
        share=either(one.share, two.share, labels),
        weight=either(one.weight, two.weight, np.ones(total)),
    )
    no_rows = np.full((total, 2), -1)
    row_of = either(first.row_of, second.row_of, no_rows)
    if row_of is not None:
        row_of[n:] += np.where(row_of[n:] >= 0, len(first.rows), 0)
    who = [x.annotators or [None] * len(x.comparisons) for x in (first, second)]
    return replace(
        first,
        comparisons=comparisons,
        lines=np.concatenate([first.lines, second.lines]),
        swapped=either(first.swapped, second.swapped, np.zeros(total, bool)),
        annotators=who[0] + who[1] if first.annotators or second.annotators else None,
        rows=first.rows + second.rows,
        row_of=row_of,
        report=_both_reports(first, second, comparisons),
    )


def _both_reports(
    first: PreferenceData, second: PreferenceData, comparisons: Comparisons
) -> ReadingReport:
    one, two = first.report, second.report
    skipped = dict(one.skipped)
    for reason, lines in two.skipped.items():
        named = f"{reason} in {second.source}"
        skipped[named] = (*skipped.get(named, ()), *lines)
    columns = {
        role: list(dict.fromkeys((*one.columns.get(role, ()), *two.columns.get(role, ()))))
        for role in (*one.columns, *two.columns)
    }
    winner = comparisons.winner
    return ReadingReport(
        rows=one.rows + two.rows,
        comparisons=len(comparisons),
        prompts=len(first.prompts),
        responses=len(first.responses),
        ties=0 if winner is None else int(np.sum(winner == 0)),
        columns=columns,
        carried=tuple(dict.fromkeys((*one.carried, *two.carried))),
        unused=tuple(dict.fromkeys((*one.unused, *two.unused))),
        skipped=skipped,
        skipped_rows=one.skipped_rows + two.skipped_rows,
        idle=one.idle + two.idle,
        notes=tuple(dict.fromkeys((*one.notes, *two.notes))),
    )


def _prompts(data: PreferenceData) -> list:
    return data.prompts if data.prompt_messages is None else data.prompt_messages


def _responses(data: PreferenceData) -> list:
    return data.responses if data.response_messages is None else data.response_messages
