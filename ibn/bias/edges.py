"""The seam through which every inductive bias meets the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Hierarchy(Protocol):
    """What inference asks of the hierarchy that a trie is a finite piece of.

    Attributes
    ----------
    powers : ndarray of uint64, shape (K + 1,)
        Numbers of addresses that begin alike, from one to all.
    digit_bits : int
        Bits a digit where these are powers of two, else 0.
    half_variance : ndarray of float, shape (K + 1,)
        Half of d_IB by the depth of the deepest common ancestor.
    """

    @property
    def powers(self) -> NDArray[np.uint64]: ...  # noqa: D102

    @property
    def digit_bits(self) -> int: ...  # noqa: D102

    @property
    def half_variance(self) -> NDArray[np.float64]: ...  # noqa: D102

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.uint64]:
        """Draw responses uniformly and independently."""
        ...

    def distance(self, x: NDArray[np.uint64], y: NDArray[np.uint64]) -> NDArray[np.float64]:
        """d_IB between responses, elementwise."""
        ...

    def rewards(
        self, responses: NDArray[np.uint64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw rewards from the bias."""
        ...


@dataclass(frozen=True, eq=False)
class Trie:
    """A compressed trie: leaves in address order, then inner nodes, children before parents.

    Attributes
    ----------
    addresses : ndarray of uint64, shape (m,)
        Sorted distinct addresses; leaf i has address i.
    parent : ndarray of int32, shape (N,)
        Parent of each node; the root, node N - 1, is its own.
    depth : ndarray of int16, shape (N,)
        Depth of each node; 0 at the root, the number of digits at the leaves.
    world : Hierarchy
        The hierarchy that it is a finite piece of.
    """

    addresses: NDArray[np.uint64]
    parent: NDArray[np.int32]
    depth: NDArray[np.int16]
    world: Hierarchy


@dataclass(frozen=True, eq=False)
class BiasEdges:
    """The inductive-bias edges (E_IB) of a bias among given responses.

    Attributes
    ----------
    size : int
        Number of nodes: the responses' own and any that the bias adds between them.
    nodes : ndarray of int, shape (m,)
        The node of each response.
    u, v : ndarray of int, shape (e,)
        Ends of each undirected edge.
    variance : ndarray of float, shape (e,)
        Variance of the reward at one end given the other, in squared units of reward.
    trie : Trie, optional
        Where the bias is a hierarchy; then edge i joins node i to its parent, and the response
        space Y that means are taken over is ``trie.world``. Without it Y is the responses given.
    """

    size: int
    nodes: NDArray[np.int64]
    u: NDArray[np.int64]
    v: NDArray[np.int64]
    variance: NDArray[np.float64]
    trie: Trie | None = None


class Bias(Protocol):
    """Anything that has edges among given responses."""

    def edges(self, responses: NDArray) -> BiasEdges:
        """List the inductive-bias edges among these responses."""
        ...
