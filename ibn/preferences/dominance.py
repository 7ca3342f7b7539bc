"""Whether a Bradley-Terry likelihood has a maximum: Ford's condition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def has_maximum(
    size: int,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    preferred: NDArray[np.float64],
) -> bool:
    """Tell whether no group of players dominates the rest.

    The likelihood of Bradley-Terry rewards has a maximum, unique up to a shift, if and only if
    in every division of the players in two somebody of either side beats somebody of the other
    (Ford 1957): the graph of who beat whom is strongly connected.

    Parameters
    ----------
    size : int
        Number of players.
    a, b : ndarray of int, shape (n,)
        The two sides of each comparison.
    preferred : ndarray of float, shape (n,)
        Share of labels that prefer ``a``: 1, 0 or anything between.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    a_won, b_won = preferred > 0, preferred < 1
    winner = np.concatenate([a[a_won], b[b_won]])
    loser = np.concatenate([b[a_won], a[b_won]])
    beats = csr_array((np.ones(len(winner), np.int8), (winner, loser)), shape=(size, size))
    return bool(connected_components(beats, connection="strong", return_labels=False) == 1)
