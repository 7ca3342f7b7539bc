"""Preference files, written whole or not at all."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.errors import InputError, MissingExtra
from ibn.preferences.files import file_format
from ibn.preferences.reading import PreferenceData
from ibn.preferences.source import Record
from ibn.preferences.transcripts import Messages

SIDES = ("response_a", "response_b")
TRL_SIDES = ("chosen", "rejected")


def write_preferences(path: str | os.PathLike[str], data: PreferenceData) -> None:
    """Write labelled comparisons in TRL's preference format with an explicit prompt.

    Columns are prompt, chosen and rejected, and margin where there are continuous labels; texts,
    or lists of messages where the data are conversations. Where there are ties, or comparisons
    across prompts, which that format cannot say, they are those of :func:`write_comparisons` and
    winner.

    Parameters
    ----------
    path : path-like
        Its suffix tells the format: ``.jsonl``, ``.json``, ``.csv`` or ``.parquet``, each also
        ``.gz``.
    data : PreferenceData

    Raises
    ------
    InputError
        If the comparisons are not labelled or the file cannot be written.
    """
    comparisons = data.comparisons
    winner = comparisons.winner
    if winner is None:
        if comparisons.delta is None:
            raise InputError("comparisons without labels are no preferences")
        winner = np.sign(comparisons.delta)
    a, b = comparisons.a, comparisons.b
    if np.all(winner) and np.array_equal(data.prompt_of[a], data.prompt_of[b]):
        better, worse = np.where(winner > 0, a, b), np.where(winner > 0, b, a)
        records = list(_pair_records(data, np.column_stack([better, worse]), TRL_SIDES))
    else:
        records = list(_pair_records(data, np.column_stack([a, b]), SIDES))
        for record, label in zip(records, winner, strict=True):
            record["winner"] = "a" if label > 0 else "b" if label < 0 else "tie"
    if comparisons.delta is not None:
        for record, delta in zip(records, comparisons.delta, strict=True):
            record["margin"] = abs(float(delta))
    write_records(path, records)


def write_comparisons(
    path: str | os.PathLike[str],
    data: PreferenceData,
    pairs: ArrayLike,
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Write pairs of responses for a labelling tool.

    Columns are prompt, response_a and response_b, or, where a pair is across prompts, prompt_a and
    prompt_b for all; texts, or lists of messages where the data are conversations. With a column
    ``winner`` (a, b or tie) added, :func:`ibn.preferences.reading.read_preferences` reads the file;
    with ``labelled=False`` it does without.

    Parameters
    ----------
    path : path-like
        As for :func:`write_preferences`.
    data : PreferenceData
        Where the responses are from.
    pairs : array_like of int, shape (k, 2)
        Positions in ``data.responses``.
    columns : mapping of str to sequence, optional
        Further columns, a value a pair.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    further = columns or {}
    records = _pair_records(data, np.asarray(pairs, dtype=np.int64), SIDES)
    values = zip(*further.values(), strict=True) if further else repeat(())
    write_records(
        path,
        (
            {**record, **dict(zip(further, row, strict=True))}
            for record, row in zip(records, values, strict=bool(further))
        ),
    )


def write_records(path: str | os.PathLike[str], records: Iterable[Record]) -> None:
    """Write records, all of the same columns.

    The file appears under its name once it is complete.

    Parameters
    ----------
    path : path-like
        As for :func:`write_preferences`.
    records : iterable of dict
        Values by column: text, numbers, and what JSON can say of them (as JSON in CSV).

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    kind, gzipped = file_format(path)
    with _replacing(Path(path)) as raw:
        if gzipped:
            # The same records give the same bytes: no name and no time in the header.
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                WRITERS[kind](stream, records)
        else:
            WRITERS[kind](raw, records)


def _pair_records(
    data: PreferenceData, pairs: NDArray[np.int64], sides: tuple[str, str]
) -> Iterator[Record]:
    prompts = _said(data.prompt_messages) or data.prompts
    responses = _said(data.response_messages) or data.responses
    prompt_of = data.prompt_of
    across = not np.array_equal(prompt_of[pairs[:, 0]], prompt_of[pairs[:, 1]])
    columns = ("prompt_a", sides[0], "prompt_b", sides[1]) if across else ("prompt", *sides)
    for i, j in pairs.tolist():
        prompt_a, prompt_b = prompts[prompt_of[i]], prompts[prompt_of[j]]
        a, b = responses[i], responses[j]
        values = (prompt_a, a, prompt_b, b) if across else (prompt_a, a, b)
        yield dict(zip(columns, values, strict=True))


def _said(conversations: list[Messages] | None) -> list[Any]:
    return [
        [{"role": role, "content": content} for role, content in messages]
        for messages in conversations or []
    ]


@contextmanager
def _replacing(path: Path) -> Iterator[io.BufferedIOBase]:
    """Open a file beside the path, which takes its place at the end or vanishes on an error."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as raw:
            yield raw
        os.replace(beside, path)
    except (OSError, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or "half of a surrogate pair is no text"
        raise InputError(f"cannot be written: {reason.lower()}", file=path) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _write_jsonl(stream: io.BufferedIOBase, records: Iterable[Record]) -> None:
    for record in records:
        stream.write(_json(record).encode() + b"\n")


def _write_json(stream: io.BufferedIOBase, records: Iterable[Record]) -> None:
    stream.write(b"[")
    for i, record in enumerate(records):
        stream.write((b",\n" if i else b"\n") + _json(record).encode())
    stream.write(b"\n]\n")


def _write_csv(stream: io.BufferedIOBase, records: Iterable[Record]) -> None:
    writer = csv.writer(codecs.getwriter("utf-8")(stream))
    for i, record in enumerate(records):
        if i == 0:
            writer.writerow(record)
        writer.writerow([x if isinstance(x, str) else _json(x) for x in record.values()])


def _write_parquet(stream: io.BufferedIOBase, records: Iterable[Record]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", "parquet", "writing Parquet") from None
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(records)), stream)


WRITERS: dict[str, Callable[[io.BufferedIOBase, Iterable[Record]], None]] = {
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
