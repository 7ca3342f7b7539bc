"""Short runs of the driver ``hostile_runs.py``, which takes all verbs by hand."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_hostile_files_and_options_end_in_an_answer_or_one_line():
    verbs = "convert,rank,merge,sweep,figures,check,grow"
    driver = [sys.executable, HERE / "hostile_runs.py", "--verbs", verbs]
    done = subprocess.run(
        [*driver, "--runs", "100", "--seed", "1000"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^all +100 .* 0$", done.stdout, re.M)
