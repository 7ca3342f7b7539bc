"""Mutated preference files, and what reading them must come to: a result or the one error."""

from __future__ import annotations

import gzip
import json
import random
import resource
import sys
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ibn.errors import InputError, MissingExtra
from ibn.preferences.reading import PreferenceData, read_preferences
from ibn.preferences.writing import write_records

MEMORY = 2**30  # bytes that reading one small file may add to the process

HUMAN, ASSISTANT = "\n\nHuman: Is it?", "\n\nAssistant:"
TALK = [{"role": "user", "content": "p"}]
SHAPES: list[list[dict[str, Any]]] = [
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
    [
        {"instruction": "p", "input": f"i{i}", "output_1": "x", "output_2": "y", "preference": 2}
        for i in range(3)
    ],
    [
        {"prompt": "p", "response_0": "x", "response_1": f"y{i}", "winner": ["0", "1", "tie"]}
        for i in range(3)
    ],
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
PLAIN = ("jsonl", "json", "csv", "parquet")
SUFFIXES = (*PLAIN, *(f"{suffix}.gz" for suffix in PLAIN))
DIRECTORY = "dataset"  # what save_to_disk of Hugging Face datasets writes

# What breaks parsers: their own punctuation, other encodings, and too much of anything.
TOKENS = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r", b"\0", b"\xff"),
    *(b"\xef\xbb\xbf", b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-1"),
    *(b"[" * 3000, b"{}", b"\\ud83d", b"\\u0000", b"\xed\xa0\xbd", b"\xf4\x90\x80\x80", b"PAR1"),
    *(b"\x1f\x8b\x08", b'"chosen"', b'"prompt": 3,', b'"data": [', b'""', b"\n\nAssistant:"),
    *(b"\xff\xff\xff\x7f", b"ARROW1"),
]
VALUES = [None, True, -1, 10**400, float("nan"), "", "\ud83d", "\0", [], {}, [[]], [None], [{}]]
VALUES += [{"role": "user", "content": "x"}, "[" * 3000, ["x", "x"], "is_correct", "tie", [1, 0, 2]]
BOMB = 2**25  # bytes of a repeated token, rarely


def mutate_bytes(data: bytes, rng: random.Random, *, bombs: bool = True) -> bytes:
    """Overwrite, insert, remove, repeat or cut off, a few times; rarely insert very much."""
    for _ in range(rng.randrange(5)):
        i, span = rng.randint(0, len(data)), rng.randint(0, 20)
        what = rng.choice(["overwrite", "insert", "token", "remove", "repeat", "cut"])
        some = rng.randbytes(rng.randint(0, 4))
        if what == "overwrite":
            data = data[:i] + some + data[i + 4 :]
        elif what == "insert":
            data = data[:i] + some + data[i:]
        elif what == "token":
            data = data[:i] + rng.choice(TOKENS) + data[i:]
        elif what == "remove":
            data = data[:i] + data[i + span :]
        elif what == "repeat":
            data = data[: i + span] * 2 + data[i:]
        else:
            data = data[:i]
    if bombs and rng.random() < 1e-3:
        i, token = rng.randint(0, len(data)), rng.choice(TOKENS)
        data = data[:i] + token * (BOMB // len(token)) + data[i:]
    return data


def mutate_records(shape: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """Put odd values and missing columns into records that are well-formed as JSON."""
    records = deepcopy(shape)
    for _ in range(rng.randint(1, 3)):
        place: Any = rng.choice(records)
        while keys := list(place) if isinstance(place, dict) else list(range(len(place))):
            key = rng.choice(keys)
            if isinstance(place[key], (dict, list)) and rng.random() < 0.5:
                place = place[key]
            elif rng.random() < 0.5:
                place[key] = deepcopy(rng.choice(VALUES))
                break
            else:
                del place[key]
                break
    return records


@cache
def good_file(shape: int, suffix: str) -> bytes:
    """Return the content of a good file of a shape in a format, not gzipped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"good.{suffix}"
        write_records(path, SHAPES[shape])
        return path.read_bytes()


@cache
def good_dataset(shape: int) -> dict[str, bytes]:
    """Return the files of a good ``save_to_disk`` directory of a shape."""
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        datasets.Dataset.from_list(SHAPES[shape]).save_to_disk(folder)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def mutated_file(rng: random.Random, *, bombs: bool = True) -> tuple[str, bytes]:
    """Return the suffix and content of a mutated file."""
    shape, suffix = rng.randrange(len(SHAPES)), rng.choice(SUFFIXES)
    inner = suffix.removesuffix(".gz")
    if inner in ("jsonl", "json") and rng.random() < 0.5:
        lines = [json.dumps(record) for record in mutate_records(SHAPES[shape], rng)]
        content = ("\n".join(lines) if inner == "jsonl" else f"[{','.join(lines)}]").encode()
    else:
        content = mutate_bytes(good_file(shape, inner), rng, bombs=bombs)
    if suffix != inner:
        content = gzip.compress(content, compresslevel=1, mtime=0)
        if rng.random() < 0.5:
            content = mutate_bytes(content, rng, bombs=False)
    return suffix, content


def mutated_dataset(rng: random.Random) -> dict[str, bytes]:
    """Return the files of a mutated ``save_to_disk`` directory, by name."""
    files = dict(good_dataset(rng.randrange(len(SHAPES))))
    for name in rng.sample(sorted(files), rng.randint(1, 2)):
        files[name] = mutate_bytes(files[name], rng)
    return files


def check_result(data: PreferenceData) -> None:
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
    assert not isinstance(error, MissingExtra), message
    assert error.file == str(path), message
    assert error.line is None or error.line >= 1
    assert message.startswith(f"{path}:")
    assert message.isprintable()
    assert len(message) < 1000
    message.encode()


def attempt(path: Path, rng: random.Random) -> str:
    """Read a file one of the ways there are: ``read``, ``refused``, or whatever else it raises."""
    try:
        data = read_preferences(
            path,
            strict=rng.random() < 0.5,
            labelled=rng.random() < 0.5,
        )
    except InputError as error:
        check_error(error, path)
        return "refused"
    check_result(data)
    return "read"


def write_case(seed: int, i: int, folder: Path, *, directories: bool) -> tuple[Path, random.Random]:
    """Write mutated file i of a seed; return its path and the randomness left."""
    rng = random.Random(f"{seed} {i}")
    if directories and rng.random() < 0.1:
        path = folder / DIRECTORY
        path.mkdir(exist_ok=True)
        for old in path.iterdir():
            old.unlink()
        for name, content in mutated_dataset(rng).items():
            (path / name).write_bytes(content)
        return path, rng
    suffix, content = mutated_file(rng)
    path = folder / f"fuzz.{suffix}"
    path.write_bytes(content)
    return path, rng


def _peak() -> int:
    """Peak resident bytes of this process."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def read_files(seed: int, numbers: Sequence[int], directories: bool) -> list[str]:
    """Read file after file of a seed; return what went wrong with which."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for i in numbers:
            path, rng = write_case(seed, i, Path(folder), directories=directories)
            before = _peak()
            try:
                attempt(path, rng)
            except BaseException as error:  # whatever it is, it is what is looked for
                wrong.append(f"file {i}: {type(error).__name__}: {error}"[:300])
            if _peak() - before > MEMORY:
                wrong.append(f"file {i}: memory grew by {(_peak() - before) >> 20} MiB")
    return wrong
