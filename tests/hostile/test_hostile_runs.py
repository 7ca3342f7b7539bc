"""Short runs of the driver ``hostile_runs.py``, which takes all verbs by hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from hostile_runs import judged  # noqa: E402

COMPLAINT = "ibn: x.jsonl: no such file\n"


def test_hostile_files_and_options_end_in_an_answer_or_one_line():
    verbs = "convert,rank,merge,sweep,figures,check,grow"
    driver = [sys.executable, HERE / "hostile_runs.py", "--verbs", verbs]
    done = subprocess.run(
        [*driver, "--runs", "100", "--seed", "1000"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^all +100 .* 0$", done.stdout, re.M)


@pytest.mark.parametrize(
    ("words", "status", "out", "err", "fault"),
    [
        (["rank"], 2, "", COMPLAINT, ""),
        (["rank", "--json"], 0, '{"x": 1}', "x.jsonl: read 3 battles\n", ""),
        (["rank"], 99, "", "Traceback (most recent call last):\nKeyError: 1\n", "exit status 99"),
        (["rank"], 2, "", "Traceback (most recent call last):\n" + COMPLAINT, "traceback"),
        (["rank"], 2, "", COMPLAINT + COMPLAINT, "not one line"),
        (["rank"], 2, "", "", "not one line"),
        (["rank"], 0, "a\x1b[31mb", "", "control character"),
        (["rank"], 0, "", "x.py:1: RuntimeWarning: overflow\n", "warning"),
        (["rank", "--json"], 0, '{"x": NaN}', "", "no JSON"),
    ],
)
def test_a_fault_is_seen(words, status, out, err, fault):
    found = judged(words, status, 1.0, 2**20, out, err, False)
    assert bool(found) == bool(fault)
    assert not fault or any(fault in one for one in found)


def test_too_long_and_too_large_are_faults():
    assert judged(["rank"], 0, 61.0, 2**20, "", "", False) == ["61 s"]
    assert judged(["rank"], 0, 1.0, 3 * 2**30, "", "", False) == ["3.0 GiB"]
