import json
import sys
from pathlib import Path

import pytest

from ibn.simulations.pools.measuring import load_prepared

sys.path.insert(0, str(Path(__file__).parents[1] / "pools"))
from made_up import write_pool

SMALL = ("--n", "20,60", "--agreement", "0.75,0.9", "--features", "tfidf,plain", "--seeds", "2")


def test_a_pool_is_decided_resumed_and_the_same_whatever_the_workers(ibn, tmp_path):
    pool = write_pool(tmp_path / "pool.jsonl")
    status, said, err = ibn("validate", "--pool", pool, *SMALL, "--out", tmp_path / "a", "--json")
    assert status == 0, err
    found = json.loads(said)
    assert found["responses"] == 144
    assert found["seeds"] == 2
    assert {row["topology"] for row in found["spent"]} >= {"chain", "prompts/2"}
    assert {row["learner"] for row in found["penalties"]} >= {"evidence", "cv", "own", "own-cv"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in found["compared"])
    chain = [r for r in found["compared"] if r["topology"] == "chain"]
    assert all(r["difference"]["value"] == 0 for r in chain)
    assert json.loads((tmp_path / "a" / "pool.json").read_text()) == found
    (next(p for p in (tmp_path / "a").glob("*.npz") if p.name != "prepared.npz")).unlink()
    again = ibn("validate", "--pool", pool, *SMALL, "--out", tmp_path / "a", "--json")
    assert json.loads(again[1]) == found
    other = ("validate", "--pool", pool, *SMALL, "--jobs", "2", "--out", tmp_path / "b", "--json")
    assert json.loads(ibn(*other)[1]) == found


def test_a_folder_keeps_to_its_pool_and_bad_usage_is_told_in_one_line(ibn, tmp_path):
    pool = write_pool(tmp_path / "pool.jsonl", prompts=6, responses=3)
    out = ("--out", tmp_path / "out")
    for arguments, message in (
        (("--pool", pool, "gsm8k"), "one of the two"),
        ((), "one of the two"),
        (("gsm8k",), "a TASK needs --data"),
        (("--pool", pool, "--agreement", "0.3"), "a share between 0.5 and 1"),
        (("--pool", pool, "--agreement", "own"), "no response has two ratings"),
        (("--pool", pool, "--features", "tfidff"), "unknown features 'tfidff'"),
        (("--pool", pool, "--features", "given"), "--embeddings E.npy"),
        (("--pool", pool, "--n", "ten"), "no list of whole numbers"),
        (("--pool", pool, "--n", "1e99"), "from 8 to 1,000,000"),
        (("--pool", pool, "--n", "1e999"), "from 8 to 1,000,000"),
        (("--pool", pool, "--seeds", "1"), "one seed gives no interval"),
        (("--pool", tmp_path / "none.jsonl"), "no such file"),
    ):
        status, _, err = ibn("validate", *arguments, *out)
        assert status == 2
        assert message in err.splitlines()[-1]


@pytest.mark.parametrize("features", ["tfidf", "plain"])
def test_another_pool_is_refused(ibn, tmp_path, features):
    small = ("--n", "8", "--agreement", "0.75", "--features", features, "--seeds", "2")
    one = write_pool(tmp_path / "one.jsonl", prompts=6, responses=3)
    two = write_pool(tmp_path / "two.jsonl", prompts=6, responses=3, seed=1)
    assert ibn("validate", "--pool", one, *small, "--out", tmp_path / "out", "--json")[0] == 0
    status, _, err = ibn("validate", "--pool", two, *small, "--out", tmp_path / "out", "--json")
    assert status == 2
    assert "begun with another pool" in err


def test_a_damaged_file_is_named(ibn, tmp_path):
    pool = write_pool(tmp_path / "pool.jsonl", prompts=8, responses=4)
    command = ("validate", "--pool", pool, "--n", "20", "--features", "plain", "--seeds", "2")
    assert ibn(*command, "--out", tmp_path)[0] == 0
    for path in (next(tmp_path.glob("[!p]*.npz")), tmp_path / "prepared.npz"):
        kept = path.read_bytes()
        half = len(kept) // 2
        for spoilt in (b"", kept[:half], kept[:half] + bytes(9) + kept[half + 9 :]):
            path.write_bytes(spoilt)
            load_prepared.cache_clear()
            status, _, err = ibn(*command, "--out", tmp_path)
            assert status == 2
            assert f"{path.name}: a damaged file (remove it" in err
        path.write_bytes(kept)
