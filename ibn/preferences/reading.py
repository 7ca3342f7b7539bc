"""Preference datasets, read from the files people have."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError, unknown_name
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.fields import take
from ibn.preferences.files import read_records
from ibn.preferences.shapes import COLUMNS, Shape, Side, Text, detect_shape
from ibn.preferences.source import Record
from ibn.preferences.transcripts import Messages, render


@dataclass(frozen=True, eq=False)
class PreferenceData:
    """Human preferences over responses to prompts.

    Attributes
    ----------
    prompts : list of str
        The distinct prompts, in order of first appearance; the empty one where none is given.
    responses : list of str
        The distinct responses that are compared: the same text to two prompts is two of them. In
        order of first appearance, comparison by comparison, a before b: **the order of the rows of
        an embedding matrix**.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response, as a position in ``prompts``.
    comparisons : Comparisons
        Over ``arange(m)``. Repeated comparisons, as by several annotators, are kept, also where
        they disagree. Where the file says which is better by column or by score, that one is a.
        ``winner`` is +1 where a is preferred, -1 where b is, 0 for a tie (``None``
        where candidates were read); ``delta``, where the file gives margins, is ``winner`` times
        the margin.
    lines : ndarray of int, shape (n,)
        The line of each comparison in the file (the record's number in Parquet), counted from 1.
    source : str
        The file.
    shape : str
        The columns read and what they held.
    skipped : int
        Comparisons of a response with itself, left out on request.
    prompt_messages, response_messages : list of tuple of (role, content), optional
        What ``prompts`` and ``responses`` are as conversations, where the file holds such.
    """

    prompts: list[str]
    responses: list[str]
    prompt_of: NDArray[np.int64]
    comparisons: Comparisons
    lines: NDArray[np.int64]
    source: str
    shape: str = ""
    skipped: int = 0
    prompt_messages: list[Messages] | None = None
    response_messages: list[Messages] | None = None


def read_preferences(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    on_identical: Literal["error", "skip"] = "error",
    labelled: bool = True,
) -> PreferenceData:
    r"""Read a preference dataset.

    What the records hold is told from the first, and holds for all:

    - ``chosen``, ``rejected`` and perhaps ``prompt``: texts, or conversations as lists of role and
      content. Without ``prompt`` it is what both begin with, for whole messages and for the turns
      of Human/Assistant transcripts (HH-RLHF), up to where the assistant speaks; for other texts
      there is none.
    - ``response_a``, ``response_b`` (or ``conversation_…``, ``answer_…``, ``completion_…``,
      ``output_…``, ``summary_…``; also with ``_A _B``, ``_0 _1``, ``_1 _2``) and ``winner``
      (or ``better_response_id``, ``preference``, ``preferred``, ``label``, ``choice``), which is
      a, b or tie, or the number of the better, or a list of such verdicts, one an annotator; with
      ``prompt`` or without it, as above. ``model_a``, ``model_b`` and ``winner`` alone are a
      leaderboard: the models are the responses.
    - ``prompt`` and ``responses`` (or ``completions``, ``answers``): a list of texts with
      ``scores``, ``ranks`` (1 the best) or ``ranking`` (positions counted from 0, best first), or
      of objects with a text and a score or rank. Every two are compared, equals tie. Scores of
      different scales are not margins, and do not become such.
    - ``prompt`` and several objects with a text and ``is_correct``: each right one against each
      wrong one.

    A pair may have a ``margin``, by how much the better is better. ``prompt`` may also be named
    instruction (with ``input``), question, problem, query or history.

    Parameters
    ----------
    path : path-like
        A ``.jsonl``, ``.json``, ``.csv`` or ``.parquet`` file, each also ``.gz``; a directory saved
        by Hugging Face ``datasets``, or a name on its hub.
    columns : mapping, optional
        What the file calls a column of the above: ``{"prompt": "title"}``.
    on_identical : {"error", "skip"}
        What to do about a comparison of a response with itself: raise, or leave it out and count.
    labelled : bool
        ``False`` reads pairs that need no ``winner``, such as candidates for comparison.

    Raises
    ------
    InputError
        If anything is wrong with the file, naming it and the line.
    """
    source = os.fspath(path)
    for name in columns or {}:
        if name not in COLUMNS:
            raise unknown_name("column", name, COLUMNS)
    shape: Shape | None = None
    prompts: dict[Text, int] = {}
    responses: dict[tuple[int, Text], int] = {}
    a, b, winners, margins = array("q"), array("q"), array("b"), array("d")
    lines, skipped = array("q"), 0

    def position(side: Side) -> int:
        prompt = prompts.setdefault(side.prompt, len(prompts))
        return responses.setdefault((prompt, side.response), len(responses))

    with closing(read_records(source)) as records:
        for line, record in records:
            try:
                if columns:
                    record = _renamed(record, columns)
                shape = shape or detect_shape(record, labelled)
                for judgement in shape.judgements(record):
                    if judgement.a == judgement.b:
                        if on_identical == "skip":
                            skipped += 1
                            continue
                        raise InputError(
                            "a comparison of a response with itself",
                            fix="remove it, or skip all such",
                        )
                    lines.append(line)
                    a.append(position(judgement.a))
                    b.append(position(judgement.b))
                    winners.append(judgement.winner)
                    if judgement.margin is not None:
                        margins.append(judgement.margin)
            except InputError as error:
                raise InputError(error.problem, file=source, line=line, fix=error.fix) from None
    if shape is None:
        raise InputError("no records", file=source)
    if not a:
        of_itself = f": all {skipped} are of a response with itself" if skipped else ""
        raise InputError(f"no comparisons{of_itself}", file=source)
    texts = [response for _, response in responses]
    return PreferenceData(
        prompts=[_as_text(prompt, "user") for prompt in prompts],
        responses=[_as_text(response, "assistant") for response in texts],
        prompt_of=np.array([prompt for prompt, _ in responses], dtype=np.int64),
        comparisons=Comparisons(
            np.arange(len(texts)),
            np.array(a, dtype=np.int64),
            np.array(b, dtype=np.int64),
            delta=np.array(margins, dtype=np.float64) if margins else None,
            winner=np.array(winners, dtype=np.int8) if labelled else None,
        ),
        lines=np.array(lines, dtype=np.int64),
        source=source,
        shape=shape.name,
        skipped=skipped,
        prompt_messages=_as_messages(prompts),
        response_messages=_as_messages(texts),
    )


def _renamed(record: Record, columns: Mapping[str, str]) -> Record:
    return {**record, **{name: take(record, theirs) for name, theirs in columns.items()}}


def _as_text(text: Text, speaker: str) -> str:
    return text if isinstance(text, str) else render(text, speaker)


def _as_messages(texts: Iterable[Text]) -> list[Messages] | None:
    return [text for text in texts if not isinstance(text, str)] or None
