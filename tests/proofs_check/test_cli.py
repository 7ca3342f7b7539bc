"""The verb that decides claims: its document, its table, its exit status."""

import json

import pytest
from click.testing import CliRunner

from ibn.cli import main
from ibn.proofs_check import ledger


def run(*args):
    return CliRunner().invoke(main, ["check", *args])


def test_the_document_holds_every_field_of_the_contract():
    result = run("P1", "--json")
    assert result.exit_code == 0
    (claim,) = json.loads(result.stdout)["claims"]
    assert {"id", "statement", "source", "method", "verdict", "evidence", "seconds"} <= set(claim)
    assert (claim["id"], claim["verdict"]) == ("P1", "holds")
    assert all(check["evidence"] for check in claim["evidence"])
    assert [one["reading"] for one in claim["readings"]] == ["as stated"]
    assert claim["checks"] == {"cumulants": "holds", "metric axioms": "holds"}


def test_a_changed_verdict_is_status_1(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    path.write_text('{"P1": {"verdict": "fails"}}')
    monkeypatch.setattr(ledger, "RECORD", path)
    page = tmp_path / "claims.md"
    result = run("P1", "--page", str(page))
    assert result.exit_code == 1
    assert "the verdict has changed: P1 holds, on record: fails" in result.stderr
    assert "check “cumulants”: holds, on record: none" in result.stderr
    assert "## P1" in page.read_text()
    assert run("P1", "--record").exit_code == 0


@pytest.mark.parametrize("args", [["P99"], ["P1", "--jobs", "0"], ["--profile", "huge"]])
def test_bad_usage_is_one_line(args):
    result = run(*args)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_evidence_is_printed_for_claims_that_are_named():
    shown = run("P1").stdout
    assert "The ledger" in shown
    assert "(symbolic" in " ".join(shown.split())


def test_readings_stand_below_their_claim_and_what_is_left_to_full_is_said():
    shown = " ".join(run("M1").stdout.split())
    assert "the sign of δ alone" in shown
    assert "M1, labels as the library simulates them: 4,000,000" in shown
