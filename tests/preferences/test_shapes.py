"""Every shape of record, made up and, where it was published, from the file as it is."""

from __future__ import annotations

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.preferences.reading import PreferenceData, read_battles, read_preferences


def pairs(data: PreferenceData) -> list[tuple[str, str, str, float]]:
    """List prompt, preferred response, other response and the preferred one's share."""
    c = data.comparisons
    return [
        (data.prompts[data.prompt_of[a]], data.responses[a], data.responses[b], float(share))
        for a, b, share in zip(c.a, c.b, c.preferred, strict=True)
    ]


def say(role: str, content: object) -> dict[str, object]:
    return {"role": role, "content": content}


def gpt(value: str) -> dict[str, str]:
    return {"from": "gpt", "value": value}


HUMAN = [{"from": "human", "value": "p"}]
Q = {"prompt": "p"}
ONE_HOT = {"winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0}
PARTS = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": "u"}]
CALL = [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]


@pytest.mark.parametrize(
    ("record", "better", "worse"),
    [
        ({**Q, "response_A": "x", "response_B": "y", "label": "B>A"}, "y", "x"),
        ({**Q, "response_A": "x", "response_B": "y", "label": "[[A>>B]]"}, "x", "y"),
        ({**Q, "response 1": "x", "response 2": "y", "label": "response 2"}, "y", "x"),
        ({**Q, "response_0": "x", "response_1": "y", "better_response_id": 0}, "x", "y"),
        ({"context": HUMAN, "answer_w": gpt("x"), "answer_l": gpt("y")}, "x", "y"),
        ({"conversations": HUMAN, "chosen": gpt("x"), "rejected": gpt("y")}, "x", "y"),
        ({"conversations": HUMAN, "chosen": "x", "rejected": "y"}, "x", "y"),
        ({**Q, "chosen": say("assistant", "x"), "rejected": say("assistant", "y")}, "x", "y"),
        (
            {**Q, "chosen": say("assistant", PARTS), "rejected": say("assistant", "y")},
            "x\n[image_url]",
            "y",
        ),
        ({"instruction": "p", "input": "", "output": ["x", "y"]}, "x", "y"),
        ({**Q, "ranked_responses": ["x", "y"]}, "x", "y"),
        ({**Q, "response_a": "x", "response_b": "y", "winner": "y"}, "y", "x"),
        ({**Q, "left": "x", "right": "y", "winner": "right"}, "y", "x"),
        (
            {**Q, "model_a": "m", "model_b": "n", "response_a": "x", "response_b": "y", **ONE_HOT},
            "y",
            "x",
        ),
        ({"history": "p", "human_ref_A": "x", "human_ref_B": "y", "labels": 0}, "y", "x"),
        ({**Q, "response1": "x", "response2": "y", "overall_preference": -2}, "x", "y"),
        ({**Q, "response1": "x", "response2": "y", "overall_preference": 3}, "y", "x"),
    ],
)
def test_one_pair(record, better, worse):
    assert pairs(read_preferences([record])) == [("p", better, worse, 1.0)]


TALK = [say("user", "p"), say("assistant", "x")]


@pytest.mark.parametrize(
    ("record", "better", "worse"),
    [
        ({"messages": TALK, "rejected_response": "y"}, "x", "y"),
        ({"context_messages": TALK[:1], "chosen": "x", "rejected": "y"}, "x", "y"),
        ({**Q, "response_a": "x", "response_b": "y", "rank_a": 2, "rank_b": 1}, "y", "x"),
        (
            {
                "question": {"id": "1", "full_text": "p"},
                **{"answer_0": "x", "answer_1": "y", "score_0": -0.5, "score_1": 0.5},
            },
            "y",
            "x",
        ),
        (
            {**Q, "response_1": "x", "response_2": "y", "preference.responses": ["response_2"]},
            "y",
            "x",
        ),
        ({**Q, "responses": ["x", "y"], "scores": [2, 1]}, "x", "y"),
    ],
    ids=["ms-swift", "OpenRLHF", "ranks", "WebGPT", "Argilla", "scores"],
)
def test_one_pair_more(record, better, worse):
    assert pairs(read_preferences([record])) == [("p", better, worse, 1.0)]


def test_ranks_that_are_equal_tie():
    record = {**Q, "response_a": "x", "response_b": "y", "rank_a": 1, "rank_b": 1}
    assert pairs(read_preferences([record])) == [("p", "x", "y", 0.5)]


@pytest.mark.parametrize(
    ("asked", "lists", "choice"),
    [
        (
            {"info": {"post": "p"}},
            {"summaries": [{"text": "x"}, {"text": "y"}]},
            "choice",
        ),
        (Q, {"responses": ["x", "y"]}, "chosen"),
    ],
    ids=["summarize from feedback", "chosen by number"],
)
def test_the_position_of_the_best(asked, lists, choice):
    records = [{**asked, **lists, choice: place} for place in (0, 1)]
    assert [pair[:3] for pair in pairs(read_preferences(records))] == [
        ("p", "x", "y"),
        ("p", "y", "x"),
    ]
    with pytest.raises(InputError, match=f"--column choice={choice}"):
        read_preferences([{**asked, **lists, choice: 1}])
    told = read_preferences([{**asked, **lists, choice: 1}], columns={"choice": choice})
    assert pairs(told) == [("p", "y", "x", 1.0)]
    records.append({**asked, **lists, choice: 0, next(iter(lists)): [1, {"text": "y"}]})
    if "info" in asked:
        with pytest.raises(InputError, match="3: a number, not an object with 'text'"):
            read_preferences(records, strict=True)
    with pytest.raises(InputError, match="choice"):  # 1 and 2 may be counted from 1
        read_preferences([{**asked, **lists, choice: place} for place in (1, 2)])


def message(name, parent, said, rank=None):
    row = {"message_id": name, "parent_id": parent, "text": said, "rank": rank, "lang": "en"}
    return row | {"role": "prompter" if name.startswith("q") else "assistant"}


def test_replies_in_a_tree_of_messages():
    rows = [message("q", None, "p"), message("a", "q", "y", 1), message("b", "q", "x", 0.0)]
    rows += [message("q2", "a", "more"), *(message(f"c{k}", "q2", f"z{k}", k) for k in (1, 0, 2))]
    rows += [message("q3", None, "alone"), message("d", "q3", "one", 0)]
    data = read_preferences(rows[::-1])
    assert sorted(pair[1:3] for pair in pairs(data)) == [
        ("x", "y"),
        *(("z0", "z1"), ("z0", "z2"), ("z1", "z2")),
    ]
    assert data.prompts == ["user: p\n\nassistant: y\n\nuser: more", "p"]
    assert (data.report.rows, data.report.unused) == (len(rows), ("lang",))
    orphans = [*rows, message("e1", "gone", "x", 0), message("e2", "gone", "y", 1)]
    assert read_preferences(orphans).report.skipped == {"parent_id is null": (10,)}


def test_places_within_objects_are_reported():
    answer = {"model": "m", "notes": {"by": "me"}}
    rows = [
        {**Q, "completions": [{"text": t, "score": s, **answer} for t, s in (("x", 2), ("y", 1))]}
    ]
    assert read_preferences(rows).report.unused == ("completions.model", "completions.notes")
    asked = {"question": {"full_text": "p", "id": 3}, "answer_0": "x", "answer_1": "y"}
    report = read_preferences([{**asked, "score_0": 1, "score_1": 0}]).report
    assert (report.carried, report.unused) == (("question.id",), ())


def test_a_column_a_model():
    records = [{**Q, "gpt": "x", "llama": "y", "winner": w} for w in ("gpt", "llama", "tie")]
    assert pairs(read_preferences(records)) == [
        ("p", "x", "y", 1.0),
        ("p", "y", "x", 1.0),
        ("p", "x", "y", 0.5),
    ]
    with pytest.raises(InputError):
        read_preferences([{**record, "winner": "somebody"} for record in records])


def test_texts_that_won_and_lost_keep_their_prompt():
    record = {"winner": "one long answer", "loser": "another long answer"}
    better = ("p", "one long answer", "another long answer", 1.0)
    assert pairs(read_preferences([{**Q, **record}])) == [better]
    with pytest.raises(InputError, match="--no-prompt"):
        read_preferences([record])
    names = [{"winner": "gpt", "loser": "llama"}]
    assert pairs(read_preferences(names)) == [("", "gpt", "llama", 1.0)]


def test_kto_with_the_bad_marked():
    records = [{**Q, "completion": x, "is_toxic": x == "x"} for x in ("x", "y")]
    assert pairs(read_preferences(records)) == [("p", "y", "x", 1.0)]


def test_a_probability_of_nobody_is_asked_for():
    record = {**Q, "response_a": "x", "response_b": "y", "probability": 0.9}
    with pytest.raises(InputError, match="--column probability_a=probability"):
        read_preferences([record])
    told = read_preferences([record], columns={"probability_b": "probability"})
    assert pairs(told) == [("p", "y", "x", 0.9)]


def test_a_label_that_may_name_either_side_is_asked_for():
    record = {**Q, "response_a": "x", "response_b": "y", "model_a": "B", "model_b": "A"}
    with pytest.raises(
        InputError, match=r"'a'.*also names what stands on a side.*--winner a=MEANING"
    ):
        read_preferences([{**record, "winner": "A"}])
    for meaning, better in (("a", "x"), ("b", "y")):
        told = read_preferences([{**record, "winner": "A"}], winner={"A": meaning})
        assert pairs(told)[0][1] == better


def test_true_for_the_text_is_text():
    data = read_preferences([{**Q, "chosen": True, "rejected": "y"}])
    assert data.responses == ["True", "y"]


def test_tool_calls_are_text():
    record = {**Q, "chosen": [{"role": "assistant", "content": None, "tool_calls": CALL}]}
    data = read_preferences([{**record, "rejected": [say("assistant", "y")]}])
    assert '"name": "f"' in data.responses[0]


def test_numbers_name_sides_only_where_both_occur_and_no_other():
    base = {**Q, "output_1": "x", "output_2": "y"}
    data = read_preferences([{**base, "label": label} for label in [1, 2] * 10])
    assert [pair[1] for pair in pairs(data)] == ["x", "y"] * 10
    from_0 = {**Q, "response_0": "x", "response_1": "y"}
    data = read_preferences([{**from_0, "label": label} for label in [0, 1] * 10])
    assert [pair[1] for pair in pairs(data)] == ["x", "y"] * 10
    for few in (19, 2):
        with pytest.raises(InputError, match=r"not certain.*--winner"):
            read_preferences([{**base, "label": 1 + i % 2} for i in range(few)])
    for labels in ([0, 1, 2], [1, 1], [2], [0, 1], [-1, 1], [1, 2, 3]):
        with pytest.raises(InputError, match=r"not certain.*--winner"):
            read_preferences([{**base, "label": label} for label in labels * 20])
    for names in (("output_a", "output_b"), ("output_0", "output_1")):
        renamed = {**Q, names[0]: "x", names[1]: "y"}
        with pytest.raises(InputError, match="not certain"):
            read_preferences([{**renamed, "label": label} for label in [1, 2] * 20])


def test_the_option_maps_labels():
    base = {**Q, "output_1": "x", "output_2": "y"}
    records = [{**base, "label": label} for label in (0, 1, 2, 9)]
    winner = {"0": "a", "1": "b", "2": "tie", "9": "skip"}
    data = read_preferences(records, winner=winner)
    assert [pair[1:] for pair in pairs(data)] == [("x", "y", 1), ("y", "x", 1), ("x", "y", 0.5)]
    assert data.report.skipped == {"left out as --winner says": (4,)}
    with pytest.raises(InputError, match="'9'"):
        read_preferences(records, winner={"0": "a", "1": "b", "2": "tie"})


def test_soft_labels_are_fractions_of_a_win():
    base = {**Q, "output_1": "x", "output_2": "y"}
    data = read_preferences([{**base, "preference": value} for value in (1.25, 1.9, 1.5)])
    assert [pair[1:] for pair in pairs(data)] == [
        ("x", "y", 0.75),
        ("y", "x", pytest.approx(0.9)),
        ("x", "y", 0.5),
    ]
    with pytest.raises(InputError, match="probability_a=preference"):
        read_preferences([{**base, "preference": value} for value in (0.1, 0.3, 0.7, 0.9)])
    told = read_preferences([{**base, "preference": 0.2}], columns={"probability_a": "preference"})
    assert pairs(told) == [("p", "y", "x", 0.8)]


def test_annotators_each_label_once():
    base = {**Q, "response1": "x", "response2": "y"}
    data = read_preferences(
        [{**base, "annotator1": 1, "annotator2": 2, "annotator3": 0}],
        winner={"1": "a", "2": "b", "0": "tie"},
    )
    assert data.annotators == ["annotator1", "annotator2", "annotator3"]
    assert [pair[1] for pair in pairs(data)] == ["x", "y", "x"]


def test_scores_of_single_rows():
    rows = [
        {**Q, "id": i, "response": t, "helpfulness": s}
        for i, (t, s) in enumerate(zip("xyz", (1, 3, 3), strict=True))
    ]
    with pytest.raises(InputError, match="--score helpfulness"):
        read_preferences(rows)
    data = read_preferences(rows, score="helpfulness")
    assert pairs(data) == [("p", "y", "x", 1), ("p", "z", "x", 1), ("p", "y", "z", 0.5)]


def test_unpaired_labels():
    rows = [{**Q, "completion": t, "label": t != "y"} for t in "xyz"]
    assert {pair[1:3] for pair in pairs(read_preferences(rows))} == {("x", "y"), ("z", "y")}
    with pytest.raises(InputError, match="KTO"):
        read_preferences(rows[:1])
    with pytest.raises(InputError, match="not certain which means good"):
        read_preferences([{**row, "label": int(row["label"])} for row in rows])


@pytest.mark.parametrize(
    "record",
    [
        {**Q, "completions": ["a", "b"], "labels": [True, False]},
        {"question": {"problem": "p"}, "label": {"steps": [{"completions": []}], "total_time": 1}},
        {"input": "p a ки\nb ки", "label": "p a +\nb -", "task": "GSM8K"},
    ],
    ids=["TRL", "PRM800K", "Math-Shepherd"],
)
def test_steps_are_no_answers(record):
    with pytest.raises(InputError, match=r"step-wise data.*prompt, chosen and rejected"):
        read_preferences([record])


def test_a_nested_tree_is_told_from_a_flat_one():
    with pytest.raises(InputError, match="a message a row"):
        read_preferences([{"message_tree_id": "t", "prompt": {"text": "p", "replies": []}}])


def test_prompts_are_found_joined_or_asked_for():
    pair = {"chosen": "x", "rejected": "y"}
    data = read_preferences([{"system": "Be kind to all.", "prompt": "p", **pair}])
    assert data.prompts == ["Be kind to all.\n\np"]
    assert read_preferences([{"system": "MT-1", "prompt": "p", **pair}]).prompts == ["p"]
    with pytest.raises(InputError, match=r"`?'input' looks like one.*--column prompt=input"):
        read_preferences([{"input": "What is it?", **pair}])
    assert read_preferences([{"input": "q", **pair}], columns={"prompt": "input"}).prompts == ["q"]


def test_a_prediction_is_no_label():
    row = {**Q, "response_a": "x", "response_b": "y", "probability_a": 0.9, "winner": ""}
    with pytest.raises(InputError, match="winner without a label"):
        read_preferences([row])


def test_battles():
    base = {"model_a": "m", "model_b": "n", "conversation_a": [say("assistant", "x")]}
    base["conversation_b"] = [say("assistant", "y")]
    data = read_battles([{**base, "winner": "n", "count": 3, "judge": "j"}])
    assert (pairs(data), data.annotators) == ([("", "n", "m", 1)], ["j"])
    assert data.comparisons.weight.tolist() == [3]
    scores = [{"model_a": "m", "model_b": "n", "winner": s} for s in (1.0, 0.5, 0.0)]
    assert [pair[1:] for pair in pairs(read_battles(scores))] == [
        ("m", "n", 1),
        ("m", "n", 0.5),
        ("n", "m", 1),
    ]
    with pytest.raises(InputError, match="a model without a name"):
        read_battles([{"model_a": "m", "model_b": "", "winner": "model_a"}])


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "datasets"])
def test_tables_in_memory(kind):
    library = pytest.importorskip(kind)
    rows = [
        {**Q, "response_a": t, "response_b": "y", "winner": "a", "id": i}
        for i, t in enumerate("xz")
    ]
    make = {
        "pandas": lambda: library.DataFrame(rows),
        "polars": lambda: library.DataFrame(rows),
        "pyarrow": lambda: library.Table.from_pylist(rows),
        "datasets": lambda: library.Dataset.from_list(rows),
    }[kind]
    data = read_preferences(make())
    assert pairs(data) == pairs(read_preferences(rows))
    assert [data.rows[i]["id"] for i in data.row_of[:, 0]] == [0, 1]


@pytest.mark.parametrize(
    ("name", "options", "counts"),
    [
        ("auto_j_pairwise.jsonl", {"winner": {"0": "a", "1": "b", "2": "tie"}}, (1392, "label")),
        ("instruction_preference.json", {}, (1100, None)),
        ("judgebench_gpt4o.jsonl", {}, (350, "label")),
        ("llamafactory_dpo_en.json", {}, (300, None)),
        ("llmbar_natural.json", {"columns": {"prompt": "input"}}, (100, "label")),
        ("llmfao_battles.csv", {}, (8931, "winner")),
        ("medicalgpt_dpo_zh.jsonl", {}, (500, None)),
        (
            "pandalm_testset.json",
            {"winner": {"1": "a", "2": "b", "0": "tie"}},
            (2997, "annotator1"),
        ),
        ("turbo_preferences.jsonl", {}, (16, None)),
    ],
)
def test_published_files(shared_data, name, options, counts):
    data = read_preferences(shared_data / "as_published" / name, **options)
    rows, label = counts
    each = 3 if label == "annotator1" else 1
    assert len(data.comparisons) + each * data.skipped == rows
    assert (label is None) == ("label" not in data.report.columns)
    assert np.all(data.comparisons.winner >= 0)
