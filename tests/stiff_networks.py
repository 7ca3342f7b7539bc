"""Random networks whose variances span up to 60 decades, against exact rational arithmetic.

    python tests/stiff_networks.py --networks 10000 --seed 0

prints, for each quantity of the library, how many networks came out right to 1e-9, how many were
refused by an InputError, how many were WRONG, and the worst relative error of those not refused.
With ``--large`` the small networks are solved the way that large ones are, whose rewards and
potentials are promised to 1e-6 alone.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from functools import partial

import numpy as np

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.errors import InputError
from ibn.inference.gaussian import (
    mean_variance,
    posterior_mean,
    posterior_samples,
    resistance,
    resistance_matrix,
)
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers import reduced, star_mesh
from ibn.solvers.reduced import ReducedSolver

PROMISED = 1e-9
POTENTIAL = 1e-6  # of large networks, beside the largest
REL_ERR = 0.3  # of mean variances that are sampled
SHAPES = ("path", "cycle", "star", "tree", "multi", "complete", "ladder", "barbell", "apart")
LOOSE = ("potential", "posterior_mean", "posterior_samples")
KINDS = (*SHAPES, "hierarchy")


# --- the random networks -----------------------------------------------------------------------


def edges_of(kind, n, rng):
    """Ends of the edges of a graph of n nodes."""
    nodes = np.arange(n)
    back = (rng.random(n) * nodes).astype(int)
    more = rng.integers(0, n, (2, 2 * n))
    return {
        "path": (nodes[1:], nodes[:-1]),
        "cycle": (nodes, np.roll(nodes, 1)),
        "star": (nodes[1:], 0 * nodes[1:]),
        "tree": (nodes[1:], back[1:]),
        "multi": (np.append(nodes[1:], more[0]), np.append(back[1:], more[1])),  # loops too
        "complete": np.triu_indices(n, 1),
        "ladder": (np.append(nodes[1:], nodes[2:]), np.append(nodes[:-1], nodes[:-2])),
        "barbell": (
            np.concatenate([nodes[1:], nodes[2 : n // 2], nodes[n // 2 + 2 :]]),
            np.concatenate([nodes[:-1], 0 * nodes[2 : n // 2], 0 * nodes[n // 2 + 2 :] + n // 2]),
        ),
        "apart": (nodes[2:], np.maximum(back[2:], 1)),
    }[kind]


def variances(count, rng):
    """Positive numbers over up to 60 decades: spread evenly, at two ends, or with one outlier."""
    decades = rng.choice([1.0, 3.0, 8.0, 16.0, 30.0])
    where = {
        0: rng.uniform(-1, 1, count),
        1: rng.choice([-1.0, 1.0], count),
        2: np.where(np.arange(count) == rng.integers(max(count, 1)), rng.choice([-1, 1]), 0.0),
        3: np.linspace(-1, 1, count),
    }[int(rng.integers(4))]
    return 10.0 ** (decades * where) * rng.uniform(0.5, 1.0, count)


def random_network(seed):
    """Make a kind of graph, a network of it and labels of its comparisons."""
    rng = np.random.default_rng([seed, 7])
    kind = KINDS[seed % len(KINDS)]
    n = int(rng.integers(2, 11))
    if kind == "hierarchy":
        family = FAMILIES[int(rng.integers(3))]
        world = Ultrametric(
            family, rng.choice([0.1, 0.5, 2.0]), float(10.0 ** rng.uniform(-20, 20)), 2, 12
        )
        responses = world.sample(n, rng)
        a = rng.integers(0, n, 2 * n)
        b = (a + rng.integers(1, n, 2 * n)) % n if n > 1 else a
        some = slice(0, int(rng.integers(1, 2 * n)))
        bare = Comparisons(responses, a[some], b[some])
        network = build_network(world, bare, variances(len(bare), rng))
    else:
        u, v = (np.asarray(end) for end in edges_of(kind, max(n, 4), rng))
        order = rng.permutation(len(u))
        u, v = u[order], v[order]
        size = max(n, 4)
        nodes = np.sort(rng.choice(size, int(rng.integers(2, size + 1)), replace=False))
        place = np.full(size, -1)
        place[nodes] = np.arange(len(nodes))
        compared = (place[u] >= 0) & (place[v] >= 0) & (u != v) & (rng.random(len(u)) < 0.5)
        order = np.argsort(compared, kind="stable")
        u, v, compared = u[order], v[order], compared[order]
        network = Network(size, nodes, u, v, variances(len(u), rng), compared.astype(np.int8))
        bare = Comparisons(np.arange(len(nodes)), place[u[compared]], place[v[compared]])
    return kind, network, bare.labelled(delta=rng.normal(size=len(bare)))


# --- exactly -----------------------------------------------------------------------------------


class Exact:
    """A connected network in rational arithmetic: nothing is rounded."""

    def __init__(self, network):
        self.network, n = network, network.size
        self.conductance = [1 / Fraction(float(v)) for v in network.variance]
        matrix = [[Fraction(0)] * n for _ in range(n)]
        for a, b, c in zip(network.u, network.v, self.conductance, strict=True):
            if a != b:
                matrix[a][b] -= c
                matrix[b][a] -= c
                matrix[a][a] += c
                matrix[b][b] += c
        self.inverse = self._inverse([row[:-1] for row in matrix[:-1]])

    @staticmethod
    def _inverse(matrix):
        """Gauss and Jordan; the last node is the ground, at 0."""
        n = len(matrix)
        rows = [
            list(row) + [Fraction(int(i == j)) for j in range(n)] for i, row in enumerate(matrix)
        ]
        for k in range(n):
            pivot = rows[k][k]
            rows[k] = [x / pivot for x in rows[k]]
            for i in range(n):
                if i != k and rows[i][k]:
                    factor = rows[i][k]
                    rows[i] = [
                        x - factor * y if y else x for x, y in zip(rows[i], rows[k], strict=True)
                    ]
        inverse = [[*row[n:], Fraction(0)] for row in rows]
        return [*inverse, [Fraction(0)] * (n + 1)]

    def resistance(self, a, b):
        """Effective resistance between two nodes."""
        g = self.inverse
        return g[a][a] + g[b][b] - 2 * g[a][b]

    def potential(self, inflow):
        """Potentials at the nodes, centred over them."""
        found = [
            sum((g * b for g, b in zip(row, inflow, strict=True) if b and g), Fraction(0))
            for row in self.inverse
        ]
        middle = sum(found, Fraction(0)) / len(found)
        return [x - middle for x in found]

    def rewards(self, label):
        """Rewards at the responses given what each edge says, centred; and their size.

        The size is that of the largest, were no two labels to cancel.
        """
        net, g = self.network, self.inverse
        nodes = [int(x) for x in net.nodes]
        moved = []
        for e, value in enumerate(label):
            if value and net.u[e] != net.v[e]:
                pull = Fraction(float(value)) * self.conductance[e]
                row = [pull * (g[i][net.u[e]] - g[i][net.v[e]]) for i in nodes]
                middle = sum(row, Fraction(0)) / len(row)
                moved.append([x - middle for x in row])
        total = [sum(each, Fraction(0)) for each in zip(*moved, strict=True)]
        size = max((sum(map(abs, each)) for each in zip(*moved, strict=True)), default=Fraction(0))
        return total or [Fraction(0)] * len(nodes), size


def off(got, exact, size=None):
    """Greatest error, each relative to the exact number, or all relative to one size."""
    worst = 0.0
    for x, y in zip(got, exact, strict=True):
        if not np.isfinite(x):
            return float("inf")
        error, scale = abs(Fraction(float(x)) - y), abs(y) if size is None else size
        if error:
            worst = max(worst, float(error / scale) if scale else float("inf"))
    return worst


# --- the comparison ----------------------------------------------------------------------------


def errors(seed):
    """Relative error of each quantity of one random network; None where it was refused."""
    kind, net, comparisons = random_network(seed)
    rng = np.random.default_rng([seed, 8])
    m = len(net.nodes)
    connected = kind == "hierarchy" or net.components().max(initial=0) == 0
    exact = Exact(net) if connected else None
    pairs = np.stack(np.triu_indices(m, 1), axis=1)
    inflow = rng.integers(-2, 3, (net.size, 2)).astype(float)
    inflow[0] -= inflow.sum(axis=0)
    if len(pairs):
        inflow[:, 1] = 0.0
        a, b = net.nodes[pairs[rng.integers(len(pairs))]]
        inflow[a, 1] += 1.0
        inflow[b, 1] -= 1.0

    def of_pairs(got):
        truth = [exact.resistance(*net.nodes[pair]) for pair in pairs]
        return off(got, truth)

    def of_matrix(got):
        assert np.array_equal(got, got.T)
        assert not np.diagonal(got).any()
        return of_pairs(got[pairs[:, 0], pairs[:, 1]])

    def of_mean(got):
        if kind == "hierarchy":  # of the whole world; here only that it is a number
            return 0.0 if np.isfinite(got.mean) and got.mean > 0 else float("inf")
        truth = sum(exact.resistance(*net.nodes[pair]) for pair in pairs) / len(pairs)
        error = off([got.mean], [truth])
        of_all = got.stderr == 0.0 and got.count == len(pairs)
        sampled = 0.0 if of_all else 8 * got.stderr + REL_ERR / 25 * got.mean
        return 0.0 if error * got.mean <= sampled else error

    def of_potential(got):
        found = []
        for c in range(inflow.shape[1]):
            truth = exact.potential([Fraction(x) for x in inflow[:, c]])
            found.append(off(got[:, c], truth, max(map(abs, truth))))
        return max(found)

    def of_energy(got):
        flows = [[Fraction(x) for x in inflow[:, c]] for c in range(inflow.shape[1])]
        truth = [sum(x * y for x, y in zip(f, exact.potential(f), strict=True)) for f in flows]
        return off(got, truth)

    def of_rewards(got):
        label = np.zeros(len(net.u))
        label[net.bias_edges :] = comparisons.delta
        return off(got, *exact.rewards(label))

    def of_sample(got):
        noise = np.random.default_rng(seed).normal(0.0, 1.0 / np.sqrt(net.variance))
        return off(got[0], *exact.rewards(noise * net.variance))

    jobs = {
        "resistance": (lambda: resistance(net, pairs), of_pairs),
        "resistance_matrix": (lambda: resistance_matrix(net), of_matrix),
        "mean_variance": (
            lambda: mean_variance(net, rel_err=REL_ERR, rng=rng, max_count=64),
            of_mean,
        ),
        "energy": (lambda: ReducedSolver.of(net).energy(inflow), of_energy),
        "potential": (lambda: ReducedSolver.of(net).potential(inflow), of_potential),
        "posterior_mean": (lambda: posterior_mean(net, comparisons), of_rewards),
        "posterior_samples": (
            lambda: posterior_samples(net, 1, np.random.default_rng(seed)),
            of_sample,
        ),
    }
    found = {}
    for name, (ask, compare) in jobs.items():
        try:
            got = ask()
        except InputError:
            found[name] = None
            continue
        found[name] = compare(got) if connected else float("inf")  # an answer where there is none
    return kind, found


@contextmanager
def as_large():
    """Solve the smallest networks as large ones are."""
    before = reduced.DENSE_NODES, reduced.MOST_NODES, star_mesh.MOST_NODES
    reduced.DENSE_NODES = reduced.MOST_NODES = star_mesh.MOST_NODES = 0
    try:
        yield
    finally:
        reduced.DENSE_NODES, reduced.MOST_NODES, star_mesh.MOST_NODES = before


def measured(seed, large):
    """Like ``errors``, in a process of its own."""
    if not large:
        return errors(seed)
    with as_large():
        return errors(seed)


def main(arguments=None):
    """Print the counts; return whether anything was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--large", action="store_true", help="solve them as large ones are")
    options = parser.parse_args(arguments)
    right, refused, wrong, worst = Counter(), Counter(), Counter(), Counter()
    seeds = range(options.seed, options.seed + options.networks)
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(partial(measured, large=options.large), seeds, chunksize=20)
        for seed, (kind, each) in zip(seeds, found, strict=True):
            for name, error in each.items():
                if error is None:
                    refused[name, kind == "apart"] += 1
                elif error <= (POTENTIAL if options.large and name in LOOSE else PROMISED):
                    right[name] += 1
                    worst[name] = max(worst[name], error)
                else:
                    wrong[name] += 1
                    print(f"WRONG {name}: seed {seed}, {kind}, relative error {error:.1e}")
    print(f"{'':20}{'right':>8}{'refused':>9}{'not joined':>12}{'WRONG':>7}   worst error")
    for name in each:
        print(
            f"{name:20}{right[name]:8}{refused[name, False]:9}{refused[name, True]:12}"
            f"{wrong[name]:7}   {worst[name]:.1e}"
        )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
