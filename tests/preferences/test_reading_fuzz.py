"""Mutated files: a result or the one error, whatever the bytes.

``IBN_FUZZ=100000 pytest tests/preferences/test_reading_fuzz.py`` reads that many files.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibn.errors import InputError, MissingExtra
from ibn.preferences.reading import PreferenceData, read_preferences
from ibn.preferences.writing import write_records

EXAMPLES = int(os.environ.get("IBN_FUZZ", "300"))

HUMAN, ASSISTANT = "\n\nHuman: Is it?", "\n\nAssistant:"
TALK = [{"role": "user", "content": "p"}]
SHAPES = [
    [{"prompt": f"p{i}", "chosen": "x é\n", "rejected": '"y",', "margin": i} for i in range(3)],
    [{"chosen": f"{HUMAN}{ASSISTANT} x{i}", "rejected": f"{HUMAN}{ASSISTANT}"} for i in range(3)],
    [
        {
            "chosen": [*TALK, {"role": "assistant", "content": f"x{i}"}],
            "rejected": [*TALK, {"role": "assistant", "content": "y"}],
        }
        for i in range(3)
    ],
    [{"prompt": "p", "response_a": "x", "response_b": f"y{i}", "winner": "tie"} for i in range(3)],
    [{"prompt": f"p{i}", "responses": ["x", "y", "z"], "ranks": [2, 1, 3]} for i in range(3)],
    [
        {"instruction": "p", "completions": [{"response": t, "score": i} for t in ("x", "y", "z")]}
        for i in range(3)
    ],
    [
        {
            "question": f"q{i}",
            "m": {"solution": "x", "is_correct": True},
            "n": {"solution": "y", "is_correct": False},
        }
        for i in range(3)
    ],
    [{"model_a": "m", "model_b": f"n{i}", "winner": "model_b"} for i in range(3)],
]
SUFFIXES = ["jsonl", "json", "csv", "parquet", "jsonl.gz", "json.gz", "csv.gz", "parquet.gz"]

# What breaks parsers: their own punctuation, other encodings, and too much of anything.
TOKENS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-1", b"[" * 3000, b"{}"),
    *(b"\\ud83d", b"\\u0000", b"\xed\xa0\xbd", b"\xf4\x90\x80\x80", b"PAR1", b"\x1f\x8b\x08"),
    *(b'"chosen"', b'"prompt": 3,', b'"data": [', b'""', b"\n\nAssistant:", b"\xff\xff\xff\x7f"),
]
VALUES = [None, True, -1, 10**400, float("nan"), "", "\ud83d", "\0", [], {}, [[]], [None], [{}]]
VALUES += [{"role": "user", "content": "x"}, "[" * 3000, ["x", "x"], "is_correct", "tie", [1, 0, 2]]


@pytest.fixture(scope="module")
def seed(tmp_path_factory) -> Callable[[int, str], bytes]:
    """Return the content of a good file of a shape in a format."""
    folder = tmp_path_factory.mktemp("seeds")
    files = {}
    for i, records in enumerate(SHAPES):
        for suffix in SUFFIXES[:4]:
            write_records(folder / f"seed.{suffix}", records)
            files[i, suffix] = (folder / f"seed.{suffix}").read_bytes()
    return lambda shape, suffix: files[shape, suffix]


def mutate_bytes(data: bytes, draw) -> bytes:
    """Overwrite, insert, remove, repeat or cut off, a few times."""
    for _ in range(draw(st.integers(0, 4))):
        i = draw(st.integers(0, len(data)))
        span = draw(st.integers(0, 20))
        what = draw(st.sampled_from(["overwrite", "insert", "token", "remove", "repeat", "cut"]))
        if what == "overwrite":
            data = data[:i] + draw(st.binary(max_size=4)) + data[i + 4 :]
        elif what == "insert":
            data = data[:i] + draw(st.binary(max_size=4)) + data[i:]
        elif what == "token":
            data = data[:i] + draw(st.sampled_from(TOKENS)) + data[i:]
        elif what == "remove":
            data = data[:i] + data[i + span :]
        elif what == "repeat":
            data = data[: i + span] * 2 + data[i:]
        else:
            data = data[:i]
    return data


def mutate_records(shape: list[dict], draw) -> list[dict]:
    """Put odd values and missing columns into records that are well-formed as JSON."""
    records = deepcopy(shape)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(records))
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and draw(st.booleans()):
                place = place[key]
            elif draw(st.booleans()):
                place[key] = deepcopy(draw(st.sampled_from(VALUES)))
                break
            else:
                del place[key]
                break
    return records


def check(data: PreferenceData) -> None:
    """Check what every result promises."""
    m, n = len(data.responses), len(data.comparisons)
    assert n == len(data.lines) > 0
    assert data.lines.min() >= 1
    assert len(data.prompt_of) == m
    assert set(data.prompt_of.tolist()) == set(range(len(data.prompts)))
    assert np.all(data.comparisons.uses > 0)
    for text in data.prompts + data.responses:
        text.encode()


def check_error(error: InputError, path: Path) -> None:
    """Check that an error is one line that says where."""
    message = str(error)
    assert not isinstance(error, MissingExtra)
    assert error.file == str(path)
    assert error.line is None or error.line >= 1
    assert message.startswith(f"{path}:")
    assert message.isprintable()
    assert len(message) < 1000
    message.encode()


@settings(max_examples=EXAMPLES, deadline=10_000, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_files(tmp_path_factory, seed, data):
    shape = data.draw(st.integers(0, len(SHAPES) - 1))
    suffix = data.draw(st.sampled_from(SUFFIXES))
    inner = suffix.removesuffix(".gz")
    if inner in ("jsonl", "json") and data.draw(st.booleans()):
        records = mutate_records(SHAPES[shape], data.draw)
        lines = [json.dumps(record) for record in records]
        content = ("\n".join(lines) if inner == "jsonl" else f"[{','.join(lines)}]").encode()
    else:
        content = mutate_bytes(seed(shape, inner), data.draw)
    if suffix != inner:
        content = gzip.compress(content, compresslevel=1, mtime=0)
        if data.draw(st.booleans()):
            content = mutate_bytes(content, data.draw)
    path: Path = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    path.write_bytes(content)
    try:
        result = read_preferences(
            path,
            on_identical=data.draw(st.sampled_from(["error", "skip"])),
            labelled=data.draw(st.booleans()),
        )
    except InputError as error:
        check_error(error, path)
    else:
        check(result)
