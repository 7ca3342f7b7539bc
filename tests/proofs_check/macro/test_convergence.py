"""M3: its counterexamples, suprema and small instances."""

import numpy as np
import pytest
import sympy as sp

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.claim import FAILS, Context
from ibn.proofs_check.macro import convergence


def test_the_measured_error_alone_refutes_a_wrong_factor():
    checks = {check.name: check for check in convergence.m3(error_factor="1/2").checks}
    check = checks["chain and tree, measured"]
    assert check.run(Context()).verdict == FAILS


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


def test_the_supremum_inside_fails_and_does_not_count():
    (inside,) = [r for r in convergence.m3().readings if not r.counts]
    assert inside.checks[0].run(Context()).verdict == FAILS


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
