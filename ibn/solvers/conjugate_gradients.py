"""Preconditioned conjugate gradients, several right-hand sides at a time."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ibn.errors import STIFF, InputError
from ibn.kernels.steps import advance

MOST_ITERATIONS = 20_000  # a network that needs more is beyond double precision
SHARE = 4  # the decreases of the last iterations, one in so many of all, may go on as well


class System(Protocol):
    """A connected network's Laplacian and a preconditioner for it, over blocks of columns."""

    @property
    def patience(self) -> int:
        """Iterations for which the next decrease of the energy error is taken to go on."""
        ...

    @property
    def delay(self) -> int:
        """Iterations, at least, whose decreases stand for what is missing."""
        ...

    def multiply(
        self, x: NDArray[np.floating], y: NDArray[np.floating], product: NDArray[np.float64]
    ) -> None:
        """Multiply each column of x by the Laplacian into y, and the columns of x by those of y."""
        ...

    def measure(
        self,
        r: NDArray[np.floating],
        drift: NDArray[np.float64],
        z: NDArray[np.floating],
        product: NDArray[np.float64],
    ) -> None:
        """Take its mean, drift, out of each column of r, and multiply r by what solves for it.

        Leaves in z what :meth:`turn` goes on from.
        """
        ...

    def turn(
        self, z: NDArray[np.floating], beta: NDArray[np.float64], direction: NDArray[np.floating]
    ) -> None:
        """Solve for the r of :meth:`measure` into z; turn each direction: z + beta direction."""
        ...


@np.errstate(over="ignore", invalid="ignore")  # where numbers run away nothing converges
def conjugate_gradient(
    system: System,
    r: NDArray[np.floating],
    tolerance: float,
    with_potential: bool,
    most: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.floating]]:
    """Solve a Laplacian system by preconditioned conjugate gradients.

    The decreases of the energy error add up to the energy itself, so the energy needs no
    solution vector (Strakoš and Tichý 2002). What is missing is taken to be no more than the next
    decrease many times over, and no more than the last quarter of all decreases: either alone
    would be deceived, by a fast start or where the error stagnates.

    ``system``: the Laplacian and its preconditioner; ``r``, shape (N, k): injected currents, each
    column adding up to 0; overwritten; ``tolerance``: relative error of the energy at which to
    stop, for every column; ``with_potential``: whether the potentials are wanted; ``most``:
    iterations at most, by default ``MOST_ITERATIONS``. Returns ``energy``, shape (k,): r' L⁺ r of
    each column, approached from below; ``potential``, shape (N, k): a solution, up to a constant;
    shape (0, k) if not wanted. Raises InputError if so many iterations do not suffice.
    """
    size, k = r.shape
    most = MOST_ITERATIONS if most is None else most
    z, product = np.empty_like(r), np.empty_like(r)
    potential = np.zeros((size if with_potential else 0, k), r.dtype)
    direction = np.zeros_like(r)
    beta, rho, fresh, curvature, energy = np.zeros((5, k))
    decrease = np.empty((most, k))
    drift = r.mean(axis=0, dtype=np.float64)
    system.measure(r, drift, z, rho)
    for done in range(1, most + 1):
        system.turn(z, beta, direction)
        system.multiply(direction, product, curvature)
        alpha = _ratio(rho, curvature)
        decrease[done - 1] = alpha * rho
        energy += decrease[done - 1]
        advance(alpha, direction, product, r, drift, potential)
        system.measure(r, drift, z, fresh)
        last = max(system.delay, done // SHARE)
        missing = system.patience * fresh * np.maximum(alpha, 1.0)
        if done >= last and (missing <= tolerance * energy).all():
            recent = decrease[done - last : done].sum(axis=0)
            if (recent <= tolerance * energy).all():
                return energy, potential
        beta = _ratio(fresh, rho)
        rho[:] = fresh
    raise InputError(f"the posterior did not converge within {most} iterations", fix=STIFF)


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
