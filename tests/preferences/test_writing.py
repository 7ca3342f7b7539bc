"""What is written is read again, and never half written."""

from __future__ import annotations

import gzip
import json
import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.files import read_records
from ibn.preferences.reading import PreferenceData, read_preferences
from ibn.preferences.writing import comparison_records, write_preferences, write_records

SUFFIXES = ["jsonl", "json", "csv", "parquet", "jsonl.gz", "csv.gz", "json.gz", "parquet.gz"]

# Surrogates are no text; a lone NUL was no CSV before Python 3.11.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
roles = st.sampled_from(["system", "user", "assistant"])
messages = st.lists(st.tuples(roles, texts), min_size=1, max_size=3).map(tuple)


@st.composite
def preferences(draw) -> PreferenceData:
    """Draw data as reading makes them: prompts and responses in order of first appearance."""
    conversations, across, ties = (draw(st.booleans()) for _ in range(3))
    said = messages if conversations else texts
    three = st.lists(said, min_size=3, max_size=3, unique=True)
    prompts, responses = draw(three), draw(three)
    index = st.integers(0, 2)
    position: dict[tuple[int, int], int] = {}
    a, b = [], []
    for _ in range(draw(st.integers(1, 6))):
        p, q, x, y = (draw(index) for _ in range(4))
        q = q if across else p
        if (p, x) == (q, y):
            y = (y + 1) % 3
        a.append(position.setdefault((p, x), len(position)))
        b.append(position.setdefault((q, y), len(position)))
    # What begins with its prompt is read without it: that repeats the prompt.
    if conversations:
        assume(all(responses[x][: len(prompts[p])] != prompts[p] for p, x in position))
    used = list(dict.fromkeys(p for p, _ in position))
    each = {"min_size": len(a), "max_size": len(a)}
    winner = np.array(draw(st.lists(st.sampled_from([1, -1, 0][: 2 + ties]), **each)), np.int8)
    margin = draw(st.none() | st.lists(st.floats(0, 9), **each))
    return PreferenceData(
        prompts=[str(prompts[p]) for p in used],
        responses=[str(responses[x]) for _, x in position],
        prompt_of=np.array([used.index(p) for p, _ in position]),
        comparisons=Comparisons(
            np.arange(len(position)),
            np.array(a),
            np.array(b),
            delta=None if margin is None else winner * np.array(margin),
            winner=winner,
        ),
        lines=np.arange(len(a)),
        source="drawn",
        prompt_messages=[prompts[p] for p in used] if conversations else None,
        response_messages=[responses[x] for _, x in position] if conversations else None,
    )


def content(data: PreferenceData) -> tuple:
    """All that a file holds of the data, conversations as such."""
    prompts = data.prompt_messages or data.prompts
    responses = data.response_messages or data.responses
    c = data.comparisons
    return (
        prompts,
        responses,
        data.prompt_of.tolist(),
        c.a.tolist(),
        c.b.tolist(),
        None if c.winner is None else c.winner.tolist(),
        None if c.delta is None else c.delta.tolist(),
    )


def verdicts(data: PreferenceData) -> list[tuple]:
    """List prompt and text of the better and the worse response, and by how much."""
    prompts, responses, prompt_of, a, b, winner, delta = content(data)
    sides = zip(a, b, winner, delta or [0] * len(a), strict=True)
    ordered = [(i, j, abs(w), abs(d)) if w >= 0 else (j, i, 1, abs(d)) for i, j, w, d in sides]
    return [
        (prompts[prompt_of[i]], responses[i], prompts[prompt_of[j]], responses[j], w, d)
        for i, j, w, d in ordered
    ]


@pytest.mark.parametrize("suffix", SUFFIXES[:5])
@settings(max_examples=20, deadline=None)
@given(data=preferences())
def test_preferences_are_read_again(tmp_path_factory, suffix, data):
    path = tmp_path_factory.mktemp("round") / f"p.{suffix}"
    assert write_preferences(path, data, labelled=True) == 0
    assert verdicts(read_preferences(path)) == verdicts(data)
    clear = np.flatnonzero(data.comparisons.winner)
    if not len(clear):
        with pytest.raises(InputError, match=r"all comparisons are ties.*--labelled"):
            write_preferences(path, data)
    elif any(p != q for p, q in data.prompt_of[[data.comparisons.a, data.comparisons.b]].T):
        with pytest.raises(InputError, match=r"across prompts.*--labelled"):
            write_preferences(path, data)
    else:
        assert write_preferences(path, data) == len(data.comparisons) - len(clear)
        assert verdicts(read_preferences(path)) == [v for v in verdicts(data) if v[4]]


