"""The induced Bayesian network: inductive bias, comparisons and noise as one weighted graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ibn.bias.edges import Bias, Trie
from ibn.checks import numbers, positions, positive, whole
from ibn.errors import InputError
from ibn.laplacian import currents, laplacian
from ibn.preferences.comparisons import Comparisons

INDUCTIVE_BIAS, HUMAN_PREFERENCE = 0, 1


@dataclass(frozen=True, eq=False)
class Network:
    """An induced Bayesian network (theory §1).

    Parallel comparisons are kept as parallel edges: each carries evidence of its own.

    Attributes
    ----------
    size : int
        Number of nodes.
    nodes : ndarray of int, shape (m,)
        The node of each response.
    u, v : ndarray of int, shape (e,)
        Ends of each edge: inductive-bias edges first, then one edge a comparison, in order.
    variance : ndarray of float, shape (e,)
        Inference variance of one step along each edge, in squared units of reward; positive.
    kind : ndarray of int8, shape (e,)
        ``INDUCTIVE_BIAS`` or ``HUMAN_PREFERENCE``.
    trie : Trie, optional
        Where the inductive bias is a hierarchy, see ``BiasEdges``.
    bias : Bias, optional
        What gave the inductive-bias edges.
    responses : ndarray, shape (m,), optional
        The responses the network was built over.
    """

    size: int
    nodes: NDArray[np.int64]
    u: NDArray[np.int64]
    v: NDArray[np.int64]
    variance: NDArray[np.float64]
    kind: NDArray[np.int8]
    trie: Trie | None = None
    bias: Bias | None = None
    responses: NDArray | None = None

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Raise InputError where sizes differ, a node is none, or a variance is not positive.

        Networks are large and their arrays not copied, so that whoever solves one asks again.
        """
        size = whole("size", self.size, 1)
        put = partial(object.__setattr__, self)
        if getattr(self.nodes, "dtype", None) != np.int64:
            put("nodes", positions("nodes", self.nodes, size, of="the nodes"))
        for name in ("u", "v"):
            ends = getattr(self, name)
            if getattr(ends, "dtype", None) not in (np.int32, np.int64):
                put(name, positions(name, ends, size, of="the nodes"))
        if getattr(self.variance, "dtype", None) != np.float64:
            put("variance", numbers("variance", self.variance))
        shape = (len(self.u),)
        for name in ("u", "v", "variance", "kind"):
            if np.shape(getattr(self, name)) != shape:
                raise InputError(
                    f"{name} has shape {np.shape(getattr(self, name))} for {len(self.u)} edges"
                )
        for name in ("nodes", "u", "v"):
            ends = getattr(self, name)
            if ends.ndim != 1 or (ends.size and not (ends.min() >= 0 and ends.max() < size)):
                positions(name, ends, size, of="the nodes")  # says which
        kind = np.asarray(self.kind)
        if kind.size and not (kind.dtype.kind in "iu" and kind.min() >= 0 and kind.max() <= 1):
            raise InputError("kind must be 0 (inductive bias) or 1 (human preference)")
        if (kind[1:] < kind[:-1]).any():
            raise InputError("inductive-bias edges must come before the comparisons")
        variance = self.variance
        if variance.size and not (variance.min() > 0 and variance.max() < np.inf):
            at = int(np.flatnonzero(~((variance > 0) & (variance < np.inf)))[0])
            raise InputError(f"variance {at} is {variance[at]}, not positive and finite")

    @property
    def bias_edges(self) -> int:
        """Number of inductive-bias edges; the edges from there on are the comparisons."""
        return int(np.count_nonzero(self.kind == INDUCTIVE_BIAS))

    def least(self) -> tuple[csr_array, dict[tuple[int, int], int]]:
        """Merge parallel edges to the one of least variance, which is all a path needs.

        Returns
        -------
        matrix : csr_array, shape (size, size)
            Symmetric matrix of variances.
        edge : dict
            The edge that stands for each pair of nodes (smaller node first).
        """
        edge: dict[tuple[int, int], int] = {}
        for i, (a, b) in enumerate(zip(self.u.tolist(), self.v.tolist(), strict=True)):
            key = (a, b) if a < b else (b, a)
            if a != b and (key not in edge or self.variance[i] < self.variance[edge[key]]):
                edge[key] = i
        ends = np.array(list(edge), dtype=np.int64).reshape(-1, 2)
        weight = self.variance[list(edge.values())]
        rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
        shape = (self.size, self.size)
        return csr_array((np.tile(weight, 2), (rows, columns)), shape=shape), edge

    def laplacian(self) -> csr_array:
        """Weighted Laplacian with conductances 1/variance; parallel edges add up."""
        return laplacian(self.size, self.u, self.v, 1.0 / self.variance)

    def currents(self, pull: NDArray[np.float64]) -> NDArray[np.float64]:
        """Currents at the nodes, shape (size,), where each edge pulls its end u up, v down."""
        return currents(self.size, self.u, self.v, pull)

    def nodes_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Nodes of pairs of responses, shape (p, 2); an InputError if they are no such pairs."""
        m = len(self.nodes)
        return self.nodes[positions("pairs", pairs, m, (None, 2), of="the list of responses")]

    def components(self) -> NDArray[np.int64]:
        """Label the connected component of each node."""
        from scipy.sparse.csgraph import connected_components

        ones, shape = np.ones(len(self.u), dtype=np.int8), (self.size, self.size)
        graph = csr_array((ones, (self.u, self.v)), shape=shape)
        return connected_components(graph, directed=False)[1].astype(np.int64)


def build_network(
    bias: Bias, comparisons: Comparisons, noise_variance: float | NDArray[np.float64]
) -> Network:
    """Join the edges of an inductive bias with those of comparisons.

    Parameters
    ----------
    bias : Bias
        Gives E_IB among the responses.
    comparisons : Comparisons
        Each becomes one edge of E_HP; the two directions share it, for the noise is symmetric.
    noise_variance : float or ndarray of shape (n,)
        σ² of a label, see ``LabelNoise.variance``.

    Raises
    ------
    InputError
        If a variance is not positive and finite.
    """
    if not isinstance(comparisons, Comparisons):
        raise InputError(f"comparisons are {type(comparisons).__name__}, not Comparisons")
    shape = (len(comparisons),)
    if np.isscalar(noise_variance):
        sigma2 = np.full(shape, positive("the noise variance", noise_variance))
    else:
        sigma2 = numbers("the noise variance", noise_variance, shape, infinite=True)
    if not np.all(np.isfinite(sigma2) & (sigma2 > 0)):
        raise InputError("the noise variance must be positive and finite")
    if comparisons.weight is not None:
        sigma2 = sigma2 / comparisons.weight  # w labels of one pair have a w-th of the variance
    prior = bias.edges(comparisons.responses)
    nodes = prior.nodes.astype(np.int32, copy=False)
    return Network(
        size=prior.size,
        nodes=prior.nodes,
        u=np.concatenate([prior.u, nodes[comparisons.a]]),
        v=np.concatenate([prior.v, nodes[comparisons.b]]),
        variance=np.concatenate([prior.variance, sigma2]),
        kind=np.repeat(np.array([0, 1], np.int8), [len(prior.u), len(comparisons)]),
        trie=prior.trie,
        bias=bias,
        responses=comparisons.responses,
    )
