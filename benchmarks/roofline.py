"""How near a posterior, and an iteration of its solver, come to what memory bandwidth allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.machine import Bandwidth
from ibn.errors import InputError
from ibn.inference.gaussian import FINER, draw_probes, pairs_a_draw
from ibn.kernels.forest import WIDTH
from ibn.network import Network
from ibn.solvers.conjugate_gradients import conjugate_gradient
from ibn.solvers.reduced import ReducedSolver
from ibn.solvers.reduction import reduce_network

VECTORS = 4  # residual, direction, product, and the preconditioned residual
FEW, MANY, REPEATS = 4, 20, 3


@dataclass(frozen=True)
class Iteration:
    """One iteration, all right-hand sides of a block at once.

    Attributes
    ----------
    seconds : float
        Measured.
    moved : int
        Bytes that any such iteration moves if each vector passes once, read and written.
    nodes, edges, columns : int
        Of the reduced network, and right-hand sides.
    """

    seconds: float
    moved: int
    nodes: int
    edges: int
    columns: int

    def describe(self, memory: Bandwidth) -> str:
        """Set the bandwidth it achieves against the machine's."""
        rate = self.moved / self.seconds
        return (
            f"Roofline: an iteration on {self.nodes:,} nodes and {self.edges:,} edges off the "
            f"tree, {self.columns} right-hand sides at once, takes {self.seconds * 1e3:.3g} ms "
            f"and must move at least {self.moved / 2**20:.4g} MiB: {rate / 1e9:.3g} GB/s, "
            f"{rate / memory.one:.0%} of the {memory.one / 1e9:.3g} GB/s of one core's STREAM "
            f"triad ({memory.all / 1e9:.3g} GB/s on all cores). Its vectors take "
            f"{VECTORS * self.nodes * self.columns * 8 / 2**20:.3g} MiB; a cache that holds them "
            "is faster than memory."
        )


def iteration(network: Network) -> Iteration:
    """Time an iteration of the solver that a network's posterior uses, and count its bytes.

    The count takes each vector to pass through the processor once, read and written, with the
    tree beside it; an edge off the tree reads one row at either end and adds to another. Caches
    can only lower it where the vectors fit into them.
    """
    forest, columns = ReducedSolver.of(network).forest, WIDTH
    rng = np.random.default_rng(0)
    current = rng.normal(size=(len(forest.parent), columns))
    current -= current.mean(axis=0)

    def run(iterations: int) -> float:
        start = time.perf_counter()
        with suppress(InputError):  # it cannot converge to 0
            conjugate_gradient(forest, current.copy(), 0.0, False, iterations)
        return time.perf_counter() - start

    run(1)
    seconds = min(run(MANY) - run(FEW) for _ in range(REPEATS)) / (MANY - FEW)
    row = columns * current.itemsize
    tree = forest.parent.itemsize + 3 * current.itemsize  # parent, conductance, pivot, share
    off = 2 * forest.u.itemsize + current.itemsize + 2 * 3 * row
    nodes, edges = len(forest.parent), len(forest.u)
    moved = nodes * (2 * VECTORS * row + tree) + edges * off
    return Iteration(max(seconds, 1e-9), moved, nodes, edges, columns)


@dataclass(frozen=True)
class Stages:
    """What the seconds of a posterior go into.

    Attributes
    ----------
    seconds : dict of str to float
        By stage, the least of several runs.
    read : int
        Bytes of the network's own arrays: nobody can do with less than reading them once.
    """

    seconds: dict[str, float]
    read: int

    def describe(self, memory: Bandwidth) -> str:
        """Set the stages against the machine's bandwidth."""
        least, total = self.read / memory.all, sum(self.seconds.values())
        each = ", ".join(f"{name} {took:.3g} s" for name, took in self.seconds.items())
        return (
            f"Roofline of the whole: reading the network's {self.read / 2**20:.4g} MiB once at "
            f"{memory.all / 1e9:.3g} GB/s takes {least:.3g} s; the stages, stopped one by one, "
            f"take {total:.3g} s, {total / least:.3g} × as long: {each}."
        )


def stages(network: Network, rel_err: float) -> Stages:
    """Time the stages of a mean posterior variance with one block of draws."""
    world = network.trie
    assert world is not None
    arrays = (network.u, network.v, network.variance, world.parent, world.depth, world.addresses)
    pairs, best = pairs_a_draw(network, rel_err), dict[str, float]()
    for number in range(REPEATS):
        rng = np.random.default_rng(number)
        took: dict[str, float] = {}

        def stage(name: str, run: Callable[[], Any], took: dict[str, float] = took) -> Any:
            start = time.perf_counter()
            found = run()
            took[name] = time.perf_counter() - start
            return found

        stage("checking", network.check)
        reduced = stage("leaves out", lambda: reduce_network(network, resistances=True))
        solver = ReducedSolver(network, reduced, small=False)
        stage("factorising", solver.prepare)
        size = len(reduced.role)
        drawn = stage("drawing", lambda z=size, r=rng: draw_probes(network, z, WIDTH, pairs, r))
        stage("solving", lambda d=drawn, s=solver: d.energy(s, rel_err / FINER))
        best = {name: min(best.get(name, np.inf), one) for name, one in took.items()}
    return Stages(best, sum(one.nbytes for one in arrays))
