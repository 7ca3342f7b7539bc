"""Short runs of the drivers ``killing.py`` and ``same_bytes.py``, which take all verbs by hand."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("openai")  # what the drivers set up is grown from a server
sys.path.insert(0, str(Path(__file__).parent))
import killing
import same_bytes


def test_a_killed_verb_leaves_nothing_half():
    tally = killing.campaign(6, seed=1, only="convert,merge")
    assert sum(tally.kills.values()) >= 6
    assert not tally.faults


def test_outputs_do_not_depend_on_threads_workers_or_hashes():
    rows = same_bytes.compare("convert")
    assert rows
    assert [row for row in rows if not row[2]] == []
