"""What Coq has checked: the build, the record, and what the ledger says of both."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from ibn.cli import main
from ibn.proofs_check import formal_build, ledger, machine_checked
from ibn.proofs_check.formal_build import build, differences, headed, in_order
from ibn.proofs_check.formal_page import markdown
from ibn.proofs_check.machine_checked import FOLDER, TRUSTED, checked, hashes, is_stale, proving

needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="there is no coqc")


@pytest.fixture
def copied(tmp_path):
    """Return a copy of the proofs and their record."""
    return shutil.copytree(FOLDER, tmp_path / "formal")


@needs_coq
@pytest.mark.slow
def test_coq_proves_what_is_on_record():
    assert differences(build(), checked()) == []


@needs_coq
def test_a_false_theorem_is_not_built(copied):
    (copied / "_CoqProject").write_text("-Q . Ibn\nFalse.v\n")
    (copied / "False.v").write_text("Theorem two : 1 + 1 = 3.\nProof. reflexivity. Qed.\n")
    with pytest.raises(formal_build.InputError, match="Coq does not accept it"):
        build(copied)


@needs_coq
def test_a_theorem_that_rests_on_an_axiom_of_its_own_is_not_built(copied):
    (copied / "_CoqProject").write_text("-Q . Ibn\nAssumed.v\n")
    (copied / "Assumed.v").write_text(
        "Axiom easy : 1 + 1 = 3.\n\n(** claim: P1\n    says: So.\n    tex: 1 *)\n"
        "Theorem two : 1 + 1 = 3.\nProof.\n  exact easy.\nQed.\n"
    )
    with pytest.raises(formal_build.InputError, match="two takes easy on trust"):
        build(copied)


def test_the_record_is_that_of_the_sources():
    assert not is_stale()
    assert hashes() == checked().sources
    assert sorted(in_order(FOLDER)) == sorted(hashes())


def test_a_changed_source_makes_the_record_stale(copied, monkeypatch):
    record = copied / "checked.json"
    assert not is_stale(record)
    monkeypatch.setattr(machine_checked, "RECORD", record)
    monkeypatch.setattr(machine_checked.is_stale, "__defaults__", (record,))
    assert proving("P1", "metric axioms")
    source = copied / "Networks.v"
    source.write_text(source.read_text() + "\n")
    assert is_stale(record)
    assert not proving("P1", "metric axioms")
    result = CliRunner().invoke(main, ["check", "P1"])
    assert "The proofs have changed since Coq checked them" in result.stderr
    assert "machine-checked" not in result.stdout


def test_an_installation_without_sources_trusts_the_record(copied):
    for source in copied.glob("*.v"):
        source.unlink()
    assert not is_stale(copied / "checked.json")


def test_nothing_is_taken_on_trust_in_the_sources():
    for source in FOLDER.glob("*.v"):
        text = re.sub(r"\(\*.*?\*\)", "", source.read_text(), flags=re.S)
        words = set(re.findall(r"\w+", text))
        forbidden = {
            "Admitted",
            "admit",
            "Axiom",
            "Axioms",
            "Parameter",
            "Parameters",
            "Conjecture",
        }
        assert not words & {*forbidden, "give_up", "Unset", "bypass_check"}, source.name
    assert {axiom for one in checked().theorems for axiom in one.axioms} <= set(TRUSTED)


def test_every_theorem_on_record_is_of_a_claim_and_its_checks():
    names = [one.name for one in checked().theorems]
    assert names == [one.name for one in headed(FOLDER)]
    assert len(names) == sum(x.read_text().count("claim: ") for x in FOLDER.glob("*.v"))
    assert len(set(names)) == len(names)
    claims = ledger.claims()
    for one in checked().theorems:
        proved = {*one.checks, *one.parts}
        assert proved <= {check.name for check in claims[one.claim]().checks}, one.name
        assert one.says
        assert one.tex
        assert not (one.mutant and proved)


def test_every_claim_that_is_machine_checked_has_a_mutant_that_is_refuted():
    proved = {one.claim for one in checked().theorems if one.checks or one.parts}
    refuted = [one for one in checked().theorems if one.mutant]
    assert proved == {one.claim for one in refuted}
    assert all("~" in one.statement for one in refuted)


def test_the_ledger_says_what_is_machine_checked():
    shown = " ".join(CliRunner().invoke(main, ["check", "P1"]).stdout.split())
    assert "metric axioms (exhaustive, machine-checked)" in shown
    assert "cumulants (symbolic, machine-checked in part)" in shown
    assert "ClassicalDedekindReals.sig_forall_dec" in shown
    document = json.loads(CliRunner().invoke(main, ["check", "P1", "--json"]).stdout)
    found = {one["check"]: one["machine_checked"] for one in document["claims"][0]["evidence"]}
    assert [one["theorem"] for one in found["cumulants"]] == ["p1_variances_add"]


def test_the_page_is_that_of_the_record():
    page = Path(__file__).parents[2] / "docs" / "machine_checked.md"
    assert page.read_text() == markdown(checked())
    for one in checked().theorems:
        assert one.statement in page.read_text()


def test_another_version_of_coq_may_print_in_its_own_way():
    then = checked()
    first, *rest = then.theorems
    other = replace(first, statement="forall x, …", axioms=())
    now = replace(then, theorems=(other, *rest))
    assert differences(now, then) == [first.name]
    assert differences(replace(now, coq="99"), then) == []
    assert differences(replace(now, coq="99", theorems=tuple(rest)), then) == [first.name]


def test_the_command_names_what_is_not_as_on_record(monkeypatch):
    then = checked()
    monkeypatch.setattr(formal_build, "build", lambda: replace(then, sources={"New.v": "0"}))
    result = CliRunner().invoke(formal_build.main)
    assert result.exit_code == 1
    assert "not as on record: New.v" in result.stderr
    assert then.theorems[0].name in result.stdout
    monkeypatch.setattr(formal_build, "build", lambda: then)
    assert CliRunner().invoke(formal_build.main).exit_code == 0


def test_without_coq_the_command_says_so_in_one_line(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = CliRunner().invoke(formal_build.main)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "ibn: there is no coqc (apt-get install coq)",
    ]


def test_a_damaged_record_is_one_line(tmp_path):
    (tmp_path / "checked.json").write_text("{")
    with pytest.raises(formal_build.InputError, match="cannot be read"):
        checked(tmp_path / "checked.json")
