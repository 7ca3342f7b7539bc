"""Topologies: rules that spend a budget of n comparisons (theory §2).

A topology is a function from a world and a budget to comparisons. A world is anything that can
``sample`` responses, and ``stratify`` them where the stratified variants are wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError, unknown_name
from ibn.preferences.comparisons import Comparisons

Draw = Callable[[int, np.random.Generator], NDArray]


class ResponseSpace(Protocol):
    """What a topology asks of a response space."""

    def sample(self, count: int, rng: np.random.Generator) -> NDArray:
        """Draw responses uniformly and independently."""
        ...


def _budget(n: int) -> int:
    if not 1 <= n < np.inf or n % 1:
        raise InputError(f"the number of comparisons n must be a whole number above 0, not {n}")
    return int(n)


def default_leaves(n: int) -> int:
    """|S| = n / log n, at least 2: the paper's tree has n of the order of |S| log |S|."""
    return max(2, round(n / np.log(max(n, 2))))


def chain(draw: Draw, n: int, rng: np.random.Generator) -> Comparisons:
    """Compare 2n responses in n disjoint pairs: every response is used once."""
    return Comparisons(draw(2 * n, rng), np.arange(n), np.arange(n, 2 * n))


def _random_pairs(
    count: int, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw n pairs of distinct positions below ``count``, uniform and independent."""
    a = rng.integers(0, count, n)
    b = (a + rng.integers(1, count, n)) % count
    return a, b


def tree(draw: Draw, n: int, rng: np.random.Generator, leaves: int | None = None) -> Comparisons:
    """Compare n pairs drawn uniformly from S × S, S being ``leaves`` drawn responses.

    With independent draws this is the paper's analysis of the tree topology (theory §2).
    """
    count = default_leaves(n) if leaves is None else int(leaves)
    if count < 2:
        raise InputError(f"a tree needs at least 2 leaves, not {count}")
    a, b = _random_pairs(count, n, rng)
    return Comparisons(draw(count, rng), a, b)


def star(draw: Draw, n: int, rng: np.random.Generator) -> Comparisons:
    """Compare one response, the hub, with n others."""
    return Comparisons(draw(n + 1, rng), np.zeros(n, np.int64), np.arange(1, n + 1))


def expander(draw: Draw, n: int, rng: np.random.Generator, degree: int = 4) -> Comparisons:
    """Compare along a random regular graph: a union of ``degree / 2`` random Hamiltonian cycles.

    That model is contiguous to the uniform random regular graph, and always connected. Where
    2n / ``degree`` is not whole, the last cycle stays open.
    """
    if degree < 2 or degree % 2:
        raise InputError(f"the degree of an expander must be even and at least 2, not {degree}")
    count = max(2, -(-2 * n // degree))
    cycles = [rng.permutation(count) for _ in range(-(-n // count))]
    a = np.concatenate(cycles)[:n]
    b = np.concatenate([np.roll(cycle, -1) for cycle in cycles])[:n]
    return Comparisons(draw(count, rng), a, b)


def kwise(draw: Draw, n: int, rng: np.random.Generator, group: int = 4) -> Comparisons:
    """Compare all pairs of each of several disjoint groups of ``group`` responses.

    What K-wise ranking gives. The last group is left incomplete where n asks for it.
    """
    if group < 2:
        raise InputError(f"a group must have at least 2 responses, not {group}")
    first, second = np.triu_indices(group, 1)
    order = np.argsort(second, kind="stable")  # an incomplete group uses its first members
    groups = -(-n // len(first))
    offset = group * np.arange(groups)[:, None]
    a = (offset + first[order]).ravel()[:n]
    b = (offset + second[order]).ravel()[:n]
    return Comparisons(draw(int(max(a.max(), b.max())) + 1, rng), a, b)


def grown_leaves(
    world: ResponseSpace,
    count: int,
    rng: np.random.Generator,
    *,
    growth: int = 2,
    segment: int = 1,
    distinct: bool = True,
) -> NDArray[np.uint64]:
    """Leaves of a prefix tree grown in the ultrametric world (theory §7).

    Parameters
    ----------
    world : Ultrametric
        The world whose addresses are the responses.
    count : int
        Leaves wanted; the tree is grown until it has as many, then thinned at random.
    rng : numpy.random.Generator
        Source of randomness.
    growth : int
        Children a node.
    segment : int
        Digits a child adds to its parent's prefix.
    distinct : bool
        Draw siblings without replacement, which is what a temperature that rises until siblings
        come apart tends to; otherwise independently, so that they may share a segment.

    Raises
    ------
    InputError
        If siblings must differ and a segment has too few values, or the world too few digits.
    """
    powers = getattr(world, "powers", None)
    if powers is None:
        raise InputError("growing a prefix tree of addresses needs the ultrametric world")
    if growth < 2 or int(growth) != growth:
        raise InputError(f"growth must be a whole number of at least 2, not {growth}")
    if not 1 <= segment < len(powers) or int(segment) != segment:
        raise InputError(f"a segment must have 1 to {len(powers) - 1} digits, not {segment}")
    choices = int(powers[segment])
    if distinct and growth > choices:
        raise InputError(
            f"{growth} distinct siblings need segments of more than {segment} digits",
            fix="ask for longer segments or less growth",
        )
    prefix = np.zeros(1, np.uint64)
    depth = 0
    while len(prefix) < count:
        depth += segment
        if depth >= len(powers):
            raise InputError(f"the world's {len(powers) - 1} digits are too few for {count} leaves")
        if distinct:
            ranks = rng.random((len(prefix), choices)).argsort(axis=1)[:, :growth]
        else:
            ranks = rng.integers(0, choices, (len(prefix), growth))
        prefix = (prefix[:, None] * np.uint64(choices) + ranks.astype(np.uint64)).ravel()
    prefix = rng.permutation(prefix)[:count]
    rest = powers[len(powers) - 1 - depth]
    return prefix * rest + rng.integers(0, int(rest), count, dtype=np.uint64)


def _grown_tree(
    world: ResponseSpace, n: int, rng: np.random.Generator, leaves: int | None, **options: Any
) -> Comparisons:
    return tree(lambda count, r: grown_leaves(world, count, r, **options), n, rng, leaves)


_RULES: dict[str, Callable[..., Comparisons]] = {
    "chain": chain,
    "tree": tree,
    "star": star,
    "expander": expander,
    "kwise": kwise,
}
_OPTIONS = {
    "expander": ("degree",),
    "kwise": ("group",),
    "tree-grown": ("growth", "segment", "distinct"),
}
TOPOLOGIES = (*_RULES, "tree-grown", *(f"stratified-{name}" for name in _RULES))


def build(
    name: str,
    world: ResponseSpace,
    n: int,
    rng: np.random.Generator,
    *,
    leaves: int | None = None,
    **options: Any,
) -> Comparisons:
    """Spend n comparisons by the named topology.

    Parameters
    ----------
    name : str
        One of ``TOPOLOGIES``. A name that begins with ``stratified-`` draws its responses one
        from each of as many equal cells (``world.stratified``).
    world : ResponseSpace
        Where responses are drawn.
    n : int
        Number of comparisons, n >= 1.
    rng : numpy.random.Generator
        Source of randomness.
    leaves : int, optional
        |S| of the trees, by default n / log n; other topologies ignore it.
    **options
        ``degree`` of an expander, ``group`` of K-wise, ``growth``, ``segment`` and ``distinct``
        of a grown tree.

    Raises
    ------
    InputError
        If the name is unknown or a number out of range.
    """
    if name not in TOPOLOGIES:
        raise unknown_name("topology", name, TOPOLOGIES)
    n = _budget(n)
    rule = name.removeprefix("stratified-")
    for option in options:
        if option not in _OPTIONS.get(rule, ()):
            raise InputError(f"a {rule} topology has no option {option!r}")
    if name == "tree-grown":
        return _grown_tree(world, n, rng, leaves, **options)
    draw = world.sample
    if name.startswith("stratified-"):
        if not hasattr(world, "stratified"):
            raise InputError(f"{name} needs a world that can stratify its responses")
        draw = world.stratified
    if rule == "tree":
        options["leaves"] = leaves
    return _RULES[rule](draw, n, rng, **options)
