import itertools
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from ibn.errors import InputError
from ibn.theory.rates import (
    FAMILIES,
    INFERENCES,
    REGIMES,
    claimed,
    claimed_ratio,
    lower_bound,
    minimise,
    objective,
    rate,
    ratio,
    regime_of,
)

N = np.array([1e3, 1e5, 1e8])
L = np.log(N)
A, SCALE, V = 0.4, 3.0, 0.02  # α, scale, σ²


def sublog(cells):
    return SCALE / (1 + np.log(1 + np.log(cells)))


# Straight from the tables of theory §5 and §6, without sympy.
TABLE = {
    ("chain", "power", "A", "path"): SCALE * L / N**A,
    ("chain", "power", "B", "path"): SCALE ** (2 / (2 + A)) * (V / N) ** (A / (2 + A)),
    ("tree", "power", "A", "path"): SCALE * (L / N) ** A,
    ("tree", "power", "B", "path"): SCALE ** (2 / (2 + A)) * (L**2 * V / N) ** (A / (2 + A)),
    ("chain", "power", "A", "exact"): SCALE / N**A,
    ("tree", "power", "A", "exact"): SCALE * (L / N) ** A,
    ("chain", "power", "B", "exact"): SCALE ** (1 / (1 + A)) * (V / N) ** (A / (1 + A)),
    ("tree", "power", "B", "exact"): SCALE ** (1 / (1 + A)) * (V / N) ** (A / (1 + A)),
    ("star", "power", "A", "path"): SCALE / N**A,
    ("expander", "power", "A", "exact"): SCALE / N**A,
    ("stratified-star", "logarithmic", "A", "path"): SCALE * L**-A,
    ("tree", "logarithmic", "A", "exact"): SCALE * (L - np.log(L)) ** -A,
    ("chain", "sub-logarithmic", "A", "exact"): sublog(N),
    ("chain", "sub-logarithmic", "B", "exact"): sublog(N),
    **{
        (topology, "logarithmic", regime, "path"): SCALE * L**-A
        for topology in ("chain", "tree")
        for regime in REGIMES
    },
    **{
        (topology, "sub-logarithmic", regime, "path"): sublog(np.sqrt(N))
        for topology in ("chain", "tree")
        for regime in REGIMES
    },
}


@pytest.mark.parametrize("cell", TABLE, ids="-".join)
def test_every_cell_of_the_tables(cell):
    np.testing.assert_allclose(rate(*cell).evaluate(N, A, SCALE, V), TABLE[cell], rtol=1e-12)


# What the paper's table has instead, and what the ledger leaves of it.
CLAIMED = {
    ("chain", "power", "A"): (SCALE * L ** (1 + A) / (N**A * np.log(L)), "upper"),
    ("tree", "power", "A"): (SCALE * L ** (2 * A) / N**A, "upper"),
    ("chain", "power", "B"): (TABLE["chain", "power", "B", "path"], "order"),
    ("tree", "logarithmic", "A"): (SCALE * L**-A, "order"),
}


@pytest.mark.parametrize("cell", CLAIMED, ids="-".join)
def test_the_papers_table_is_marked_as_what_it_is(cell):
    expected, bound = CLAIMED[cell]
    found = claimed(*cell)
    np.testing.assert_allclose(found.evaluate(N, A, SCALE, V), expected, rtol=1e-12)
    assert found.bound == bound
    if bound == "upper":
        assert np.all(rate(*cell).evaluate(1e300, A) < found.evaluate(1e300, A))


def test_claims_are_named_and_grown_trees_share_the_tree_rate():
    named = {rate(t, "power", r).claim for t in ("chain", "tree") for r in REGIMES}
    assert named == {"P5", "P6", "P7", "P8"}
    assert rate("tree", inference="exact").claim == "E2"
    assert rate("chain", "power", "B", "exact").claim == "E3"
    assert rate("star").claim == "E5"
    assert rate("star").bound == "upper"
    assert rate("tree-grown").expression == rate("tree").expression


def test_leaves_are_the_callers():
    given = rate("tree", inference="exact").evaluate(N, A, SCALE, leaves=N**0.5)
    np.testing.assert_allclose(given, SCALE * N ** (-A / 2), rtol=1e-12)


def test_ratios_and_the_headline():
    np.testing.assert_allclose(ratio().evaluate(N, A), L ** (1 - A), rtol=1e-12)
    np.testing.assert_allclose(ratio().evaluate(N, A, leaves=2 * N), 2**A * L, rtol=1e-12)
    np.testing.assert_allclose(claimed_ratio().evaluate(N, A), L ** (1 - A) / np.log(L), rtol=1e-12)
    np.testing.assert_allclose(claimed_ratio().evaluate(N, 1e-9), L / np.log(L), rtol=1e-6)
    np.testing.assert_allclose(ratio("power", "B").evaluate(N, A), L ** (-2 * A / (2 + A)))
    np.testing.assert_allclose(ratio(inference="exact").evaluate(N, A), L**-A, rtol=1e-12)
    assert ratio().claim == claimed_ratio().claim == "P9"
    assert (ratio().bound, claimed_ratio().bound) == ("order", "lower")
    assert claimed_ratio("power", "B").bound == "order"
    for family in FAMILIES[1:]:
        for regime in REGIMES:
            np.testing.assert_allclose(ratio(family, regime).evaluate(N, A), 1.0)


