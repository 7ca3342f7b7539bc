"""Preference files, written whole or not at all."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import IO, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.errors import InputError, MissingExtra
from ibn.outputs import writing
from ibn.preferences.files import file_format
from ibn.preferences.guarding import guard
from ibn.preferences.reading import PreferenceData
from ibn.preferences.source import Record
from ibn.preferences.transcripts import Messages

SIDES = ("response_a", "response_b")
TRL_SIDES = ("chosen", "rejected")


def write_preferences(
    path: str | os.PathLike[str], data: PreferenceData, *, labelled: bool = False
) -> int:
    """Write labelled comparisons in TRL's preference format with an explicit prompt.

    Columns are prompt, chosen and rejected; texts, or lists of messages where the data are
    conversations. Besides there are margin, weight, annotator and probability_chosen (soft
    labels) where the data have them, and all columns of the file that took no part.

    Parameters
    ----------
    path : path-like
        Its suffix tells the format: ``.jsonl``, ``.json``, ``.csv`` or ``.parquet``, each also
        ``.gz``.
    data : PreferenceData
    labelled : bool
        Write response_a, response_b, in the file's order, and winner (a, b or tie; or
        probability_a) instead. This keeps ties and comparisons across prompts.

    Returns
    -------
    int
        How many ties were left out: TRL's format cannot say them.

    Raises
    ------
    InputError
        If the comparisons are not labelled, are across prompts or all ties where the format
        cannot say that, or the file cannot be written.
    """
    comparisons = data.comparisons
    if comparisons.winner is None:
        if comparisons.delta is None:
            raise InputError("comparisons without labels are no preferences")
        comparisons = comparisons.labelled(
            delta=comparisons.delta, winner=np.sign(comparisons.delta).astype(np.int8)
        )
        data = replace(data, comparisons=comparisons)
    assert comparisons.winner is not None
    ends = np.stack([comparisons.a, comparisons.b], axis=1)
    turned = comparisons.winner < 0
    if labelled:
        turned = np.zeros(len(ends), bool) if data.swapped is None else data.swapped
        kept = np.arange(len(ends))
    else:
        kept = np.flatnonzero(comparisons.winner)
        if not len(kept):
            raise InputError("all comparisons are ties", fix="write them with --labelled")
        if not np.array_equal(*data.prompt_of[ends.T]):
            raise InputError("comparisons across prompts", fix="write them with --labelled")
    ends = np.where(turned[:, None], ends[:, ::-1], ends)[kept]
    columns = _labels(data, turned, labelled)
    if data.row_of is not None:
        rows = np.where(turned[:, None], data.row_of[:, ::-1], data.row_of)
        columns |= carried(data, rows, "ab" if labelled else ("chosen", "rejected"), columns)
    columns = {name: [values[i] for i in kept.tolist()] for name, values in columns.items()}
    sides = SIDES if labelled else TRL_SIDES
    write_records(path, comparison_records(data, ends, columns, sides))
    return len(comparisons) - len(kept)


def _labels(
    data: PreferenceData, turned: NDArray[np.bool_], labelled: bool
) -> dict[str, Sequence[Any]]:
    """Make the columns that say what the labels said."""
    comparisons = data.comparisons
    assert comparisons.winner is not None
    columns: dict[str, Sequence[Any]] = {}
    if comparisons.share is not None:
        share = np.where(turned, 1.0 - comparisons.share, comparisons.share)
        columns["probability_a" if labelled else "probability_chosen"] = share.tolist()
    elif labelled:
        winner = np.where(turned, -comparisons.winner, comparisons.winner)
        columns["winner"] = [{1: "a", -1: "b", 0: "tie"}[label] for label in winner.tolist()]
    if comparisons.delta is not None:
        columns["margin"] = np.abs(comparisons.delta).tolist()
    if comparisons.weight is not None:
        columns["weight"] = comparisons.weight.tolist()
    if data.annotators is not None:
        columns["annotator"] = data.annotators
    return columns


def carried(
    data: PreferenceData,
    rows: NDArray[np.int64],
    ends: Sequence[str],
    taken: Iterable[str] = (),
) -> dict[str, list[Any]]:
    """Make the columns that took no part, for pairs of responses.

    Parameters
    ----------
    data : PreferenceData
    rows : ndarray of int, shape (k, 2)
        The row that either side of each pair is from, as a position in ``data.rows``.
    ends : two str
        What is put behind a column's name where its two values of a pair may differ.
    taken : iterable of str
        Names that other columns have; ``original_`` goes before them.

    Returns
    -------
    dict of str to list, length k
    """
    found: dict[str, list[Any]] = {}
    names = dict.fromkeys(key for i in np.unique(rows).tolist() for key in data.rows[i])
    reserved = {*SIDES, *TRL_SIDES, "prompt", "prompt_a", "prompt_b", *taken}
    for name in names:
        first, second = ([data.rows[i].get(name) for i in side] for side in rows.T.tolist())
        free = f"original_{name}" if name in reserved else name
        if first == second:
            found[free] = first
        else:
            found |= {f"{free}_{ends[0]}": first, f"{free}_{ends[1]}": second}
    return found


def comparison_records(
    data: PreferenceData,
    pairs: ArrayLike,
    columns: Mapping[str, Sequence[Any]] | None = None,
    sides: tuple[str, str] = SIDES,
) -> Iterator[Record]:
    """Make records of pairs of responses, for a labelling tool.

    Columns are prompt, response_a and response_b, or, where a pair is across prompts, prompt_a and
    prompt_b for all; texts, or lists of messages where the data are conversations. With a column
    ``winner`` (a, b or tie) added, :func:`ibn.preferences.reading.read_preferences` reads them;
    with ``labelled=False`` it does without.

    Parameters
    ----------
    data : PreferenceData
        Where the responses are from.
    pairs : array_like of int, shape (k, 2)
        Positions in ``data.responses``.
    columns : mapping of str to sequence, optional
        Further columns, a value a pair.
    sides : two str
        What the columns of the two responses are called.
    """
    further = columns or {}
    records = _pair_records(data, np.asarray(pairs, dtype=np.int64), sides)
    values = zip(*further.values(), strict=True) if further else repeat(())
    for record, row in zip(records, values, strict=bool(further)):
        yield {**record, **dict(zip(further, row, strict=True))}


def write_records(
    path: str | os.PathLike[str], records: Iterable[Record], *, by_people: bool = False
) -> None:
    """Write records, all of the same columns.

    The file appears under its name once it is complete.

    Parameters
    ----------
    path : path-like
        As for :func:`write_preferences`.
    records : iterable of dict
        Values by column: text, numbers, and what JSON can say of them (as JSON in CSV).
    by_people : bool
        Whether people will open the file, maybe in a spreadsheet: CSV cells that it would run are
        guarded, see :mod:`ibn.preferences.guarding`.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    kind, gzipped = file_format(path)
    if by_people and kind == "csv":
        records = guard(records)
    try:
        with writing(path) as raw:
            if gzipped:
                # The same records give the same bytes: no name and no time in the header.
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                    WRITERS[kind](cast(IO[bytes], stream), records)
            else:
                WRITERS[kind](raw, records)
    except (OSError, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or "half of a surrogate pair is no text"
        raise InputError(f"cannot be written: {reason.lower()}", file=path) from None


def _pair_records(
    data: PreferenceData, pairs: NDArray[np.int64], sides: tuple[str, str]
) -> Iterator[Record]:
    prompts = said(data.prompt_messages) or data.prompts
    responses = said(data.response_messages) or data.responses
    prompt_of = data.prompt_of
    across = not np.array_equal(prompt_of[pairs[:, 0]], prompt_of[pairs[:, 1]])
    columns = ("prompt_a", sides[0], "prompt_b", sides[1]) if across else ("prompt", *sides)
    for i, j in pairs.tolist():
        prompt_a, prompt_b = prompts[prompt_of[i]], prompts[prompt_of[j]]
        a, b = responses[i], responses[j]
        values = (prompt_a, a, prompt_b, b) if across else (prompt_a, a, b)
        yield dict(zip(columns, values, strict=True))


def said(conversations: list[Messages] | None) -> list[Any]:
    """Write conversations as lists of role and content; none as the empty list."""
    return [
        [{"role": role, "content": content} for role, content in messages]
        for messages in conversations or []
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _write_jsonl(stream: IO[bytes], records: Iterable[Record]) -> None:
    for record in records:
        stream.write(_json(record).encode() + b"\n")


def _write_json(stream: IO[bytes], records: Iterable[Record]) -> None:
    stream.write(b"[")
    for i, record in enumerate(records):
        stream.write((b",\n" if i else b"\n") + _json(record).encode())
    stream.write(b"\n]\n")


def _write_csv(stream: IO[bytes], records: Iterable[Record]) -> None:
    writer = csv.writer(codecs.getwriter("utf-8")(stream))
    for i, record in enumerate(records):
        if i == 0:
            writer.writerow(record)
        values = ("" if x is None else x for x in record.values())
        writer.writerow([x if isinstance(x, str) else _json(x) for x in values])


def _write_parquet(stream: IO[bytes], records: Iterable[Record]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", "parquet", "writing Parquet") from None
    try:
        table = pyarrow.Table.from_pylist(list(records))
    except (pyarrow.ArrowException, OverflowError) as error:  # a number beyond 64 bits
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"cannot be written as Parquet: {reason}", fix="write .jsonl") from None
    pyarrow.parquet.write_table(table, stream)


WRITERS: dict[str, Callable[[IO[bytes], Iterable[Record]], None]] = {
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
