"""Records from whatever holds preferences: a path, or a table or list in memory."""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from typing import Any

from ibn.errors import InputError
from ibn.preferences.files import read_records
from ibn.preferences.labelling_tools import from_tool
from ibn.preferences.source import Record, as_record
from ibn.preferences.tables import BATCH, dataset_rows, table_rows

KEPT = "data.jsonl"


def open_records(source: Any) -> tuple[str, Generator[tuple[int, Record], None, None]]:
    """Stream the records of a file, or of what Python holds.

    Parameters
    ----------
    source : path-like, list of dict, DataFrame, Dataset or Table
        See :func:`ibn.preferences.reading.read_preferences`.

    Returns
    -------
    name : str
        The path, or what it is, for errors.
    records : generator of (int, dict)
        Lines, or numbers counted from 1, and values by column.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source), _as_columns(read_records(source))
    name = type(source).__name__
    return name, _as_columns(_held(source, name))


def keeping(source: Any) -> str:
    """Write the Python that keeps what is held in memory in the file ``KEPT``; empty of a path."""
    lines = f'.to_json("{KEPT}", orient="records", lines=True)'
    if isinstance(source, (str, os.PathLike)):
        return ""
    if hasattr(source, "with_format"):
        return f'dataset.to_json("{KEPT}")'
    if hasattr(source, "to_batches"):
        return f"table.to_pandas(){lines}"
    if hasattr(source, "iter_rows"):
        return f'df.write_ndjson("{KEPT}")'
    return f"df{lines}" if hasattr(source, "itertuples") else f"pandas.DataFrame(rows){lines}"


def _as_columns(
    records: Generator[tuple[int, Record], None, None],
) -> Generator[tuple[int, Record], None, None]:
    """Lay out what labelling tools give back."""
    with closing(records):
        for line, record in records:
            yield line, from_tool(record)


def _held(source: Any, name: str) -> Generator[tuple[int, Record], None, None]:
    """Stream the records of what Python holds, numbered."""
    if hasattr(source, "with_format"):  # a datasets.Dataset, or several splits
        yield from dataset_rows(source, name, "")
    elif hasattr(source, "to_batches"):  # a pyarrow Table
        yield from table_rows(source.to_batches(BATCH), name, "table")
    elif hasattr(source, "iter_rows"):  # a polars DataFrame
        yield from enumerate(map(_plain, source.iter_rows(named=True)), 1)
    elif hasattr(source, "itertuples"):  # a pandas DataFrame
        columns = [str(column) for column in source.columns]
        for number, row in enumerate(source.itertuples(index=False, name=None), 1):
            yield number, _plain(dict(zip(columns, row, strict=True)))
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, Mapping)):
        for number, record in enumerate(source, 1):
            try:
                yield number, as_record(record)
            except InputError as error:
                raise InputError(error.problem, file=name, line=number, fix=error.fix) from None
    else:
        raise InputError(
            f"preferences cannot be read from {name}",
            fix="give a path, a list of dicts, a DataFrame, a Dataset or a Table",
        )


def _plain(record: Record) -> Record:
    """Turn what tables hold into what JSON would: NumPy's values, and NaN for nothing."""
    return {str(key): _plain_value(value) for key, value in record.items()}


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, dict, list)):
        return value
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        value = value.tolist()
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, (tuple, list)):
        return [_plain_value(item) for item in value]
    if isinstance(value, (int, dict)):
        return value
    text = str(value)
    return None if text in ("<NA>", "NaT") else text
