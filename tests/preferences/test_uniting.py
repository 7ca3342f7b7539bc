"""Several preference files over one list of responses."""

import json

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.preferences.reading import read_preferences
from ibn.preferences.uniting import concatenate, unite


def read(tmp_path, name, records, **options):
    path = tmp_path / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return read_preferences(path, **options)


def told(data):
    """What each comparison says, as text."""
    return [
        (data.prompts[data.prompt_of[a]], data.responses[a], data.responses[b])
        for a, b in zip(data.comparisons.a, data.comparisons.b, strict=True)
    ]


def test_responses_are_told_apart_by_prompt_and_keep_their_order(tmp_path):
    first = read(
        tmp_path,
        "first.jsonl",
        [
            {"prompt": "p", "chosen": "x", "rejected": "y"},
            {"prompt": "q", "chosen": "x", "rejected": "z"},
        ],
    )
    second = read(
        tmp_path,
        "second.jsonl",
        [
            {"prompt": "r", "response_a": "y", "response_b": "x"},
            {"prompt": "p", "response_a": "w", "response_b": "x"},
            {"prompt": "q", "response_a": "w", "response_b": "z"},
        ],
        labelled=False,
    )
    one, two = unite(first, second)
    assert one.prompts == two.prompts == ["p", "q", "r"]
    assert one.responses == ["x", "y", "x", "z", "y", "x", "w", "w"]
    assert one.responses[: len(first.responses)] == first.responses
    np.testing.assert_array_equal(one.prompt_of, [0, 0, 1, 1, 2, 2, 0, 1])
    assert told(one) == told(first)
    assert told(two) == told(second)
    again, same = unite(one, two)
    assert (again.responses, told(same)) == (one.responses, told(two))


def test_concatenated_labels(tmp_path):
    first = read(
        tmp_path, "a.jsonl", [{"prompt": "p", "chosen": "x", "rejected": "y", "margin": 2.0}]
    )
    second = read(
        tmp_path,
        "b.jsonl",
        [{"prompt": "p", "response_a": "x", "response_b": "y", "winner": w} for w in ("b", "tie")],
    )
    both = concatenate(first, second)
    assert told(both) == [("p", "x", "y"), ("p", "y", "x"), ("p", "x", "y")]
    assert both.comparisons.winner.tolist() == [1, 1, 0]
    assert both.swapped.tolist() == [False, True, False]
    assert (both.report.rows, both.report.comparisons, both.report.ties) == (3, 3, 1)
    assert both.comparisons.delta is None
    np.testing.assert_array_equal(concatenate(first, first).comparisons.delta, [2.0, 2.0])


def test_conversations_unite_with_conversations_alone(tmp_path):
    def say(text):
        return [{"role": "assistant", "content": text}]

    prompt = [{"role": "user", "content": "p"}]
    first = read(
        tmp_path, "a.jsonl", [{"prompt": prompt, "chosen": say("x"), "rejected": say("y")}]
    )
    second = read(
        tmp_path, "b.jsonl", [{"prompt": prompt, "chosen": say("z"), "rejected": say("x")}]
    )
    united, _ = unite(first, second)
    assert united.responses == ["x", "y", "z"]
    assert united.response_messages == [(("assistant", text),) for text in "xyz"]
    texts = read(tmp_path, "c.jsonl", [{"prompt": "p", "chosen": "x", "rejected": "y"}])
    with pytest.raises(InputError, match=r"c.jsonl: texts, but .*a.jsonl holds conversations"):
        unite(first, texts)
