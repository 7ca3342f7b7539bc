"""What each shape of record means, and what is wrong with those that have none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.preferences.reading import PreferenceData, read_battles, read_preferences

SHARED = Path(__file__).parents[3] / "shared" / "data"


def jsonl(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def read(tmp_path):
    def from_records(*records: object, **options: object) -> PreferenceData:
        return read_preferences(jsonl(tmp_path / "p.jsonl", *records), **options)

    return from_records


def told(data: PreferenceData) -> list[tuple[str, str, str, int]]:
    """List each comparison as prompt, the file's first response, its second, winner."""
    c = data.comparisons
    assert np.all(c.winner >= 0)  # the preferred is a
    return [
        (data.prompts[data.prompt_of[a]], data.responses[b], data.responses[a], -int(winner))
        if swapped
        else (data.prompts[data.prompt_of[a]], data.responses[a], data.responses[b], int(winner))
        for a, b, winner, swapped in zip(c.a, c.b, c.winner, data.swapped, strict=True)
    ]


def user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def assistant(content: str) -> dict[str, str]:
    return {"role": "assistant", "content": content}


def test_explicit_prompt(read):
    data = read(
        {"prompt": "p", "chosen": "x", "rejected": "y"},
        {"prompt": "q", "chosen": "x", "rejected": "z"},
        {"prompt": "p", "chosen": "w", "rejected": "x"},
    )
    assert data.prompts == ["p", "q"]
    assert data.responses == ["x", "y", "x", "z", "w"]  # x to p and x to q are two responses
    assert data.prompt_of.tolist() == [0, 0, 1, 1, 0]
    assert told(data) == [("p", "x", "y", 1), ("q", "x", "z", 1), ("p", "w", "x", 1)]
    assert data.lines.tolist() == [1, 2, 3]
    assert data.comparisons.responses.tolist() == [0, 1, 2, 3, 4]
    assert data.comparisons.delta is None
    assert data.prompt_messages is None
    assert data.response_messages is None
    assert data.shape == "prompt/chosen/rejected texts"


def test_texts_without_prompt_are_not_cut(read):
    record = {"chosen": "The cat sat", "rejected": "The car stood"}
    with pytest.raises(InputError, match=r"no prompt column.*--no-prompt"):
        read(record)
    data = read(record, no_prompt=True)
    assert told(data) == [("", "The cat sat", "The car stood", 1)]


def test_texts_that_look_like_json_are_texts(read):
    data = read({"prompt": "print([])", "chosen": "[]", "rejected": "[1]"})
    assert told(data) == [("print([])", "[]", "[1]", 1)]


def test_repeated_comparisons_and_disagreements_are_kept(read):
    pair = {"prompt": "p", "chosen": "x", "rejected": "y"}
    data = read(pair, pair, {"prompt": "p", "chosen": "y", "rejected": "x"})
    assert data.comparisons.a.tolist() == [0, 0, 1]
    assert data.comparisons.b.tolist() == [1, 1, 0]
    assert data.responses == ["x", "y"]


def test_margin_is_a_label(read):
    sides = {"prompt": "p", "response_a": "x", "response_b": "y"}
    data = read(
        {**sides, "winner": "a", "margin": 2},
        {**sides, "winner": "b", "margin": 0.5},
        {**sides, "winner": "tie", "margin": 0},
    )
    assert data.comparisons.delta.tolist() == [2.0, 0.5, 0.0]
    assert data.comparisons.winner.tolist() == [1, 1, 0]
    assert data.swapped.tolist() == [False, True, False]


def test_transcripts(read):
    start = "\n\nHuman: Hi.\n\nAssistant: Hello.\n\nHuman: Why?\n\nAssistant:"
    data = read(
        {"chosen": f"{start} Because so.", "rejected": f"{start} Because not."},
        {"chosen": f"{start} A\n\nHuman: B\n\nAssistant: C", "rejected": start},
    )
    assert told(data) == [
        (start, " Because so.", " Because not.", 1),
        (start, " A\n\nHuman: B\n\nAssistant: C", "", 1),
    ]
    assert data.shape == "chosen/rejected transcripts"


