"""Mutated files: a result or the one error, whatever the bytes."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutated_files import (
    attempt,
    check_error,
    good_dataset,
    mutated_dataset,
    mutated_file,
    read_files,
)

from ibn.errors import InputError
from ibn.preferences.reading import read_preferences

LENIENT = {"deadline": 10_000, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=300, **LENIENT)
@given(rng=st.randoms(use_true_random=True))
def test_mutated_files(tmp_path_factory, rng):
    suffix, content = mutated_file(rng, bombs=False)
    path: Path = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    path.write_bytes(content)
    assert attempt(path, rng) in ("read", "refused")


@settings(max_examples=30, **LENIENT)
@given(rng=st.randoms(use_true_random=True))
def test_mutated_datasets(tmp_path_factory, rng):
    pytest.importorskip("datasets")
    path = tmp_path_factory.mktemp("dataset")
    for name, content in mutated_dataset(rng).items():
        (path / name).write_bytes(content)
    assert attempt(path, rng) in ("read", "refused")


def test_good_datasets_are_read(tmp_path):
    pytest.importorskip("datasets")
    for name, content in good_dataset(0).items():
        (tmp_path / name).write_bytes(content)
    assert len(read_preferences(tmp_path).comparisons) == 3


def test_the_check_of_errors_can_fail(tmp_path):
    with pytest.raises(AssertionError):
        check_error(InputError("no file named"), tmp_path)
    with pytest.raises(AssertionError):
        check_error(InputError("two\nlines", file=tmp_path), tmp_path)


def test_reading_tells_which_file_went_wrong(monkeypatch):
    assert read_files(0, range(60), False) == []
    monkeypatch.setattr("mutated_files.attempt", lambda path, rng: 1 / 0)
    assert read_files(0, [7], False) == ["file 7: ZeroDivisionError: division by zero"]


@pytest.mark.slow
def test_many_mutated_files_in_a_process_that_may_fall():
    """A crash, a hang and memory without bound are found too."""
    pytest.importorskip("datasets")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        for low in range(0, 5_000, 500):
            batch = range(low, low + 500)
            assert pool.submit(read_files, 1, batch, True).result(timeout=300) == []
