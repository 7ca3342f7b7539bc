import numpy as np
import pytest

from ibn.figures.fit import BEST, fit, fit_ratio
from ibn.figures.measurements import read, worlds


def one_world(path):
    ((world, rows),) = worlds(read(path))
    return rows, world


def test_a_rate_that_holds_has_its_constant_and_no_drift(sweep):
    found = fit(*one_world(sweep()), "star", "exact")
    assert found.rate.claim == "E5"
    assert found.constant == pytest.approx(0.5)
    assert found.drift.mean == pytest.approx(1.0)
    assert found.drift.stderr == pytest.approx(0.01 * np.sqrt(2))
    assert found.drift.count == pytest.approx(1 + 2)  # a degree of freedom at either end
    assert found.exponent.mean == pytest.approx(-0.3)
    n, order = found.line()
    np.testing.assert_allclose(order, 0.5 * n**-0.3)
    assert (n[0], n[-1]) == pytest.approx((100, 10_000))


def test_a_rate_that_does_not_hold_drifts(sweep):
    # The made-up tree has no logarithms; the order in place of P7 has log n to the power α.
    found = fit(*one_world(sweep()), "tree", "path")
    assert found.rate.claim == "P7"
    assert found.drift.mean == pytest.approx((np.log(100) / np.log(10_000)) ** 0.3, rel=0.01)


def test_leaves_are_those_measured(sweep):
    found = fit(*one_world(sweep(leaves=50)), "tree", "exact")
    _, order = found.line()
    np.testing.assert_allclose(order, order[0])  # |S| does not grow, so nor does 1/F(|S|)


def test_ratio(sweep):
    found = fit_ratio(*one_world(sweep()), "path")
    assert found.rate.claim == "P9"
    np.testing.assert_allclose(found.curve.mean, 1.5)


def test_no_rate_across_regimes_nor_where_the_theory_has_none(sweep):
    rows, world = one_world(sweep(beta=6.0))
    found = fit(rows, world, "chain", "path")
    assert found.regimes == ["A", "B"]
    assert found.rate is None
    rows, world = one_world(sweep(beta=1.0))
    assert fit(rows, world, "star", "path").rate is None
    assert fit(rows, world, "chain", "path").rate.claim == "P6"


def test_one_size_is_no_curve(sweep):
    rows, world = one_world(sweep(where=lambda row: row["n"] == 100))
    assert fit(rows, world, "chain", "path") is None
    assert fit_ratio(rows, world, "path") is None


def test_a_tree_of_as_many_leaves_as_comparisons_has_a_curve_of_its_own(sweep):
    rows, world = one_world(sweep())
    assert fit_ratio(rows, world, "path", BEST) is None
    tree = {"topology": "tree", "inference": "path", "family": "power", "alpha": 0.3, "scale": 1.0}
    tree |= {"branching": 2, "beta": 1814.0, "seed": 0, "count": 9, "seconds": 1.0}
    extra = [
        tree | {"task": f"m{n}-{k}", "n": n, "leaves": n, "replicate": k}
        | {"mean": n**-0.3 * (1 + 0.01 * (-1) ** k), "stderr": 1e-9}
        for n in (100, 1_000, 10_000) for k in (0, 1)
    ]  # fmt: skip
    rows, world = one_world(sweep(extra=extra))
    found = fit_ratio(rows, world, "path", BEST)
    np.testing.assert_allclose(found.curve.mean, 3.0)
    assert found.curve.leaves.tolist() == [100, 1_000, 10_000]
    np.testing.assert_allclose(fit_ratio(rows, world, "path").curve.mean, 1.5)
