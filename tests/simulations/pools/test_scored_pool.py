import gzip
import json

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.simulations.pools.scored_pool import read_pool


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def rows(prompts=4):
    return [
        {"prompt": f"p{i}", "response": f"r{j}", "score": 10 * i + j}
        for j in range(3)
        for i in range(prompts)
    ]


def test_responses_of_a_prompt_stand_together_and_ratings_are_averaged(tmp_path):
    more = [*rows(), {"prompt": "p1", "response": "r1", "score": 14}, {**rows()[0], "prompt": "x"}]
    pool = read_pool(write(tmp_path / "pool.jsonl", more))
    assert pool.prompts == ["p0", "p1", "p2", "p3"]
    assert pool.prompt_of.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert pool.score[4] == 12.5
    assert pool.ratings[pool.rated[4] : pool.rated[5]].tolist() == [11, 14]
    assert pool.left_out == 1


def test_columns_are_mapped_and_objects_opened(tmp_path):
    nested = [
        {"q": f"p{i}", **{f"m{j}": {"text": f"r{j}", "good": j == 0} for j in range(2)}}
        for i in range(4)
    ]
    columns = {"prompt": "q", "response": "*.text"}
    pool = read_pool(write(tmp_path / "pool.jsonl", nested), columns, "*.good")
    assert pool.score.tolist() == [1, 0] * 4


def test_a_probability_becomes_log_odds(tmp_path):
    likely = [{**row, "score": 0.75 if row["response"] == "r0" else 1.0} for row in rows()]
    pool = read_pool(write(tmp_path / "pool.jsonl", likely), link="logit")
    np.testing.assert_allclose(pool.score[:2], [np.log(3), np.log((1 - 1e-9) / 1e-9)], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"score": "good"}, {}, "pool.jsonl:1: 'score' is 'good', no number"),
        ({"score": 1e300}, {}, "pool.jsonl:1: a score of 1e"),
        ({"score": 7}, {"link": "logit"}, "pool.jsonl:1: 7 is no probability"),
        ({}, {"score": "worth"}, "pool.jsonl:1: no score column 'worth'"),
        ({"response": 3}, {}, "pool.jsonl:1: 'response' holds no text"),
        ({}, {"columns": {"response": "*.text"}}, "pool.jsonl:1: the score is 'score'"),
        ({}, {"link": "logits"}, "did you mean 'logit'"),
    ],
)
def test_bad_input_is_told_in_one_line(tmp_path, change, options, message):
    path = write(tmp_path / "pool.jsonl", [{**rows()[0], **change}, *rows()[1:]])
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        read_pool(path, **options)


def test_too_few_prompts_and_equal_scores_are_refused(tmp_path):
    with pytest.raises(InputError, match="3 prompts"):
        read_pool(write(tmp_path / "few.jsonl", rows(3)))
    with pytest.raises(InputError, match="the same"):
        read_pool(write(tmp_path / "same.jsonl", [{**row, "score": 1} for row in rows()]))


@pytest.mark.parametrize(
    ("file", "options", "counts"),
    [
        (
            "alpaca_eval_pool.jsonl.gz",
            {"score": "win_probability", "link": "logit"},
            (24389, 605),
        ),
        ("ted_zh_en_mqm.jsonl.gz", {"score": "mqm"}, (2610, 338)),
        (
            "gsm8k_model_solutions.jsonl",
            {"columns": {"response": "*.solution"}, "score": "*.is_correct"},
            (3594, 900),
        ),
    ],
)
def test_the_public_pools_are_read(shared_data, file, options, counts):
    path = shared_data / file
    opener = gzip.open if path.suffix == ".gz" else open
    texts = set()
    with opener(path, "rt") as stream:
        for line in stream:
            row = json.loads(line)
            prompt = row.get("prompt") or row["question"]
            parts = [v["solution"] for v in row.values() if isinstance(v, dict)]
            texts |= {(prompt, text) for text in parts or [row["response"]]}
    pool = read_pool(path, **options)
    assert (len(pool.responses), len(pool.prompts)) == counts
    assert len(texts) == len(pool.responses) + pool.left_out
