"""Mutated files: a result or the one error, whatever the bytes.

``python -m benchmarks.fuzz --files 100000`` does the same to many more, in a process of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import (
    attempt,
    check_error,
    fuzz,
    good_dataset,
    mutated_dataset,
    mutated_file,
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


def test_a_run_counts_every_file():
    *_, found = fuzz(0, range(60), directories=False)
    assert sum(found.outcomes.values()) == 60
    assert found.failures == []
    assert {outcome for _, outcome in found.outcomes} == {"read", "refused"}
