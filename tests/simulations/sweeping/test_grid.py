import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.errors import InputError
from ibn.simulations.sweeping.grid import Grid, leaves_at


def test_tasks_are_the_product_in_the_documented_order():
    tasks = Grid(topology="tree,chain", n=[100, 50], alpha="0.3,0.1", replicates=2).tasks()
    keys = [(t.topology, t.n, t.alpha, t.inference, t.replicate) for t in tasks]
    assert keys == [
        (topology, n, alpha, inference, replicate)
        for topology in ("tree", "chain")
        for n in (100, 50)
        for alpha in (0.3, 0.1)
        for inference in ("path", "exact")
        for replicate in (0, 1)
    ]


def test_ignored_parameters_make_no_duplicates():
    grid = Grid(topology="chain,tree", leaves="n/log(n),sqrt(n)", inference="path", n="1e4")
    assert [(t.topology, t.leaves) for t in grid.tasks()] == [
        ("chain", 0),
        ("tree", round(1e4 / math.log(1e4))),
        ("tree", 100),
    ]
    grid = Grid(topology="chain", family="sub-logarithmic", alpha="0.1,0.2", inference="path")
    assert [(t.n, t.alpha) for t in grid.tasks()] == [(1000, 0.0), (10000, 0.0)]


@given(
    low=st.integers(1, 10**4),
    high=st.integers(1, 10**7),
    count=st.integers(2, 12),
)
def test_ranges_of_n_are_distinct_and_span_their_ends(low, high, count):
    grid = Grid(topology="chain", n=f"{low}:{high}:{count}", inference="path")
    sizes = [task.n for task in grid.tasks()]
    assert (sizes[0], sizes[-1]) == (low, high)
    assert len(set(sizes)) == len(sizes) <= count
    assert sizes == sorted(sizes, reverse=high < low)


def test_range_is_even_in_the_logarithm():
    grid = Grid(topology="chain", n="1e2:1e6:9", inference="path")
    expected = [round(10 ** (2 + k / 2)) for k in range(9)]
    assert [task.n for task in grid.tasks()] == expected


@given(st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=5, unique=True))
def test_text_and_numbers_make_the_same_tasks(values):
    text = ", ".join(map(repr, values))
    assert Grid(n="9", alpha=text).tasks() == Grid(n=9, alpha=values).tasks()


def test_leaves_are_expressions_whose_own_commas_do_not_separate():
    grid = Grid(topology="tree", n=100, leaves="max(3, min(n, 5)),n**0.5/2 + log(1)")
    assert sorted({task.leaves for task in grid.tasks()}) == [5]
    assert leaves_at("min(n, 7) * 2", 100) == 14


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": "0"}, "n must be a whole number above 0, not 0"),
        ({"n": "10.5"}, "n must be a whole number above 0, not 10.5"),
        ({"n": "inf"}, "n must be a whole number above 0, not inf"),
        ({"n": "nan"}, "n must be a whole number above 0, not nan"),
        ({"n": "1e3,"}, "n: cannot read ''"),
        ({"n": "ten"}, "n: cannot read 'ten'"),
        ({"n": "1:2"}, "n: cannot read '1:2'"),
        ({"n": "0:10:3"}, "n: cannot read '0:10:3'"),
        ({"n": "1:10:1"}, "n: cannot read '1:10:1'"),
        ({"alpha": "0"}, "alpha must be positive"),
        ({"alpha": "-0.3"}, "alpha must be positive"),
        ({"alpha": "nan"}, "alpha must be positive"),
        ({"scale": "0"}, "scale must be positive"),
        ({"beta": "0"}, "beta must be positive"),
        ({"branching": "1"}, "branching must be"),
        ({"branching": "2.5"}, "branching must be a whole number"),
        ({"topology": "chian"}, "unknown topology 'chian' (did you mean 'chain'?)"),
        ({"family": "powr"}, "unknown family 'powr' (did you mean 'power'?)"),
        ({"inference": "paths"}, "unknown inference 'paths' (did you mean 'path'?)"),
        ({"leaves": "n/"}, "leaves: cannot evaluate 'n/'"),
        ({"leaves": "n\rn/2"}, "contains multiple expressions"),
        ({"leaves": "m"}, "leaves: cannot evaluate 'm'"),
        ({"leaves": "open('x')"}, "leaves: cannot evaluate"),
        ({"leaves": "1"}, "fewer than 2"),
        ({"n": "1"}, "leaves: cannot evaluate 'n/log(n)' at n = 1"),
        ({"rel_err": 1e-5}, "a relative error of 1e-05"),
        ({"rel_err": 0.0}, "rel_err must be positive"),
        ({"rel_err": float("nan")}, "rel_err must be positive"),
        ({"replicates": 0}, "replicates must be at least 1"),
        ({"seed": -1}, "seed must not be negative"),
        ({"max_seconds": -1.0}, "max-seconds must not be negative"),
        ({"max_count": -1}, "max-count must not be negative"),
    ],
)
def test_bad_values_are_named(options, message):
    with pytest.raises(InputError) as caught:
        Grid(**options).tasks()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