def test_lower_bound_lies_below_every_path_rate():
    for family, topology in itertools.product(FAMILIES, ("chain", "tree", "star")):
        least = lower_bound(family).evaluate(1e6, A)
        assert least <= rate(topology, family).evaluate(1e6, A)


@pytest.mark.parametrize(
    ("claim", "topology", "regime", "inference"),
    [
        ("P5", "chain", "A", "path"),
        ("P6", "chain", "B", "path"),
        ("P7", "tree", "A", "path"),
        ("P8", "tree", "B", "path"),
        ("E3", "chain", "B", "exact"),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_closed_rate_is_the_order_of_its_minimum(claim, topology, regime, inference, family):
    # The corrections are of the order of log log n / log n, so the quotient is asked to move by
    # less than 5 % over the last forty decades; an exponent of n off by 0.01 would move it 150 %.
    n = 10.0 ** np.array([80, 100, 120])
    of = claimed if inference == "path" else partial(rate, inference=inference)
    closed = of(topology, family, regime).evaluate(n, A, SCALE, V)
    quotient = minimise(objective(claim, family), n, A, SCALE, V).value / closed
    assert np.ptp(np.log(quotient)) < 0.05
    assert np.all((quotient > 0.1) & (quotient < 10))


def test_a_wrong_log_power_would_be_seen():
    n = 10.0 ** np.array([80, 100, 120])
    wrong = rate("tree", "power", "B").evaluate(n, A, SCALE, V) / np.log(n) ** 0.2
    quotient = minimise(objective("P8"), n, A, SCALE, V).value / wrong
    assert np.ptp(np.log(quotient)) > 0.05


@pytest.mark.parametrize("claim", ["P5", "P6", "P7", "P8", "E3"])
@pytest.mark.parametrize("family", FAMILIES)
def test_minimum_is_no_higher_than_anywhere_on_a_scan(claim, family):
    from ibn.theory.rates import _compiled

    given = objective(claim, family)
    least = minimise(given, 1e6, A, SCALE, V)
    most = _compiled(given.most_cells)(1e6, A, SCALE, V, np.nan, np.nan)
    scan = np.geomspace(2, most, 20_000)
    value = _compiled(given.expression)(1e6, A, SCALE, V, np.nan, scan)
    assert 2 <= least.cells <= most * (1 + 1e-9)
    assert least.value <= value.min() * (1 + 1e-9)


def test_quadratic_minimum_in_closed_form():
    # F(M) + σ²M²/n with F = I/M has its minimum at M³ = I n / (2 σ²).
    cells, value = minimise(objective("P6"), [1e9], 1.0, SCALE, V)
    exact = (SCALE * 1e9 / (2 * V)) ** (1 / 3)
    np.testing.assert_allclose(cells, exact, rtol=1e-4)
    np.testing.assert_allclose(value, SCALE / exact + V * exact**2 / 1e9, rtol=1e-8)


def test_a_path_has_at_least_one_hop():
    # Without that, few cells would make the hops, and so the whole objective, tend to nothing.
    least = minimise(objective("P5", "logarithmic"), 1e30, 0.3).value
    assert least > lower_bound("logarithmic").evaluate(1e30, 0.3)


def test_regimes():
    assert regime_of("power", [1e3, 1e5], 0.3, 1.0, 1e-6).tolist() == ["A", "A"]
    assert regime_of("power", [1e3, 1e5], 0.3, 1.0, 0.06).tolist() == ["A", "B"]
    assert regime_of("logarithmic", 1e5, 0.3, 1.0, 0.3) == "A"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chian",), "chain"),
        (("chain", "powr"), "power"),
        (("chain", "power", "C"), "regime"),
        (("chain", "power", "A", "exat"), "exact"),
        (("star", "power", "B", "path"), "no rate"),
        (("kwise",), "topology"),
    ],
)
def test_unknown_combinations(arguments, message):
    with pytest.raises(InputError, match=message):
        rate(*arguments)


def test_the_table_has_chain_and_tree_alone():
    with pytest.raises(InputError, match="topology of the table"):
        claimed("star")


def test_bad_n():
    with pytest.raises(InputError, match="above e"):
        rate("chain").evaluate([2.0, 100.0])
    with pytest.raises(InputError, match="P7"):
        minimise(objective("P7"), 10.0)
    with pytest.raises(InputError, match="P9"):
        objective("P9")


def test_names_agree_with_the_worlds():
    from ibn.bias import ultrametric

    assert ultrametric.FAMILIES == FAMILIES
    assert set(INFERENCES) == {"path", "exact"}


def test_import_is_light():
    code = "import sys, ibn.theory.rates; assert not {'sympy', 'scipy.optimize'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
