import random

import pytest

from benchmarks.endurance import answers, tasks, trial
from ibn.simulations.sweeping.sweep import run


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_sweep_loses_and_repeats_nothing(tmp_path, jobs):
    run(tasks(60), tmp_path / "whole.csv")
    kills = 0
    while not kills:  # a sweep may end before it can be killed
        (tmp_path / "s.csv").unlink(missing_ok=True)
        kills = trial(tmp_path / "s.csv", 60, jobs, random.Random(jobs)).kills
        assert answers(tmp_path / "s.csv") == answers(tmp_path / "whole.csv")