@pytest.mark.parametrize("suffix", SUFFIXES[:5])
@settings(max_examples=10, deadline=None)
@given(data=preferences())
def test_comparisons_are_read_again(tmp_path_factory, suffix, data):
    path = tmp_path_factory.mktemp("round") / f"next.{suffix}"
    pairs = np.column_stack([data.comparisons.a, data.comparisons.b])
    write_records(path, comparison_records(data, pairs))
    again = read_preferences(path, labelled=False)
    assert content(again)[:5] == content(data)[:5]
    assert again.comparisons.winner is None


def drawn(winner: list[int], prompt_of: list[int]) -> PreferenceData:
    """Two comparisons among three responses."""
    responses = np.arange(3)
    a, b = np.array([0, 0]), np.array([1, 2])
    return PreferenceData(
        prompts=["p", "q"],
        responses=["x", "y", "z"],
        prompt_of=np.array(prompt_of),
        comparisons=Comparisons(responses, a, b, winner=np.array(winner, dtype=np.int8)),
        lines=np.arange(2),
        source="drawn",
    )


@pytest.mark.parametrize(
    ("winner", "prompt_of", "columns"),
    [
        ([1, -1], [0, 0, 0], ["prompt", "chosen", "rejected"]),
        ([1, 0], [0, 0, 0], ["prompt", "response_a", "response_b", "winner"]),
        ([1, 1], [0, 0, 1], ["prompt_a", "response_a", "prompt_b", "response_b", "winner"]),
    ],
)
def test_columns(tmp_path, winner, prompt_of, columns):
    labelled = "winner" in columns
    write_preferences(tmp_path / "p.jsonl", drawn(winner, prompt_of), labelled=labelled)
    assert [list(record) for _, record in read_records(tmp_path / "p.jsonl")] == [columns] * 2


def test_the_better_response_is_chosen(tmp_path):
    write_preferences(tmp_path / "p.jsonl", drawn([1, -1], [0, 0, 0]))
    assert [json.loads(line) for line in (tmp_path / "p.jsonl").open()] == [
        {"prompt": "p", "chosen": "x", "rejected": "y"},
        {"prompt": "p", "chosen": "z", "rejected": "x"},
    ]


def test_labels_may_be_continuous_only(tmp_path):
    data = drawn([1, 1], [0, 0, 0])
    c = data.comparisons.labelled(delta=np.array([0.5, -2.0]))
    labelled = PreferenceData(data.prompts, data.responses, data.prompt_of, c, data.lines, "")
    write_preferences(tmp_path / "p.jsonl", labelled)
    again = read_preferences(tmp_path / "p.jsonl")
    assert [again.responses[i] for i in again.comparisons.a] == ["x", "z"]
    assert again.comparisons.delta.tolist() == [0.5, 2.0]
    without = PreferenceData(
        data.prompts, data.responses, data.prompt_of, c.labelled(), data.lines, ""
    )
    with pytest.raises(InputError, match="without labels"):
        write_preferences(tmp_path / "p.jsonl", without)


def test_the_same_records_give_the_same_bytes(tmp_path):
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_records(tmp_path / name, [{"prompt": "p"}])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == b'{"prompt": "p"}\n'


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_fails_leaves_the_old_file(tmp_path, suffix):
    def records():
        yield {"prompt": "new"}
        yield {"prompt": "\ud83d"}  # half of a surrogate pair

    path = tmp_path / f"p.{suffix}"
    write_records(path, [{"prompt": "old"}])
    with pytest.raises(InputError, match="cannot be written"):
        write_records(path, records())
    assert [record for _, record in read_records(path)] == [{"prompt": "old"}]
    assert os.listdir(tmp_path) == [path.name]


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "dir.jsonl").mkdir()
    for path, problem in [
        (tmp_path / "none" / "p.jsonl", r"no such directory \(make it first\)"),
        (tmp_path / "file" / "p.jsonl", "no such directory"),
        (tmp_path / "dir.jsonl", "cannot be written: is a directory"),
        (tmp_path / "p.txt", "unknown file format"),
    ]:
        with pytest.raises(InputError, match=problem):
            write_records(path, [{"prompt": "p"}])
    assert sorted(os.listdir(tmp_path)) == ["dir.jsonl", "file"]
