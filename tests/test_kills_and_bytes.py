"""Short runs of the drivers ``killing.py`` and ``same_bytes.py``."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import killing
import same_bytes


@pytest.mark.parametrize(
    ("kills", "only"), [(6, "convert,merge"), pytest.param(24, "", marks=pytest.mark.slow)]
)
def test_a_killed_verb_leaves_nothing_half(kills, only):
    tally = killing.campaign(kills, seed=1, only=only)
    assert sum(tally.kills.values()) >= kills
    assert not tally.faults


@pytest.mark.parametrize(
    "only", ["convert", pytest.param("audit,plan,rank,sweep,grow", marks=pytest.mark.slow)]
)
def test_outputs_do_not_depend_on_threads_workers_or_hashes(only):
    rows = same_bytes.compare(only)
    assert rows
    assert [row for row in rows if not row[2]] == []
