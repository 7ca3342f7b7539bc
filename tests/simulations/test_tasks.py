"""Real tasks against the paper's win rates: on made-up texts, and on the data where it is there."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ibn.errors import InputError
from ibn.structure import Structure, fit_families
from simulations.tasks import (
    READERS,
    WINS,
    Row,
    agrees,
    main,
    measure,
    order_probability,
    page,
    predicted,
)

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def row(task, alpha, error=0.01, seed=0):
    cells = 2 ** np.arange(6)
    noise = np.random.default_rng(seed).normal(0.0, error, len(cells))
    value = cells**-alpha * np.exp(noise)
    structure = Structure(cells, value, np.diag((error * value) ** 2), 500)
    return Row(task, "an embedding", structure, fit_families(structure))


def three(alphas, error=0.01):
    return [
        row(task, alpha, error, i) for i, (task, alpha) in enumerate(zip(WINS, alphas, strict=True))
    ]


def test_diverse_tasks_are_those_where_the_tree_is_to_win():
    assert np.all(np.diff(predicted([0.1, 0.3, 0.5])) < 0)
    assert agrees(three([0.1, 0.3, 0.5]))
    assert not agrees(three([0.5, 0.3, 0.1]))
    assert not agrees(three([0.1, 0.5, 0.3]))


def test_the_probability_is_one_nought_or_a_guess():
    rng = np.random.default_rng(0)
    assert order_probability(three([0.1, 0.3, 0.5]), rng) > 0.99
    assert order_probability(three([0.5, 0.3, 0.1]), rng) < 0.01
    same = order_probability([row(task, 0.3, 0.05, seed=1) for task in WINS], rng)
    assert same == pytest.approx(1 / 6, abs=0.02)


def test_the_page_says_what_is_in_the_rows():
    told = page(three([0.1, 0.3, 0.5]), "the command", 0)
    assert "`the command`" in told
    assert "HH-RLHF > GSM-8K > DialogSum | yes |" in told
    assert "under 1 of 1 embeddings" in told
    assert "once in 6" in told


def made_up(folder, count=70):
    """Texts of a few words in the shapes of the three tasks' files."""
    rng = np.random.default_rng(0)

    def words():
        return " ".join(rng.choice(["red", "blue", "cat", "dog", "runs", "sleeps"], 8))

    def write(name, records):
        lines = [json.dumps(record) for record in records]
        (folder / name).write_text("\n".join(lines) + "\n")

    asked = [f"\n\nHuman: {words()} {i}?\n\nAssistant:" for i in range(count)]
    write("hh_harmless.jsonl", [{"chosen": a + " yes", "rejected": a + " no"} for a in asked])
    models = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    solved = [{model: {"solution": words()} for model in models} for _ in range(count)]
    write("gsm8k_model_solutions.jsonl", [{"question": words(), **one} for one in solved])
    write("dialogsum_dev.jsonl", [{"dialogue": words(), "summary": words()} for _ in asked])


def test_each_prompt_gives_one_response(tmp_path):
    made_up(tmp_path)
    for read in READERS.values():
        texts = read(tmp_path, np.random.default_rng(0))
        assert len(texts.prompts) == len(texts.responses) == 70
        few = texts.subset(5, np.random.default_rng(1))
        pairs = list(zip(texts.prompts, texts.responses, strict=True))
        assert all(pair in pairs for pair in zip(few.prompts, few.responses, strict=True))


def test_missing_data_is_told_in_a_line(tmp_path):
    found = CliRunner().invoke(main, ["--data", str(tmp_path), "--embedding", "words"])
    assert found.exit_code == 1
    assert "hh_harmless.jsonl: no such file" in found.output
    assert "Traceback" not in found.output


def test_too_few_responses_are_told(tmp_path):
    made_up(tmp_path, 30)
    with pytest.raises(InputError, match="too few"):
        measure(tmp_path, 500, ["TF-IDF, response"], 0, print)


@pytest.mark.skipif(not (DATA / "hh_harmless.jsonl").exists(), reason="no data")
def test_the_tasks_themselves():
    rows = measure(DATA, 260, ["TF-IDF, response"], 0, lambda line: None)
    assert [row.task for row in rows] == list(WINS)
    for one in rows:
        assert one.structure.responses == 260
        assert 0 < one.fits.power.alpha_interval[0] < one.fits.power.alpha_interval[1]
        assert np.all(np.diff(one.structure.value) < 0)
