"""Every claim: well formed, and holding where nothing is drawn as the record says."""

import json

import pytest

from ibn.proofs_check import ledger, macro
from ibn.proofs_check.claim import HOLDS, METHODS, Context, decide

CLAIMS = ledger.claims()
DRAWN = ("Monte Carlo", "recorded experiment")


@pytest.mark.parametrize("name", CLAIMS)
def test_the_claim_is_well_formed(name):
    build = CLAIMS[name]
    claim = build()
    assert build.__name__ == claim.id.lower()
    assert claim.statement
    assert claim.latex
    assert all(check.method in METHODS for check in claim.checks)
    names = [reading.name for reading in claim.readings]
    assert len(set(names)) == len(names)
    assert any(reading.counts for reading in claim.readings)
    assert all(reading.checks and reading.why for reading in claim.readings)
    assert set(claim.rests_on) <= set(CLAIMS)
    same = {}
    for reading in claim.readings:
        for check in reading.checks:
            assert same.setdefault(check.name, check) == check


@pytest.mark.parametrize("name", [name for name in CLAIMS if not name.startswith("M")])
def test_what_does_not_draw_at_random_is_as_on_record(name):
    expected = ledger.recorded_checks(name)
    for check in CLAIMS[name]().checks:
        if check.method not in DRAWN:
            assert check.run(Context()).verdict == expected[check.name], check.name


@pytest.mark.parametrize("build", macro.CLAIMS)
def test_the_claim_holds(build):
    verdict = decide(build(), Context())
    assert verdict.verdict == HOLDS, verdict.findings
    json.dumps([dict(finding.data) for finding in verdict.findings.values()])
    assert all(finding.evidence for finding in verdict.findings.values())


@pytest.mark.parametrize("build", macro.CLAIMS)
def test_another_seed_gives_the_same_verdict(build):
    for check in build().checks:
        if check.method == "Monte Carlo":
            assert check.run(Context("quick", 12345)).verdict == HOLDS
