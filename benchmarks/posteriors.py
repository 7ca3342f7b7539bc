"""Mean posterior variance, beside linear solvers on the same estimator."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, cg

from benchmarks.contest import Contest, Contestant, Faster, Run, Trial, timed
from benchmarks.machine import bandwidth
from benchmarks.precision import draws_needed
from benchmarks.roofline import iteration, stages
from benchmarks.timing import Agreement
from benchmarks.worlds import SETTING, WORLD, Stream, dataset, network_of, whole_network
from ibn.estimate import Estimate
from ibn.inference.gaussian import mean_variance
from ibn.network import Network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers.reduced import ReducedSolver

REL_ERR = 0.01
ENERGY_ERR = 1e-3
MOST_PAIRS = 2**14  # that few, for more nodes would slow the peers and win them nothing
STUDIED_DRAWS = 8
LEAST_DRAWS = 4
MOST_SECONDS = 300.0


@dataclass(frozen=True)
class Preconditioner:
    """What a peer puts in front of SciPy's conjugate gradients.

    Attributes
    ----------
    name : str
        As the table shows it.
    module : str
        What is imported.
    make : callable
        From a Laplacian, the approximate inverse.
    """

    name: str
    module: str
    make: Callable[[csr_array], Any]


def _jacobi(laplacian: csr_array) -> LinearOperator:
    inverse = 1.0 / laplacian.diagonal()
    return LinearOperator(laplacian.shape, matvec=lambda x: inverse * x)


def _multigrid(laplacian: csr_array) -> Any:
    # Of PyAMG's methods the one that coped best with these graphs; aggregation fills in at hubs.
    hierarchy = import_module("pyamg").ruge_stuben_solver(laplacian)
    return hierarchy.aspreconditioner()


def _approximate_cholesky(laplacian: csr_array) -> Any:
    return import_module("approx_chol").factorize(laplacian)


def _apxchol(laplacian: csr_array) -> LinearOperator:
    solver = import_module("apxchol").factorize(laplacian, keep_factor=False)
    return LinearOperator(laplacian.shape, matvec=solver.apply)


PRECONDITIONERS = (
    Preconditioner("SciPy cg, Jacobi", "scipy", _jacobi),
    Preconditioner("SciPy cg, PyAMG Ruge-Stüben", "pyamg", _multigrid),
    Preconditioner("SciPy cg, approx-chol", "approx_chol", _approximate_cholesky),
    Preconditioner("SciPy cg, apxchol", "apxchol", _apxchol),
)


class _Enough(Exception):
    """Raised out of a solver when its energy is good enough, or its time is up."""


def solve(
    laplacian: csr_array, flow: NDArray[np.float64], inverse: Any, energy: float, most: float
) -> tuple[float, float, int]:
    """Run conjugate gradients until the energy is known to ``ENERGY_ERR``.

    The solver is told the right energy and stops the moment it is near enough; finding that out
    is not counted. No stopping rule that it could use by itself would be faster.

    Returns
    -------
    seconds : float
        Time of the iterations alone.
    energy : float
        flow' x in the end.
    iterations : int
    """
    iterations, reached, watching = 0, 0.0, 0.0

    def watch(x: NDArray[np.float64]) -> None:
        nonlocal iterations, reached, watching
        now = time.perf_counter()
        iterations += 1
        reached = float(flow @ x)
        if abs(reached / energy - 1.0) <= ENERGY_ERR or now - start - watching > most:
            raise _Enough
        watching += time.perf_counter() - now

    start = end = time.perf_counter()
    try:
        cg(laplacian, flow, rtol=1e-14, maxiter=10**9, M=inverse, callback=watch)
        end = time.perf_counter()
    except _Enough:
        end = time.perf_counter()
    return end - start - watching, reached, iterations


def _draw(comparisons: Comparisons, pairs: int, number: int) -> tuple[Network, NDArray[np.float64]]:
    """One draw of the estimator: the network with its queries in it, and the current at nodes."""
    rng = Stream.QUERIES.rng(number)
    whole, positions = whole_network(comparisons, WORLD.sample(2 * pairs, rng))
    flow = np.zeros(whole.size)
    np.add.at(flow, whole.nodes[positions], np.repeat([1.0, -1.0], pairs))
    return whole, flow


def _energy(whole: Network, flow: NDArray[np.float64]) -> float:
    return float(ReducedSolver.of(whole).energy(flow[:, None])[0])


def _prepare(topology: str, n: int) -> Trial:
    comparisons = dataset(topology, n)
    network = network_of(comparisons)

    pairs = max(min(len(comparisons.responses) // 8, MOST_PAIRS), 1)
    energies = np.array(
        [_energy(*_draw(comparisons, pairs, number)) for number in range(STUDIED_DRAWS)]
    )
    whole, flow = _draw(comparisons, pairs, 0)
    energy = float(energies[0])
    variation = float(energies.std(ddof=1) / energies.mean())
    needed = draws_needed(variation, REL_ERR, LEAST_DRAWS)
    mean = float(energies.mean()) / pairs
    stderr = mean * variation / STUDIED_DRAWS**0.5

    def ours(number: int) -> Estimate:
        return mean_variance(network, rel_err=REL_ERR, rng=Stream.ESTIMATOR.rng(number))

    def check(found: Estimate) -> Agreement:
        # Six, for with so few draws a standard error is itself uncertain.
        z = (found.mean - mean) / np.hypot(found.stderr, stderr)
        text = f"{found.mean:.4g} ± {found.stderr:.1g}; {z:+.1f} standard errors off"
        return Agreement(bool(abs(z) < 6 and found.relative_error <= REL_ERR), text)

    def solving(preconditioner: Preconditioner) -> Contestant:
        def run(number: int) -> Run:
            start = time.perf_counter()
            laplacian = whole.laplacian()
            assembling = time.perf_counter() - start
            start = time.perf_counter()
            inverse = preconditioner.make(laplacian)
            making = time.perf_counter() - start
            seconds, reached, iterations = solve(laplacian, flow, inverse, energy, MOST_SECONDS)
            note = (
                f"{assembling:.3g} s to assemble + {making:.3g} s to precondition + {needed} draws "
                f"× {seconds:.3g} s ({iterations} iterations)"
            )
            return Run(
                assembling + making + needed * seconds,
                reached / energy - 1.0,
                at_least=seconds >= MOST_SECONDS,
                note=note,
            )

        def compare(off: float) -> Agreement:
            return Agreement(abs(off) <= ENERGY_ERR, f"energy within {abs(off):.0e} of ours")

        return Contestant(preconditioner.name, run, compare)

    present = {one: find_spec(one.module) is not None for one in PRECONDITIONERS}
    return Trial(
        ours=Contestant("ibn mean_variance", timed(ours), check),
        peers=[solving(one) for one in PRECONDITIONERS if present[one]],
        absent={one.name: "not installed" for one in PRECONDITIONERS if not present[one]},
        notes=(
            SETTING,
            f"Peers' draws inject ±1 at {2 * pairs:,} uniform queries, which stand in their "
            f"network ({whole.size:,} nodes, {len(whole.u):,} edges). One draw varies by "
            f"{variation:.2%}, so that {needed} are enough; with fewer than {LEAST_DRAWS} they "
            "could not tell their standard error. **Peers' times are extrapolated**: assembling "
            "the Laplacian and making the preconditioner, once, and one draw's time times the "
            f"draws. An oracle, not counted, stops a peer the moment its energy is within "
            f"{ENERGY_ERR:.1%}.",
        ),
        afterwards=lambda: _rooflines(network),
    )


def _rooflines(network: Network) -> tuple[str, ...]:
    memory = bandwidth()
    return stages(network, REL_ERR).describe(memory), iteration(network).describe(memory)


def _case(topology: str, times: float) -> Contest:
    prepare: Callable[[int], Trial] = partial(_prepare, topology)
    return Contest(
        name=f"posterior-{topology}",
        what=f"Mean posterior variance to {REL_ERR:.0%} standard error, {topology}",
        n=1_000_000,
        small=20_000,
        prepare=prepare,
        targets=(Faster(times, "SciPy cg, Jacobi"), Faster(3)),
    )


CASES = tuple(
    _case(topology, times)
    for topology, times in {"chain": 100, "tree": 8, "star": 10, "expander": 8}.items()
)
