import numpy as np
import pytest

from ibn.errors import InputError
from ibn.simulations.pools.laying import LEAVES, RULES, WITHIN, lay, rounds

SIZES = (7, 4, 5, 2, 6, 3, 7, 7)
GROUPS = np.split(np.arange(sum(SIZES)), np.cumsum(SIZES)[:-1])
OF = np.repeat(np.arange(len(SIZES)), SIZES)


def laid(name, n, seed=0):
    return lay(name, GROUPS, n, np.random.default_rng(seed))


def pairs_of(pairs):
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


@pytest.mark.parametrize("count", range(2, 10))
def test_a_tournament_meets_every_pair_once_and_nobody_twice_a_round(count):
    table = rounds(count)
    assert all(len(set(one.ravel().tolist())) == 2 * len(one) for one in table)
    assert len(pairs_of(table.reshape(-1, 2))) == count * (count - 1) // 2 == table.size // 2


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("n", [8, 40, 200])
def test_every_rule_spends_its_budget_where_it_may(name, n):
    pairs = laid(name, n)
    assert np.all(pairs[:, 0] != pairs[:, 1])
    if not name.startswith("across"):
        assert len(pairs) == n
        assert np.all(OF[pairs[:, 0]] == OF[pairs[:, 1]])
    else:
        assert 0.95 * n <= len(pairs) <= n  # nobody meets itself


def test_the_chain_uses_no_response_twice_before_all_and_no_pair_twice_before_all():
    fresh = sum(size // 2 for size in SIZES)
    assert len(np.unique(laid("chain", fresh))) == 2 * fresh
    every = sum(size * (size - 1) // 2 for size in SIZES)
    assert len(pairs_of(laid("chain", every))) == every
    assert len(np.unique(OF[laid("chain", len(SIZES))])) == len(SIZES)


@pytest.mark.parametrize("size", LEAVES)
@pytest.mark.parametrize("grouped", [False, True])
def test_a_tree_keeps_to_its_leaves(size, grouped):
    name = f"tree-{size}" + "-grouped" * grouped
    n = 12
    used = np.unique(laid(name, n))
    assert len(used) <= max(2, LEAVES[size](n)) + 1
    prompts = len(np.unique(OF[used]))
    other = len(np.unique(OF[laid(name.replace("-grouped", ""), n)]))
    assert prompts <= other


def test_an_anchor_meets_all_and_kwise_all_pairs_of_its_groups():
    pairs = laid("anchor", sum(size - 1 for size in SIZES))
    for group in GROUPS:
        own = pairs[np.isin(pairs, group).all(axis=1)]
        assert np.bincount(own.ravel()).max() == len(group) - 1
    kwise = laid("kwise", 24)
    assert len(pairs_of(kwise)) == 24
    assert len(np.unique(laid("prompts/8", 12) // 1)) <= 7


def test_the_same_seed_lays_the_same_and_an_unknown_name_is_refused():
    assert all(np.array_equal(laid(name, 30), laid(name, 30)) for name in WITHIN)
    with pytest.raises(InputError, match="did you mean 'chain'"):
        laid("chian", 3)
