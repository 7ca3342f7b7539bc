"""Records from Parquet files and Hugging Face ``datasets``; both libraries are optional."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ibn.errors import InputError, MissingExtra
from ibn.preferences.source import MAX_RECORD, Record, Source

if TYPE_CHECKING:
    import pyarrow

BATCH = 64  # rows that are Python objects at once: few, since each may repeat one long text
MAX_GROUP = 2**32  # bytes of a row group, columns of which Arrow may unpack at once
MAX_BATCH = 2**29  # bytes of rows unpacked at once


def read_parquet(source: Source) -> Iterator[tuple[int, Record]]:
    """Stream the rows of a Parquet file with their numbers, counted from 1.

    Parameters
    ----------
    source : Source

    Raises
    ------
    MissingExtra
        If ``pyarrow`` is not installed.
    InputError
        If the file is corrupt, or a row group of it is larger than memory should hold.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", "parquet", "reading Parquet") from None
    with tempfile.TemporaryFile() as unpacked:
        # Arrow decodes what may be hostile bytes and names no closed set of exceptions.
        file = _unpack(source, unpacked) if source.gzipped else source.stream
        try:
            parquet = pyarrow.parquet.ParquetFile(file)
            groups = map(parquet.metadata.row_group, range(parquet.metadata.num_row_groups))
            largest = max((group.total_byte_size for group in groups), default=0)
            batches = parquet.iter_batches(_batch_rows(largest))
        except InputError as error:
            raise source.error(error.problem, error.fix) from None
        except Exception as error:
            raise source.error(_corrupt("Parquet", error)) from None
        yield from table_rows(batches, source.path, "Parquet")


def _batch_rows(group: int) -> int:
    """Choose how many rows to unpack at once of a file whose largest row group has so many bytes.

    A text that rows repeat is stored once in a group, so that no text is longer than a group.
    """
    if group > MAX_GROUP:
        raise InputError(
            f"a row group of {group / 2**30:.1f} GiB, more than {MAX_GROUP >> 30} GiB",
            fix="write the file with smaller row groups",
        )
    return int(min(max(MAX_BATCH // max(group, 1), 1), BATCH))


def read_saved_dataset(path: str) -> Iterator[tuple[int, Record]]:
    """Stream the rows of a directory that ``save_to_disk`` of ``datasets`` wrote.

    Parameters
    ----------
    path : str
        A data set, or several splits of which there is one.

    Raises
    ------
    MissingExtra
        If ``datasets`` is not installed.
    InputError
        If the directory holds no such data set, or several splits.
    """
    try:
        files = os.listdir(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}".lower(), file=path) from None
    if not {*files} & {"state.json", "dataset_dict.json"}:
        raise InputError(
            "a directory, and not one that save_to_disk wrote", file=path, fix="name a file"
        )
    datasets = _import_datasets(f"reading {path}")
    try:
        _check_arrow_files(path)
        loaded = datasets.load_from_disk(path)
    except Exception as error:
        raise InputError(_corrupt("data set", error), file=path) from None
    return dataset_rows(loaded, path, f"{path.rstrip('/')}/")


def read_hub(name: str) -> Iterator[tuple[int, Record]]:
    """Stream the rows of a data set on the Hugging Face hub.

    Parameters
    ----------
    name : str
        ``owner/name`` or ``owner/name:split``.

    Raises
    ------
    MissingExtra
        If ``datasets`` is not installed.
    InputError
        If it cannot be loaded, or has several splits and none is named.
    """
    datasets = _import_datasets(f"no file {name}; reading it as a data set's name")
    path, _, split = name.partition(":")
    try:
        loaded = datasets.load_dataset(path, split=split or None)
    except Exception as error:
        raise InputError(_corrupt("data set", error), file=name) from None
    return dataset_rows(loaded, name, f"{path}:")


def _check_arrow_files(path: str) -> None:
    """Read every Arrow file once with all checks, for ``datasets`` maps them unchecked.

    A corrupt length or offset in a mapped file ends the process instead of raising.
    """
    import pyarrow

    for file in sorted(Path(path).rglob("*.arrow")):
        with pyarrow.OSFile(str(file)) as stream, pyarrow.ipc.open_stream(stream) as batches:
            for batch in batches:
                batch.validate(full=True)


def _import_datasets(purpose: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", "datasets", purpose) from None
    return datasets


def dataset_rows(loaded: Any, name: str, prefix: str) -> Iterator[tuple[int, Record]]:
    """Stream the rows of a data set, numbered; ``prefix`` goes before the names of its splits."""
    if isinstance(loaded, dict):
        if len(loaded) != 1:
            splits = " or ".join(f"{prefix}{split}" for split in loaded)
            raise InputError("a data set of several splits", file=name, fix=f"name {splits}")
        (loaded,) = loaded.values()
    tables = loaded.with_format("arrow").iter(BATCH)
    return table_rows((batch for table in tables for batch in table.to_batches()), name, "data set")


def table_rows(
    batches: Iterable[pyarrow.RecordBatch], name: str, what: str
) -> Iterator[tuple[int, Record]]:
    """Stream the rows of batches, numbered from 1."""
    from pyarrow.types import is_temporal

    number = 0
    remaining = iter(batches)
    while True:
        try:
            batch = next(remaining, None)
            if batch is None:
                return
            # Python has no type for every time, and no preference is one.
            batch.validate(full=True)
            columns = [field.name for field in batch.schema if not is_temporal(field.type)]
            rows = batch.select(columns).to_pylist()
        except Exception as error:
            raise InputError(_corrupt(what, error), file=name, line=number + 1) from None
        for row in rows:
            number += 1
            if _characters(row) > MAX_RECORD:
                problem = f"a record of more than {MAX_RECORD >> 20} MiB"
                raise InputError(problem, file=name, line=number)
            yield number, row


def _characters(value: Any) -> int:
    """Count the characters of all texts in a value."""
    if isinstance(value, str):
        return len(value)
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_characters, within))


def _unpack(source: Source, unpacked: IO[bytes]) -> IO[bytes]:
    while data := source.read(2**20):
        unpacked.write(data)
    unpacked.seek(0)
    return unpacked


def _corrupt(what: str, error: Exception) -> str:
    """Put a foreign error on one printable line of bounded length."""
    printable = (x if x.isprintable() else " " for x in f"{type(error).__name__}: {error}"[:400])
    reason = " ".join("".join(printable).split())
    return f"unreadable {what}: {reason[:160]}"
