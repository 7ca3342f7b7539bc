"""Which leaves are compared, and what an annotator of them reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibn.prefix_tree.tree import Grown, Leaf, shared_prefix


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt, to be compared."""

    a: Leaf
    b: Leaf
    # shared, shared_tokens: characters and tokens of the prefix they grew from together; 0 in a
    # chain
    shared: int = 0
    shared_tokens: int = 0


def tree_pairs(grown: Grown, count: int, rng: np.random.Generator) -> list[Pair]:
    """Draw pairs uniformly from the leaves of a tree, none twice (theory §7).

    ``count``: pairs wanted; fewer come where the leaves have no more.
    """
    leaves = list(grown.leaves())
    first, second = np.triu_indices(len(leaves), 1)
    chosen = rng.permutation(len(first))[:count]
    swap = rng.random(len(chosen)) < 0.5  # which side a response stands on must tell nothing
    pairs = []
    for k, turned in zip(chosen, swap, strict=True):
        a, b = leaves[first[k]], leaves[second[k]]
        if turned:
            a, b = b, a
        pairs.append(Pair(a, b, *shared_prefix(a, b)))
    return pairs


def chain_pairs(grown: Grown, count: int, rng: np.random.Generator) -> list[Pair]:
    """Pair independent responses off, each used once.

    ``grown``: responses grown in one level; ``count``: pairs wanted; fewer come where there are
    fewer than twice as many responses.
    """
    leaves = list(grown.leaves())
    order = rng.permutation(len(leaves))[: 2 * min(count, len(leaves) // 2)]
    return [Pair(leaves[i], leaves[j]) for i, j in order.reshape(-1, 2)]
