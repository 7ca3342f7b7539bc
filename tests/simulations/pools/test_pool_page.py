"""The page is what the command writes of what is on record, and the other code agrees."""

import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.pool_twin import main as twin
from ibn.simulations import recorded
from ibn.simulations.pools import pool_page

ROOT = Path(__file__).parents[3]
FOUND = [recorded.load(path.stem) for path in recorded.files("pool-")]


def test_the_page_is_what_the_command_writes():
    printed = CliRunner().invoke(pool_page.main, [], catch_exceptions=False).output
    assert (ROOT / "docs" / "responses.md").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize("document", FOUND, ids=lambda one: one["pool"])
def test_what_is_on_record_is_whole(document):
    assert document["seeds"] >= 20
    for table in ("compared", "wins", "penalties", "spent", "across", "noise"):
        for row in document[table]:
            assert row["low"] <= row["value"] <= row["high"], row
    for row in document["wins"]:
        if row["kind"] != "regret":
            assert 0 <= row["value"] <= 1
    for row in document["predicted"]:
        assert math.isclose(sum(row["each"]) / len(row["each"]), row["value"], abs_tol=2e-3)


@pytest.mark.slow
def test_the_second_implementation_agrees(shared_data):
    arguments = [
        shared_data / "gsm8k_model_solutions.jsonl",
        *("--prompt", "question", "--response", "*.solution", "--score", "*.is_correct"),
        *("--beside", recorded.FOLDER / "pool-gsm8k_model_solutions.json"),
    ]
    done = CliRunner().invoke(twin, list(map(str, arguments)), catch_exceptions=False)
    apart = [float(line.split(": ")[1].split()[0]) for line in done.output.splitlines()]
    assert len(apart) == 3
    assert all(abs(one) <= 2 for one in apart)
