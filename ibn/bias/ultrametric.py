"""The ultrametric world: responses are the leaves of an infinite hierarchy (theory §3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.bias.edges import BiasEdges, Trie
from ibn.checks import one_of, positions, positive, whole
from ibn.errors import InputError
from ibn.kernels.trie import build_trie, common_depths, pack_keys, trie_edges, unpack_sorted

FAMILIES = ("power", "logarithmic", "sub-logarithmic")
ADDRESS_BITS = 60


@dataclass(frozen=True)
class Ultrametric:
    """An infinite B-ary hierarchy in which d_IB depends on the deepest common ancestor alone.

    Two responses whose deepest common ancestor lies at depth k have d_IB = g(k). A response is
    an integer address of K digits base B, drawn lazily.

    Attributes
    ----------
    family : {"power", "logarithmic", "sub-logarithmic"}
        g(k) = I B^(-αk), I (1 + k ln B)^(-α) or I / (1 + ln(1 + k)).
    alpha : float
        α > 0, how fast the structural function decays; the sub-logarithmic family ignores it.
    scale : float
        I > 0, in squared units of reward.
    branching : int
        B >= 2.
    digits : int, optional
        K; by default as many digits as fit into 60 bits. Fewer make a small finite world.

    Raises
    ------
    InputError
        If a parameter is out of range or the family unknown.
    """

    family: str = "power"
    alpha: float = 0.3
    scale: float = 1.0
    branching: int = 2
    digits: int | None = None

    def __post_init__(self) -> None:
        one_of("family", self.family, FAMILIES)
        for name in ("alpha", "scale"):
            positive(name, getattr(self, name))
        if whole("branching", self.branching, 2) > 2**ADDRESS_BITS:
            raise InputError(f"branching must be at most 2^{ADDRESS_BITS}, not {self.branching}")
        most = int(ADDRESS_BITS / np.log2(self.branching) + 1e-9)
        digits = most if self.digits is None else self.digits
        if whole("digits", digits) not in range(1, most + 1):
            raise InputError(f"digits must lie between 1 and {most}, not {self.digits}")
        object.__setattr__(self, "branching", int(self.branching))
        object.__setattr__(self, "digits", int(digits))
        if not np.all(np.diff(self.half_variance) < 0):
            raise InputError(
                f"alpha = {self.alpha} leaves the deepest of {self.digits} levels no variance",
                fix="ask for fewer digits or a smaller alpha",
            )

    @cached_property
    def powers(self) -> NDArray[np.uint64]:
        """Powers of B from 0 to K; the last is the number of addresses."""
        assert self.digits is not None
        return np.array([self.branching**k for k in range(self.digits + 1)], np.uint64)

    @cached_property
    def digit_bits(self) -> int:
        """Bits a digit where B is a power of two, else 0."""
        bits = int(self.branching).bit_length() - 1
        return bits if 2**bits == self.branching else 0

    def distance_at(self, depth: ArrayLike) -> NDArray[np.float64]:
        """d_IB between responses whose deepest common ancestor lies at ``depth``: g(k)."""
        k = np.asarray(depth, dtype=float)
        if self.family == "power":
            return self.scale * self.branching ** (-self.alpha * k)
        if self.family == "logarithmic":
            return self.scale * (1.0 + k * np.log(self.branching)) ** -self.alpha
        return self.scale / (1.0 + np.log1p(k))

    @cached_property
    def half_variance(self) -> NDArray[np.float64]:
        """g(k)/2 for depths 0 to K, and 0 at the leaves: a response is at distance 0 of itself."""
        table = self.distance_at(np.arange(len(self.powers))) / 2.0
        table[-1] = 0.0
        return table

    def structural_function(self, cells: ArrayLike) -> NDArray[np.float64]:
        """Exact structural function of the infinite hierarchy, mean d_IB within a cell.

        Parameters
        ----------
        cells : array_like
            Number of cells M = B^k, k real.

        Returns
        -------
        ndarray
            F(B^k) = Σ_j (1 - 1/B) B^(-j) g(k + j) (theory §3).
        """
        depth = np.log(np.asarray(cells, dtype=float)) / np.log(self.branching)
        j = np.arange(int(64 / np.log2(self.branching)) + 2)
        weight = (1.0 - 1.0 / self.branching) * float(self.branching) ** -j
        return np.asarray(self.distance_at(depth[..., None] + j) @ weight)

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.uint64]:
        """Draw responses uniformly and independently."""
        return rng.integers(0, int(self.powers[-1]), count, dtype=np.uint64)

    def stratified(self, count: int, rng: np.random.Generator) -> NDArray[np.uint64]:
        """Draw one response uniformly from each of ``count`` equal stretches of the hierarchy.

        For ``count`` = B^k these are exactly the cells at depth k. The order is random.
        """
        low = np.array([i * int(self.powers[-1]) // count for i in range(count + 1)], np.uint64)
        high = np.maximum(low[1:], low[:-1] + np.uint64(1))
        return rng.permutation(rng.integers(low[:-1], high, dtype=np.uint64))

    def distance(self, x: NDArray[np.uint64], y: NDArray[np.uint64]) -> NDArray[np.float64]:
        """d_IB between responses, elementwise; 0 between a response and itself."""
        x, y = np.broadcast_arrays(self._addresses(x), self._addresses(y))
        depth = common_depths(x.ravel(), y.ravel(), self.powers, self.digit_bits)
        return 2.0 * self.half_variance[depth].reshape(x.shape)

    def _addresses(self, responses: NDArray) -> NDArray[np.uint64]:
        """Check that whole numbers are addresses of this world."""
        addresses = np.asarray(responses)
        if addresses.dtype != np.uint64:  # numbers of other types may be below 0 or broken
            shape = (None,) * addresses.ndim
            addresses = positions(
                "responses", addresses, int(self.powers[-1]), shape, of="the addresses"
            ).astype(np.uint64)
        if addresses.size and addresses.max() >= self.powers[-1]:
            raise InputError(
                f"address {addresses.max()} lies outside the world's {self.powers[-1]}"
            )
        return addresses

    def edges(self, responses: NDArray[np.uint64]) -> BiasEdges:
        """Lay the edges of the compressed trie of the addresses in use.

        Parameters
        ----------
        responses : ndarray of uint64, shape (m,)
            Addresses, repeats allowed.
        """
        responses = self._addresses(responses)
        if responses.ndim != 1 or not len(responses):
            raise InputError("there are no responses to lay edges among")
        keys = pack_keys(responses, ADDRESS_BITS)
        keys.sort()
        addresses, leaf = unpack_sorted(responses, keys, ADDRESS_BITS)
        parent, depth = build_trie(addresses, self.powers, self.digit_bits)
        child, variance = trie_edges(parent, depth, self.half_variance)
        trie = Trie(addresses, parent, depth, self)
        return BiasEdges(len(parent), leaf, child, parent[:-1], variance, trie)

    def rewards(
        self, responses: NDArray[np.uint64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw true rewards from the bias itself: a Gaussian walk down the hierarchy.

        Var[r(y) - r(y')] = d_IB(y, y'), up to a common shift that nothing identifies.
        """
        tree = self.edges(responses)
        reward = np.append(rng.normal(0.0, np.sqrt(tree.variance)), 0.0)
        for node in range(tree.size - 2, -1, -1):
            reward[node] += reward[tree.v[node]]
        return reward[tree.nodes]
