import json
from pathlib import Path

import pytest
from preferences.independent_counts import (
    POOLS,
    READERS,
    Comparison,
    Skipped,
    as_read,
    auto_j,
    count,
    digest,
    hh,
    pandalm,
    records,
)

import ibn

DATA = Path(__file__).parents[3] / "shared" / "data"
# What the reader must be told of a file.
OPTIONS: dict[str, dict] = {
    "as_published/llmbar_natural.json": {"columns": {"prompt": "input"}},
    "as_published/auto_j_pairwise.jsonl": {"winner": {"0": "a", "1": "b", "2": "tie"}},
    "as_published/pandalm_testset.json": {"winner": {"1": "a", "2": "b", "0": "tie"}},
    "alpaca_eval_pool.jsonl.gz": {"score": "win_probability"},
    "ted_zh_en_mqm.jsonl.gz": {"score": "mqm"},
}


def test_a_digest_says_which_response_is_better():
    assert digest("q", "x", "y", 1.0) == digest("q", "y", "x", 0.0)
    assert digest("q", "x", "y", 1.0) != digest("q", "x", "y", 0.0)
    assert digest("q", "x", "y", 0.5) == digest("q", "y", "x", 0.5)
    assert digest("q", "x", "y", 0.7) == digest("q", "x", "y", 1.0)


def test_a_digest_does_not_know_how_turns_are_joined():
    turns = "\n\nHuman: one\n\nAssistant: two\n\nHuman: three"
    assert digest(turns, "x", "y", 1.0) == digest("one\ntwo\nthree", "x", "y", 1.0)


def test_counts_of_made_up_rows():
    row = {"prompt": "q", "response 1": "x", "response 2": "y"}
    rows = [row | {"label": label} for label in (0, 1, 2)] + [row | {"response 2": "x", "label": 2}]
    counts = count(auto_j(rows))
    assert (counts["comparisons"], counts["prompts"], counts["responses"]) == (3, 1, 2)
    assert (counts["ties"], counts["skipped"]) == (1, {"identical responses": [4]})
    wins = [digest("q", "x", "y", share) for share in (1.0, 0.0, 0.5)]
    assert counts["pairs"] == sorted(wins)


def test_three_annotators_are_three_comparisons():
    row = {"instruction": "do", "input": "", "response1": "x", "response2": True}
    row |= {"annotator1": 1, "annotator2": 2, "annotator3": 0}
    found = list(pandalm([row]))
    assert [one.share for one in found] == [1.0, 0.0, 0.5]
    assert found[0] == Comparison("do", "x", "True", 1.0, 1)


def test_transcripts_that_part_early_share_the_prompt_before():
    before = "\n\nHuman: q\n\nAssistant:"
    row = {"chosen": f"{before} x\n\nAssistant: z", "rejected": f"{before} y"}
    same = {"chosen": f"{before} x", "rejected": f"{before} x "}
    found = list(hh([row, same]))
    assert found[0] == Comparison("\n\nHuman: q", " x\n\nAssistant: z", " y", 1.0, 1)
    assert found[1] == Skipped("identical responses", 2)


def test_records_of_each_format(tmp_path):
    rows = [{"a": "1", "b": "x\ny"}, {"a": "2", "b": ""}]
    (tmp_path / "f.json").write_text(json.dumps(rows))
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    (tmp_path / "f.csv").write_text('a,b\n1,"x\ny"\n2,\n')
    for name in ("f.json", "f.jsonl", "f.csv"):
        assert records(tmp_path / name) == rows


@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not beside this checkout")
@pytest.mark.parametrize(
    "name", [*READERS, *(pytest.param(name, marks=pytest.mark.slow) for name in POOLS)]
)
def test_the_reader_agrees_pair_by_pair(name):
    battles = name.endswith("battles.csv")
    counted = count((READERS | POOLS)[name](records(DATA / name)))
    data = ibn.read_preferences(DATA / name, **OPTIONS.get(name, {}))
    read = count(as_read(data, with_prompts=not battles))
    for what in ("comparisons", "prompts", "responses", "ties", "pairs"):
        assert read[what] == counted[what], what
