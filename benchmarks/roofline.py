"""How near an iteration of conjugate gradients comes to what memory bandwidth allows."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from benchmarks.machine import Bandwidth
from ibn.errors import InputError
from ibn.kernels.forest import WIDTH
from ibn.network import Network
from ibn.solvers.conjugate_gradients import conjugate_gradient
from ibn.solvers.reduced import ReducedSolver

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