def test_transcripts_that_share_no_turn_have_no_prompt(read):
    a, b = "\n\nHuman: A?\n\nAssistant: x", "\n\nHuman: B?\n\nAssistant: y"
    assert told(read({"chosen": a, "rejected": b})) == [("", a, b, 1)]


def test_conversations_with_prompt(read):
    data = read({"prompt": [user("p")], "chosen": [assistant("x")], "rejected": [assistant("y")]})
    assert told(data) == [("p", "x", "y", 1)]
    assert data.prompt_messages == [(("user", "p"),)]
    assert data.response_messages == [(("assistant", "x"),), (("assistant", "y"),)]


def test_conversations_with_the_prompt_inside(read):
    turns = [{"role": "system", "content": "s"}, user("p"), assistant("r"), user("q")]
    data = read(
        {"chosen": [*turns, assistant("x")], "rejected": [*turns, assistant("y")]},
        {
            "chosen": [user("p"), assistant("x")],
            "rejected": [user("p"), assistant("x"), user("and"), assistant("y")],
        },
    )
    assert told(data) == [
        ("system: s\n\nuser: p\n\nassistant: r\n\nuser: q", "x", "y", 1),
        ("p", "x", "assistant: x\n\nuser: and\n\nassistant: y", 1),
    ]


def test_prompt_as_text_and_inside(read):  # as in ultrafeedback_binarized
    data = read(
        {
            "prompt": "p",
            "chosen": [user("p"), assistant("x")],
            "rejected": [user("p"), assistant("y")],
        },
        {"prompt": "q", "chosen": [assistant("x")], "rejected": [assistant("y")]},
    )
    assert told(data) == [("p", "x", "y", 1), ("q", "x", "y", 1)]


@pytest.mark.parametrize(
    ("winner", "expected"),
    [("a", 1), ("model_a", 1), ("B", -1), ("model_b", -1), ("tie", 0), ("tie (bothbad)", 0)],
)
def test_battles(read, winner, expected):
    record = {"prompt": "p", "response_a": "x", "response_b": "y", "winner": winner}
    assert told(read(record)) == [("p", "x", "y", expected)]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        # PKU-SafeRLHF
        ({"response_0": "x", "response_1": "y", "better_response_id": 1}, -1),
        ({"response_0": "x", "response_1": "y", "better_response_id": "0"}, 1),
        # SHP
        ({"human_ref_A": "x", "human_ref_B": "y", "labels": 1}, 1),
        ({"human_ref_A": "x", "human_ref_B": "y", "labels": 0}, -1),
        ({"answer_a": "x", "answer_b": "y", "choice": "answer_b"}, -1),
        ({"completion_a": "x", "completion_b": "y", "label": "TIE"}, 0),
    ],
)
def test_battles_by_other_names(read, record, expected):
    assert told(read({"prompt": "p", **record})) == [("p", "x", "y", expected)]


def test_several_annotators_of_one_pair_are_repeated_comparisons(read):
    record = {"prompt": "p", "response_a": "x", "response_b": "y", "winner": ["a", "b", "tie", "a"]}
    data = read(record)
    assert told(data) == [("p", "x", "y", winner) for winner in (1, -1, 0, 1)]
    assert data.lines.tolist() == [1] * 4
    data = read({**record, "winner": '["a", "b"]', "margin": 2})
    assert data.comparisons.delta.tolist() == [2, 2]


def test_an_instruction_and_its_input_are_the_prompt(read):
    record = {"output_1": "x", "output_2": "y"}
    data = read(
        {"instruction": "Sort.", "input": "3 1", **record, "preference": "output_1"},
        {"instruction": "Sort.", "input": "", **record, "preference": "output_2"},
    )
    assert data.prompts == ["Sort.\n\n3 1", "Sort."]
    assert told(data) == [("Sort.\n\n3 1", "x", "y", 1), ("Sort.", "x", "y", -1)]
    assert data.report.columns["prompt"] == ["instruction", "input"]


