"""Every claim: well formed, refuted in its wrong variants, holding where nothing is drawn."""

import json
from functools import partial
from importlib import import_module

import pytest

from ibn.proofs_check import exact, ledger, macro, paths
from ibn.proofs_check.claim import FAILS, HOLDS, METHODS, Context, decide
from ibn.proofs_check.rates import p5, p7

LEVELS = [import_module(f"ibn.proofs_check.{level}") for level in ledger.LEVELS]
CLAIMS = [build for level in LEVELS for build in level.CLAIMS]
# P9 fails itself: what its wrong variants fail beyond that stands with the tests of the headline.
MUTANTS = {
    name: build
    for level in LEVELS
    for name, build in level.MUTANTS.items()
    if not name.startswith("P9")
}
# As orders P5 and P7 fail. What is drawn takes long: it is run for the macro level alone.
UPPER = [pytest.param(partial(build, bound="upper"), id=build.__name__) for build in (p5, p7)]
DERIVED = [*paths.CLAIMS, *exact.CLAIMS, *UPPER]


@pytest.mark.parametrize("build", CLAIMS)
def test_the_claim_is_well_formed(build):
    claim = build()
    assert build.__name__ == claim.id.lower()
    assert all(check.method in METHODS for check in claim.checks)
    assert len({check.name for check in claim.checks}) == len(claim.checks)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_wrong_variant_fails(name):
    """Some check refutes it, with the numbers that do; one suffices, so the rest are spared."""
    claim = MUTANTS[name]()
    assert claim.id == name.split(":")[0]
    findings = (check.run(Context()) for check in claim.checks)
    refuted = next((finding for finding in findings if finding.verdict == FAILS), None)
    assert refuted is not None
    assert refuted.evidence


@pytest.mark.parametrize("build", DERIVED)
def test_what_does_not_draw_at_random_holds(build):
    for check in build().checks:
        if check.method not in ("Monte Carlo", "recorded experiment"):
            assert check.run(Context()).verdict == HOLDS, check.name


@pytest.mark.parametrize("build", macro.CLAIMS)
def test_the_claim_holds(build):
    verdict = decide(build(), Context())
    told = [
        (check.name, finding)
        for check, finding in zip(verdict.claim.checks, verdict.findings, strict=True)
    ]
    assert verdict.verdict == HOLDS, told
    json.dumps([dict(finding.data) for finding in verdict.findings])
    assert all(finding.evidence for finding in verdict.findings)


@pytest.mark.parametrize("build", macro.CLAIMS)
def test_another_seed_gives_the_same_verdict(build):
    for check in build().checks:
        if check.method == "Monte Carlo":
            assert check.run(Context("quick", 12345)).verdict == HOLDS
