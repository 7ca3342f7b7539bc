"""What a network made ready for many right-hand sides can do."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Solver(Protocol):
    """A connected network's Laplacian L, ready for many right-hand sides."""

    def energy(self, inflow: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Energy inflow' L⁺ inflow dissipated by currents injected at the nodes.

        Parameters
        ----------
        inflow : ndarray of float, shape (size, k)
            Current at each node, each column adding up to 0.
        tolerance : float
            Relative error allowed; the energy is approached from below.

        Returns
        -------
        ndarray of float, shape (k,)
        """
        ...

    def potential(self, inflow: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Potentials L⁺ inflow at every node, each column centred over the nodes.

        Parameters
        ----------
        inflow : ndarray of float, shape (size, k)
            Current at each node, each column adding up to 0.
        tolerance : float
            Relative error allowed of each column's energy; in the energy's norm the potentials'
            own is its root.

        Returns
        -------
        ndarray of float, shape (size, k)
        """
        ...
