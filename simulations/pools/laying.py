"""Topologies laid over a pool: which responses are compared with which, for n labels.

Within prompts a pool is finite: a prompt with K responses has K/2 fresh pairs and K (K - 1) / 2
pairs at all. No rule compares a pair twice before it has compared every pair that it can once, and
the chain uses no response twice before it has used every response once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ibn import topology
from ibn.errors import unknown_name
from ibn.preferences.comparisons import Comparisons

Ids = NDArray[np.int64]
Groups = Sequence[Ids]
"""The responses of each training prompt."""
Rule = Callable[[Groups, int, np.random.Generator], Ids]
"""``rule(groups, n, rng)`` gives the n pairs, shape (n, 2)."""

LEAVES: dict[str, Callable[[int], int]] = {
    "few": topology.default_leaves,
    "half": lambda n: max(2, n // 2),
    "n": lambda n: max(2, n),
    "2n": lambda n: 2 * n,
}
"""|S| of the trees: n/log n, n/2, n and 2n."""
GROUP = 4  # of K-wise comparisons
SHARES = (1, 2, 4, 8, 16, 32, 64)
"""A chain on one of so many prompts, with so many times the pairs each."""


def rounds(count: int) -> Ids:
    """Make the pairs of a tournament of all against all, round by round (the circle method).

    Returns shape (rounds, count // 2, 2); in a round nobody plays twice.

    >>> rounds(4).tolist()
    [[[0, 3], [1, 2]], [[0, 2], [3, 1]], [[0, 1], [2, 3]]]
    """
    even = count + count % 2
    seats = np.arange(even)
    found = []
    for _ in range(even - 1):
        pairs = np.stack([seats[: even // 2], seats[: even // 2 - 1 : -1]], axis=1)
        found.append(pairs[(pairs < count).all(axis=1)])
        seats = np.concatenate([seats[:1], seats[-1:], seats[1:-1]])
    return np.array(found)


def _in_turn(
    groups: Groups, make: Callable[[int], list[tuple[Ids, Ids]]], n: int, rng: np.random.Generator
) -> Ids:
    """Take n pairs from all prompts in turn, and begin again where none is left.

    ``make``: from the number of a prompt's responses, its pairs in the order that they are to be
    had, shape (k, 2), and the turn of each.
    """
    pairs, turns, order = [], [], rng.permutation(len(groups))
    for place, g in enumerate(order):
        members = rng.permutation(groups[g])
        for own, turn in make(len(members)):
            pairs.append(members[own])
            turns.append(np.column_stack([turn, np.full(len(own), place)]))
    each, turn = np.concatenate(pairs), np.concatenate(turns)
    each = each[np.lexsort(turn.T[::-1])]
    return each[np.arange(n) % len(each)]


def chain(groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Compare fresh responses, one pair of each prompt after the other."""
    sizes = np.array([len(group) for group in groups])
    needed, left = 0, n
    while left > 0 and needed < sizes.max() + sizes.max() % 2 - 1:
        left -= int((sizes // 2)[sizes + sizes % 2 - 1 > needed].sum())
        needed += 1

    def make(count: int) -> list[tuple[Ids, Ids]]:
        found = []
        for r, pairs in enumerate(rounds(count)[:needed]):
            turn = np.column_stack([np.full(len(pairs), r), np.arange(len(pairs))])
            found.append((pairs, turn))
        return found

    return _in_turn(groups, make, n, rng)


def concentrated(share: int, groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Lay a chain on one of ``share`` prompts."""
    chosen = rng.permutation(len(groups))[: max(1, len(groups) // share)]
    return chain([groups[g] for g in chosen], n, rng)


def leaves(groups: Groups, count: int, grouped: bool, rng: np.random.Generator) -> Groups:
    """Draw the responses S that a tree reuses.

    A leaf that is alone in its prompt could not be compared. Independent leaves are therefore
    spread as evenly over prompts as two a prompt allow; grouped ones fill prompt after prompt.
    """
    order = [rng.permutation(groups[g]) for g in rng.permutation(len(groups))]
    if grouped:
        ends = np.cumsum([len(group) for group in order])
        last = min(int(np.searchsorted(ends, count)), len(order) - 1)
        left = count - (ends[last - 1] if last else 0)
        return [*order[:last], order[last][: max(2, left)]]
    order = order[: max(1, count // 2)]
    place = np.concatenate([np.arange(len(group)) for group in order])
    of = np.repeat(np.arange(len(order)), [len(group) for group in order])
    taken = np.lexsort((of, place))[: max(2, count)]
    kept = np.bincount(of[taken], minlength=len(order))
    return [group[:k] for group, k in zip(order, kept, strict=True)]


def tree(size: str, grouped: bool, groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Compare n of the pairs within S, drawn at random, as ``LEAVES`` has its size."""
    chosen = leaves(groups, LEAVES[size](n), grouped, rng)
    pairs = np.concatenate([_pairs(group) for group in chosen])
    again = [rng.permutation(len(pairs)) for _ in range(-(-n // len(pairs)))]
    return pairs[np.concatenate(again)[:n]]


def _pairs(group: Ids) -> Ids:
    return group[np.stack(np.triu_indices(len(group), 1), axis=1)]


def anchor(groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Compare one response of each prompt with others, one after the other in all prompts."""

    def make(count: int) -> list[tuple[Ids, Ids]]:
        others = np.arange(1, count)
        return [(np.column_stack([0 * others, others]), others[:, None])]

    return _in_turn(groups, make, n, rng)


def star(groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Compare one response of a prompt with all others, prompt after prompt."""

    def make(count: int) -> list[tuple[Ids, Ids]]:
        others = np.arange(1, count)
        return [(np.column_stack([0 * others, others]), 0 * others[:, None])]

    return _in_turn(groups, make, n, rng)


def expander(groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Compare along two random cycles through all responses of a prompt, prompt after prompt.

    With four responses or fewer one cycle: two would repeat its pairs.
    """

    def make(count: int) -> list[tuple[Ids, Ids]]:
        cycles = [rng.permutation(count) for _ in range(2 if count > 4 else 1)]
        pairs = np.concatenate([np.column_stack([c, np.roll(c, -1)]) for c in cycles])
        pairs = np.unique(np.sort(pairs, axis=1), axis=0)
        return [(rng.permutation(pairs), np.zeros((len(pairs), 1), np.int64))]

    return _in_turn(groups, make, n, rng)


def kwise(groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Compare all pairs of four responses, fresh ones of all prompts in turn."""

    def make(count: int) -> list[tuple[Ids, Ids]]:
        found = []
        for turn, low in enumerate(range(0, count - 1, GROUP)):
            pairs = np.array(list(combinations(range(low, min(low + GROUP, count)), 2)))
            found.append((pairs, np.full((len(pairs), 1), turn)))
        return found

    return _in_turn(groups, make, n, rng)


def _across(name: str, groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Lay a topology of the theory over all responses, whatever their prompts."""
    everyone = np.concatenate(list(groups))

    def draw(count: int, rng: np.random.Generator) -> Ids:
        again = [rng.permutation(everyone) for _ in range(-(-count // len(everyone)))]
        return np.concatenate(again)[:count]

    rule, _, size = name.partition("-")
    options = {"leaves": min(LEAVES[size or "few"](n), len(everyone))} if rule == "tree" else {}
    layout: Comparisons = getattr(topology, rule)(draw, n, rng, **options)
    # Where all have been used a response may come to meet itself: left out.
    pairs = np.stack([layout.responses[layout.a], layout.responses[layout.b]], axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]]


RULES: dict[str, Rule] = {
    "chain": chain,
    **{f"tree-{size}": partial(tree, size, False) for size in LEAVES},
    **{f"tree-{size}-grouped": partial(tree, size, True) for size in LEAVES},
    "anchor": anchor,
    "star": star,
    "expander": expander,
    "kwise": kwise,
    **{f"prompts/{share}": partial(concentrated, share) for share in SHARES[1:]},
    **{
        f"across-{name}": partial(_across, name)
        for name in ("chain", *(f"tree-{size}" for size in LEAVES), "star", "expander", "kwise")
    },
}
WITHIN = tuple(name for name in RULES if not name.startswith(("across", "prompts")))
ACROSS = tuple(name for name in RULES if name.startswith("across"))
SPENT = ("chain", *(name for name in RULES if name.startswith("prompts")))


def lay(name: str, groups: Groups, n: int, rng: np.random.Generator) -> Ids:
    """Lay n comparisons over a pool's training prompts.

    Parameters
    ----------
    name : str
        One of ``RULES``.
    groups : sequence of ndarray of int
        The responses of each prompt.
    n : int
        Comparisons.
    rng : numpy.random.Generator
        Of everything random.

    Returns
    -------
    ndarray of int, shape (n, 2)
        The sides of each, in random order.

    Raises
    ------
    InputError
        If there is no such topology.

    Examples
    --------
    >>> import numpy as np
    >>> groups = [np.arange(4), np.arange(4, 8)]
    >>> pairs = lay("chain", groups, 4, np.random.default_rng(0))
    >>> sorted(pairs.ravel().tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    if name not in RULES:
        raise unknown_name("topology", name, RULES)
    return rng.permuted(RULES[name](groups, n, rng), axis=1)