def test_battles_of_conversations(read):
    data = read(
        {
            "model_a": "m",
            "model_b": "n",
            "conversation_a": [user("p"), assistant("x")],
            "conversation_b": [user("p"), assistant("y")],
            "winner": "model_b",
        }
    )
    assert told(data) == [("p", "x", "y", -1)]


def test_battles_of_models_alone(tmp_path):
    path = jsonl(
        tmp_path / "p.jsonl",
        {"model_a": "m", "model_b": "n", "winner": "model_a", "prompt": "p"},
        {"model_a": "n", "model_b": "m", "winner": "tie", "prompt": "q"},
    )
    assert told(read_battles(path)) == [("", "m", "n", 1), ("", "n", "m", 0)]
    # As preferences the model's name stands for what it said: no prompt is lost.
    assert told(read_preferences(path)) == [("p", "m", "n", 1), ("q", "n", "m", 0)]


def test_pairs_across_prompts(read):
    data = read(
        {"prompt_a": "p", "response_a": "x", "prompt_b": "q", "response_b": "x", "winner": "a"}
    )
    assert data.prompts == ["p", "q"]
    assert data.prompt_of.tolist() == [0, 1]


def test_a_meaning_is_one_of_the_kind_of_label(read):
    pair = {"prompt": "p", "response_a": "x", "response_b": "y", "winner": "a"}
    one = {"prompt": "p", "completion": "x", "label": "up"}
    for record, meaning in ((pair, "good"), (pair, "first"), (one, "a"), (one, "fine")):
        with pytest.raises(InputError, match=f"--winner up={meaning} .here a meaning is"):
            read(record, {**record, "completion": "y"}, winner={"up": meaning})


def test_candidates_need_no_winner(read):
    record = {"prompt": "p", "response_a": "x", "response_b": "y"}
    assert read(record, labelled=False).comparisons.winner is None
    with pytest.raises(InputError, match=r"p.jsonl:1: no column says which.*--column winner"):
        read(record)


def test_scored_responses(read):  # as in UltraFeedback
    completions = [
        {"response": "x", "overall_score": 3.0},
        {"response": "y", "overall_score": 5.0},
        {"response": "z", "overall_score": 3.0},
    ]
    data = read({"instruction": "p", "completions": completions})
    assert told(data) == [("p", "y", "x", 1), ("p", "x", "z", 0), ("p", "y", "z", 1)]
    assert data.lines.tolist() == [1, 1, 1]
    assert data.responses == ["y", "x", "z"]
    assert data.comparisons.delta is None  # scores are no margins


@pytest.mark.parametrize(
    "record",
    [
        {"responses": ["x", "y", "z"], "ranks": [2, 1, 3]},
        {"responses": ["x", "y", "z"], "ranking": [1, 0, 2]},
        {"responses": ["x", "y", "z"], "scores": [0.5, 0.75, -1]},
        {"answers": [{"answer": t, "rank": r} for t, r in (("x", 2), ("y", 1), ("z", 3))]},
    ],
)
def test_rankings(read, record):
    better = {(a, b) for _, a, b, winner in told(read({"prompt": "p", **record})) if winner == 1}
    assert better == {("y", "x"), ("y", "z"), ("x", "z")}


def test_a_ranking_lists_positions_best_first(read):
    data = read({"prompt": "p", "responses": ["x", "y", "z"], "ranking": [2, 0, 1]})
    assert {(a, b) for _, a, b, _ in told(data)} == {("z", "x"), ("z", "y"), ("x", "y")}


def test_judged_solutions(read):
    data = read(
        {
            "question": "1 + 1?",
            "truth": "2",
            "small": {"solution": "2", "is_correct": True},
            "large": {"solution": "3", "is_correct": False},
            "other": {"solution": "4", "is_correct": False},
            "again": {"solution": "2", "is_correct": True},  # a duplicate, not more evidence
        },
        {"question": "2 + 2?", "small": {"solution": "5", "is_correct": False}},
    )
    assert told(data) == [("1 + 1?", "2", "3", 1), ("1 + 1?", "2", "4", 1)]


