"""Trials of the ledger: counted, kept, and telling when a seed changes a verdict."""

import pytest
from click.testing import CliRunner

from ibn.proofs_check import stability
from ibn.proofs_check.claim import Check, Claim, Finding, as_stated
from ibn.proofs_check.stability import Trial, read, table


@pytest.fixture
def ledger(monkeypatch):
    """Put a steady claim, one that hangs on the seed and one without draws on the ledger."""
    ran = []

    def claim(name, method, verdict):
        def run(context):
            ran.append((name, context.seed))
            return Finding(verdict(context.seed), "found")

        return lambda: Claim(name, "", "", "", (), as_stated(Check("a check", method, run)))

    built = {
        "X1": claim("X1", "Monte Carlo", lambda seed: "holds"),
        "X2": claim("X2", "Monte Carlo", lambda seed: "fails" if seed == 3 else "holds"),
        "X3": claim("X3", "symbolic", lambda seed: "holds"),
    }
    monkeypatch.setattr(stability.ledger, "claims", lambda: built)
    return ran


def invoke(*args):
    return CliRunner().invoke(stability.main, [str(arg) for arg in args])


def test_a_steady_verdict_is_an_answer_of_yes(ledger):
    found = invoke("X1", "--trials", 5)
    assert found.exit_code == 0
    assert "| X1 | a check | 5 | 0 | 0 | 5/5 |" in found.output


def test_a_seed_that_changes_a_verdict_shows(ledger):
    found = invoke("--trials", 5)
    assert found.exit_code == 1
    assert "| X2 | a check | 4 | 1 | 0 | 4/5 |" in found.output
    assert "X3" not in found.output


def test_what_is_kept_is_not_run_again(ledger, tmp_path):
    store = tmp_path / "trials.csv"
    invoke("X1", "--trials", 2, "--out", store)
    first = invoke("--trials", 4, "--out", store).output
    assert sorted(ledger) == [(name, seed) for name in ("X1", "X2") for seed in range(4)]
    assert len(read(store)) == 8
    assert invoke("--trials", 4, "--out", store).output.splitlines()[-4:] == first.splitlines()[-4:]
    assert len(ledger) == 8


def test_the_table_counts():
    trials = [Trial(seed, "X1", "a", "holds", 1.0) for seed in range(3)]
    assert table([*trials, Trial(3, "X1", "a", "undecided", 1.0)]).endswith("| 3 | 0 | 1 | 3/4 |")


def test_a_claim_of_the_ledgers_own_is_steady():
    trials = [trial for seed in range(3) for trial in stability.run_seed("M1", seed, "quick")]
    assert trials
    assert {trial.verdict for trial in trials} == {"holds"}
