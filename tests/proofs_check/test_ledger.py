"""The ledger as a whole: claims found, verdicts drawn, the record kept and held against."""

import json
import re
from importlib import import_module

import pytest

from ibn.errors import InputError
from ibn.proofs_check import ledger
from ibn.proofs_check.claim import Check, Claim, Context, Finding, decide
from ibn.proofs_check.claims_page import markdown


def claim_of(*verdicts):
    checks = tuple(
        Check(str(i), "exhaustive", lambda _, v=verdict: Finding(v, f"found | {v}", {"n": 1}))
        for i, verdict in enumerate(verdicts)
    )
    return Claim("X1", "a statement", "x = 1", "this project", ("assumed",), checks)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "undecided"], "undecided"),
        (["undecided", "fails", "holds"], "fails"),
    ],
)
def test_a_verdict_follows_from_its_checks(verdicts, expected):
    assert decide(claim_of(*verdicts), Context()).verdict == expected


def test_streams_differ_by_check_and_seed_alone():
    streams = [("quick", 0, "a"), ("full", 0, "a"), ("quick", 0, "b"), ("quick", 1, "a")]
    draws = [Context(profile, seed).rng(name).random() for profile, seed, name in streams]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_every_claim_is_complete_and_on_record():
    built = {name: build() for name, build in ledger.claims().items()}
    assert set(ledger.recorded()) == set(built)
    for name, claim in built.items():
        assert claim.id == name
        assert claim.statement
        assert claim.latex
        assert claim.checks
        assert len({check.name for check in claim.checks}) == len(claim.checks)


def test_formulas_run_no_spacing_into_the_letter_behind():
    for name, build in ledger.claims().items():
        assert not re.search(r"\\q?quad[A-Za-z]", build().latex), name


def test_every_claim_has_a_wrong_variant():
    """What test_claims.py then refutes."""
    levels = [import_module(f"ibn.proofs_check.{name}") for name in ledger.LEVELS]
    varied = {name.split(":")[0] for level in levels for name in level.MUTANTS}
    assert varied == set(ledger.claims())


def test_unknown_claims_are_told():
    assert ledger.select(["p1"]) == ["P1"]
    assert ledger.select([]) == list(ledger.claims())
    with pytest.raises(InputError, match=r"unknown claim 'P11'.*did you mean 'P1'"):
        ledger.select(["P11"])


def test_processes_make_no_difference():
    def found(jobs):
        return [
            (v.claim.id, v.verdict, v.findings) for v in ledger.run(["P1", "E1"], Context(), jobs)
        ]

    assert found(1) == found(2)


def test_the_record_keeps_other_claims(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    path.write_text('{"E1": "holds"}')
    monkeypatch.setattr(ledger, "RECORD", path)
    verdict = next(ledger.run(["P1"], Context()))
    ledger.record([verdict])
    assert json.loads(path.read_text()) == {"P1": verdict.verdict, "E1": "holds"}
    path.write_text("not JSON")
    with pytest.raises(InputError, match=r"recorded\.json: the record of verdicts cannot be read"):
        ledger.recorded()


def test_the_page_tells_every_check():
    page = markdown([decide(claim_of("holds", "fails"), Context())], "quick", 0)
    assert "**fails.** a statement" in page
    assert "found \\| fails" in page
    assert "- assumed" in page
