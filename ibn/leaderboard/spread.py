"""How far rewards may be off: the covariance behind the intervals.

Under the model it is the inverse Fisher information. A tie that counts as half a win varies less
than a win or a loss, so the information understates what battles with ties tell; weights and
clusters make it overstate. Both are put right by the sandwich, with two corrections for items of
few battles, whose own residuals say nothing: the variance of a pair's battles is drawn towards
that of the whole board, and residuals are scaled up by their leverage.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ibn.errors import InputError
from ibn.leaderboard.battles import Battles, Tally
from ibn.leaderboard.bradley_terry import Fit, Floats, gram

# Information, in battles' p(1 - p), at which a pair's own spread counts as much as the board's:
# 20 even battles.
BORROWED = 5.0
FEWEST_CLUSTERS = 5


def spread(rows: Tally, fitted: Fit, *, halves: bool) -> Floats:
    """Covariance of rewards and effects when battles are independent.

    Parameters
    ----------
    rows : Tally
    fitted : Fit
        Of them.
    halves : bool
        Whether ties, or other fractions, were counted as shares of a win.

    Returns
    -------
    ndarray of float, shape (K + q, K + q)
    """
    weight, of_weight, of_square = rows.moments
    expected = weight * fitted.slopes.information
    uneven = not np.allclose(weight, rows.weight)
    shares = halves and not np.allclose(of_weight, of_square)
    if not uneven and not shares:
        return fitted.covariance
    meat = expected * _dispersion(rows, fitted, expected) if shares else expected
    return fitted.covariance @ gram(rows, meat) @ fitted.covariance


def _dispersion(rows: Tally, fitted: Fit, expected: Floats) -> Floats:
    """Spread of each row's outcomes over that of wins and losses alone, shape (m,)."""
    chance = fitted.slopes.slope[0]  # 1 - p
    p = 1.0 - chance
    found = rows.moments[2] - 2.0 * p * rows.moments[1] + p**2 * rows.moments[0]
    left = expected * np.maximum(1.0 - fitted.leverage / rows.number, 0.0)
    board = (found.sum() + BORROWED) / (left.sum() + BORROWED)
    return (found + BORROWED * board) / (left + BORROWED)


def clustered(
    battles: Battles, rows: Tally, fitted: Fit, codes: NDArray[np.int64], least: Floats
) -> Floats:
    """Covariance when battles of one cluster, as of one judge, depend on each other.

    Parameters
    ----------
    battles : Battles
    rows : Tally
        Of them.
    fitted : Fit
    codes : ndarray of int, shape (n,)
        The cluster of each battle.
    least : ndarray of float, shape (K + q, K + q)
        Covariance of independent battles: no variance is less, for an item that few clusters
        judged seems surer than it is.

    Raises
    ------
    InputError
        If there are fewer than 5 clusters.
    """
    found = scores(battles, rows, fitted, codes)
    count = found.shape[0]
    if count < FEWEST_CLUSTERS:
        raise InputError(
            f"{count} clusters are too few to tell how they differ",
            fix=f"at least {FEWEST_CLUSTERS}, or leave the clusters out",
        )
    meat = (found.T @ found).toarray() * count / (count - 1.0)
    sandwich = fitted.covariance @ meat @ fitted.covariance
    short = np.maximum(np.diagonal(least) - np.diagonal(sandwich), 0.0)
    return sandwich + np.diag(short)


def scores(battles: Battles, rows: Tally, fitted: Fit, codes: NDArray[np.int64]) -> csr_array:
    """Slope of each cluster's log-likelihood in rewards and effects, shape (clusters, K + q)."""
    share = np.where(rows.kept, battles.outcome, 1.0 - battles.outcome)
    win, tie, loss = fitted.slopes.slope[:, rows.row]
    pull = np.where(share == 0.5, tie, share * win + (1.0 - share) * loss)
    for factor in (battles.weight, battles.count):
        if factor is not None:
            pull = pull * factor
    steep = pull if rows.slope is None else pull * rows.slope[rows.row]
    a, b = rows.a[rows.row], rows.b[rows.row]
    x = rows.x[rows.row]
    q = x.shape[1]
    cluster = np.unique(codes, return_inverse=True)[1]
    values = np.concatenate([steep, -steep, *(pull * column for column in x.T)])
    columns = np.concatenate([a, b, *(np.full(len(a), rows.items + j) for j in range(q))])
    shape = (int(cluster.max()) + 1, rows.items + q)
    return csr_array((values, (np.tile(cluster, 2 + q), columns)), shape=shape)