def test_columns_are_renamed(read):
    record = {"title": "p", "good": "x", "bad": "y"}
    columns = {"prompt": "title", "chosen": "good", "rejected": "bad"}
    assert told(read(record, columns=columns)) == [("p", "x", "y", 1)]
    with pytest.raises(InputError, match="did you mean 'chosen'"):
        read(record, columns={"choosen": "good"})
    with pytest.raises(InputError, match=r"p.jsonl:1: no column 'god'; there are 'title', 'good'"):
        read(record, columns={**columns, "chosen": "god"})


def test_a_response_against_itself(read):
    same = {"prompt": "p", "chosen": "x", "rejected": "x"}
    other = {"prompt": "p", "chosen": "x", "rejected": "y"}
    with pytest.raises(InputError, match=r"p.jsonl:2: a comparison of a response with itself"):
        read(other, same, strict=True)
    data = read(same, other, other)
    assert (data.skipped, len(data.comparisons), data.lines.tolist()) == (1, 2, [2, 3])
    assert data.report.skipped == {"a comparison of a response with itself": (1,)}
    with pytest.raises(InputError, match=r"p.jsonl:1: a comparison of a response with itself"):
        read(same)
    with pytest.raises(InputError, match=r"2 of 3 rows cannot be used: 2 × a comparison of a resp"):
        read(same, other, same)


def test_contradictory_judgements_of_one_text(read):
    scored = [{"text": "x", "score": 1}, {"text": "x", "score": 2}, {"text": "y", "score": 0}]
    with pytest.raises(InputError, match="with itself"):
        read({"prompt": "p", "responses": scored}, strict=True)
    data = read({"prompt": "p", "responses": scored})
    assert told(data) == [("p", "x", "y", 1)] * 2
    assert data.skipped == 1


GOOD = {"prompt": "p", "chosen": "x", "rejected": "y"}
BATTLE = {"prompt": "p", "response_a": "x", "response_b": "y", "winner": "a"}
LISTED = {"prompt": "p", "responses": ["x", "y"], "scores": [1, 2]}
TALK = {"chosen": [user("p"), assistant("x")], "rejected": [user("p"), assistant("y")]}


@pytest.mark.parametrize(
    ("good", "odd", "problem"),
    [
        (
            GOOD,
            {"prompt": "p", "chosen": "x"},
            "no column 'rejected'; there are 'prompt', 'chosen'",
        ),
        (GOOD, {**GOOD, "chosen": None}, "chosen is null"),
        (GOOD, {**GOOD, "chosen": [True]}, "chosen is a list, not text"),
        (GOOD, {**GOOD, "chosen": ["x"]}, "chosen is a list, not text"),
        (GOOD, {**GOOD, "chosen": "\ud83d"}, "half of a surrogate pair"),
        (GOOD, BATTLE, "no column 'chosen'"),
        ({**GOOD, "margin": 1}, {**GOOD, "margin": -1}, "margin is negative"),
        ({**GOOD, "margin": 1}, {**GOOD, "margin": 10**400}, "margin is no finite number"),
        ({**GOOD, "margin": 1}, {**GOOD, "margin": True}, "margin is true or false"),
        ({**GOOD, "weight": 1}, {**GOOD, "weight": 0}, "weight is 0, not above 0"),
        (BATTLE, {**BATTLE, "winner": ""}, "winner without a label"),
        (BATTLE, {**BATTLE, "winner": None}, "winner without a label"),
        (BATTLE, {**BATTLE, "winner": []}, "winner without a label"),
        (TALK, {**TALK, "chosen": []}, "chosen is a list, not text|without messages"),
        (TALK, {**TALK, "chosen": ["x"]}, "a message in chosen is text"),
        (TALK, {**TALK, "chosen": [{"role": "user"}]}, "no column 'content'"),
        (TALK, {**TALK, "chosen": [{"role": "asistant", "content": "x"}]}, "mean 'assistant'"),
        (TALK, {**TALK, "chosen": [user("p")]}, "ends without a reply"),
        (LISTED, {**LISTED, "scores": [1]}, "1 scores for 2 responses"),
        (LISTED, {**LISTED, "scores": [1, "high"]}, "no finite number: 'high'"),
        (LISTED, {**LISTED, "responses": "xy"}, "responses is text, not a list"),
        (
            LISTED,
            {"prompt": "p", "responses": [str(i) for i in range(300)], "scores": [0] * 300},
            "300 responses to one prompt",
        ),
    ],
)
def test_an_odd_row_is_left_out_counted_and_listed(read, good, odd, problem):
    data = read(good, odd, good)
    assert data.report.skipped_rows == data.skipped == 1
    ((reason, lines),) = data.report.skipped.items()
    assert "mean" in problem or re.search(problem, reason)  # the fix is told where it refuses
    assert lines == (2,)
    assert set(data.lines.tolist()) == {1, 3}
    with pytest.raises(InputError, match=problem) as caught:
        read(good, odd, strict=True)
    assert caught.value.line == 2
    with pytest.raises(InputError, match=problem):
        read(good, odd, odd)


