"""What verdicts rest on is broken, and the checks named for it notice."""

import pytest
from click.testing import CliRunner

from ibn.proofs_check import ledger, mutants
from ibn.proofs_check.broken_library import BREAKAGES, Breakage
from ibn.proofs_check.mutants import Catch, main, run_all, table, together
from ibn.theory import rates

KNOWN = mutants.mutants()
QUICK = [name for name, mutant in KNOWN.items() if not mutant.slow]


def test_there_are_mutants_of_every_claim_and_of_the_library():
    assert {mutant.claim for mutant in KNOWN.values()} == set(ledger.claims())
    assert len(BREAKAGES) >= 40
    assert len({one.changes for one in BREAKAGES}) >= 30


def test_a_mutant_names_checks_that_its_claim_has():
    for mutant in KNOWN.values():
        assert set(mutant.checks) <= {check.name for check in mutant.build().checks}, mutant.name


@pytest.mark.parametrize("share", range(4))
def test_quick_mutants_are_caught(share):
    missed = [catch for catch in run_all(QUICK[share::4]) if not catch.caught]
    assert missed == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    together(name for name in KNOWN if name not in QUICK),
    ids=lambda names: "; ".join(names),
)
def test_slow_mutants_are_caught(names):
    missed = [catch for catch in run_all(names) if not catch.caught]
    assert missed == []


def test_a_mutant_that_changes_nothing_is_not_caught(monkeypatch):
    idle = Breakage("P5: nothing", "ibn.theory.rates:claimed", lambda right: right, ())
    named = mutants.Mutant(
        idle.name, ("the library's formula",), ledger.claims()["P5"], idle.changes, idle.apply
    )
    monkeypatch.setattr(mutants, "mutants", lambda: {idle.name: named})
    (catch,) = run_all([idle.name])
    assert not catch.caught
    assert table([catch]).endswith("| NO |")


def test_a_mutant_of_the_library_is_alone():
    shared = {name for names in together(KNOWN) if len(names) > 1 for name in names}
    assert shared
    assert not any(KNOWN[name].changes for name in shared)


def test_the_library_is_whole_again_afterwards():
    right = rates.claimed
    list(run_all(["P5: the table's rates times n"]))
    assert rates.claimed is right


def test_the_command_prints_the_table_and_says_no_when_one_slips_through(monkeypatch):
    found = CliRunner().invoke(main, ["P5: log log n dropped"])
    assert found.exit_code == 0
    assert "1 of 1 mutants caught" in found.output
    slipped = Catch("P5: log log n dropped", {"x": "holds"}, {"x": "holds"})
    monkeypatch.setattr(mutants, "run_all", lambda names, jobs: [slipped])
    assert CliRunner().invoke(main, ["P5: log log n dropped"]).exit_code == 1
