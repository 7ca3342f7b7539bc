"""Claims M1 to M4: they hold, and their mutants fail."""

import json

import numpy as np
import pytest
import sympy as sp

from ibn.bias.ultrametric import Ultrametric
from proofs_check import convergence
from proofs_check.claim import FAILS, HOLDS, METHODS, Context, decide
from proofs_check.macro import CLAIMS, MUTANTS
from proofs_check.reconstruction import m4

CONTEXT = Context("quick", 0)


@pytest.mark.parametrize("build", CLAIMS, ids=lambda build: build.__name__)
def test_the_claim_holds(build):
    verdict = decide(build(), CONTEXT)
    told = [
        (check.name, finding)
        for check, finding in zip(verdict.claim.checks, verdict.findings, strict=True)
    ]
    assert verdict.verdict == HOLDS, told
    json.dumps([dict(finding.data) for finding in verdict.findings])
    assert all(finding.evidence for finding in verdict.findings)


@pytest.mark.parametrize("build", CLAIMS, ids=lambda build: build.__name__)
def test_the_claim_is_well_formed(build):
    claim = build()
    assert claim.id == build.__name__.upper()
    assert len({check.name for check in claim.checks}) == len(claim.checks)
    assert all(check.method in METHODS for check in claim.checks)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_mutant_fails(name):
    """Some check refutes it, with the numbers that do; one suffices, so the rest are spared."""
    claim = MUTANTS[name]()
    assert claim.id == name.split(":")[0]
    findings = (check.run(CONTEXT) for check in claim.checks)
    refuted = next((finding for finding in findings if finding.verdict == FAILS), None)
    assert refuted is not None
    assert refuted.evidence


def test_the_measured_bridge_alone_refutes_a_wrong_second_order():
    check = m4(second_order="1/2").checks[-1]
    assert check.run(CONTEXT).verdict == FAILS


def test_the_measured_error_alone_refutes_a_wrong_factor():
    check = convergence.m3(error_factor="1/2").checks[-1]
    assert check.run(CONTEXT).verdict == FAILS


@pytest.mark.parametrize(
    "example", [e for group in convergence.COUNTEREXAMPLES.values() for e in group]
)
def test_the_counterexamples_are_genuine(example):
    genuine, told = example()
    assert genuine, told


def test_suprema_are_infinite_where_the_entropy_integral_is():
    found = convergence.suprema()
    infinite = {name for name, verdict in found.items() if verdict == "infinite"}
    assert infinite == {"logarithmic, α = 1/2", "logarithmic, α = 1", "sub-logarithmic"}
    assert set(found.values()) == {"infinite", "finite"}


def greedy_supremum(world, depth, rng, runs):
    """Reward at the end of the walk that takes the better sibling at each level."""
    steps = world.half_variance[:depth] - world.half_variance[1 : depth + 1]
    draws = rng.normal(0.0, np.sqrt(steps)[:, None, None], (depth, 2, runs))
    return draws.max(axis=1).sum(axis=0)


def test_the_better_sibling_gains_what_the_divergence_argument_says():
    """Σ √v E[max of two], the series that decides between bounded and unbounded rewards."""
    world = Ultrametric("logarithmic", 0.5)
    found = greedy_supremum(world, 50, np.random.default_rng(0), 20_000)
    steps = world.half_variance[:50] - world.half_variance[1:51]
    expected = np.sqrt(steps / np.pi).sum()
    assert abs(found.mean() - expected) < 5 * found.std() / np.sqrt(20_000)


def test_small_instances_reach_the_bound_for_fixed_rewards():
    worst, _, cases = convergence._fixed_reward_errors()
    assert worst == sp.S(1)
    assert cases == 64 * 65 * 6


@pytest.mark.parametrize("build", CLAIMS, ids=lambda build: build.__name__)
def test_another_seed_gives_the_same_verdict(build):
    claim = build()
    for check in claim.checks:
        if check.method == "Monte Carlo":
            assert check.run(Context("quick", 12345)).verdict == HOLDS