def test_parts_of_a_row_are_left_out(read):
    data = read({**BATTLE, "winner": ["a", None, "b"]})
    assert told(data) == [("p", "x", "y", 1), ("p", "x", "y", -1)]
    assert data.report.skipped == {"winner without a label": (1,)}
    data = read({"prompt": "p", "responses": ["x", "y", "z"], "scores": [1, None, 2]})
    assert told(data) == [("p", "z", "x", 1)]
    assert data.report.skipped == {"a response without scores": (1,)}


def test_rows_without_anything_to_compare_are_counted(read):
    data = read(LISTED, {"prompt": "p", "responses": ["x"], "scores": [1]})
    assert (data.report.idle, data.skipped) == (1, 0)


def test_a_margin_that_some_rows_lack_is_not_used(read):
    data = read({**GOOD, "margin": 1}, GOOD)
    assert data.comparisons.delta is None
    assert data.report.notes == ("margin is not used: some rows have none",)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"a": 1}, "no preferences in the columns 'a'"),
        ({}, "no preferences in the columns none"),
        ({f"c{i}x": 1 for i in range(20)}, "'c11x', … "),
        ({"chosen": "x"}, "no column 'rejected'"),
        ({"prompt": "p", "responses": []}, "no preferences"),
        ({"prompt": "p", "responses": ["x", "y"]}, "nothing says which.*--column ranked=responses"),
        ({"prompt": "p", "responses": [{"score": 1}]}, "no text in responses"),
        ({"prompt": "p", "responses": ["x", "y"], "ranking": [1, 2]}, "counted from 0"),
        ({"responses": ["x", "y"], "scores": [1, 2]}, "no prompt column"),
        ({"question": "q", "m": {"solution": "x", "is_correct": "no"}}, "not true or false"),
    ],
)
def test_a_bad_first_record(read, record, problem):
    with pytest.raises(InputError, match=problem) as caught:
        read(record)
    assert caught.value.line == 1


@pytest.mark.parametrize("record", [{**LISTED, "responses": ["x"], "scores": [1]}])
def test_no_comparisons(read, record):
    with pytest.raises(InputError, match=r"p.jsonl: no comparisons"):
        read(record)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data here")
def test_real_transcripts():
    path = SHARED / "hh_harmless.jsonl"
    data = read_preferences(path)
    records = [json.loads(line) for line in path.open(encoding="utf-8")]
    assert len(data.comparisons) == len(records) == 1500
    for record, (prompt, chosen, rejected, winner) in zip(records, told(data), strict=True):
        assert winner == 1
        assert record == {"chosen": prompt + chosen, "rejected": prompt + rejected}
        assert prompt.startswith("\n\nHuman:")
        assert prompt.endswith("\n\nAssistant:")


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data here")
def test_real_solutions():
    path = SHARED / "gsm8k_model_solutions.jsonl"
    data = read_preferences(path)
    expected = 0
    for line in path.open(encoding="utf-8"):
        solutions = [value for value in json.loads(line).values() if isinstance(value, dict)]
        right = {s["solution"] for s in solutions if s["is_correct"]}
        wrong = {s["solution"] for s in solutions if not s["is_correct"]}
        expected += len(right) * len(wrong)
    assert len(data.comparisons) == expected > 1600
    assert np.all(data.comparisons.winner == 1)
