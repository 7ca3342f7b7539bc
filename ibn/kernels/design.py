"""One greedy step of an experimental design over listed candidate pairs."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def update_and_choose(a, b, factor, open_, left, noise, by_variance, v, q, c, t, own, pull):
    """Learn from the comparison chosen last, and choose the next, in one pass over candidates.

    ``a``, ``b``, shape (N,): the candidates' responses; ``factor``, shape (N,): by what their
    differences are multiplied; ``open_``, shape (N,): which candidates may
    be chosen; ``left``, shape (m,): how many comparisons each response may still take part in;
    ``noise``, shape (N,): variance σ² of a label of each candidate; ``by_variance``: choose the
    largest variance of the reward difference, not the largest reduction; ``v``, ``q``, shape (m,):
    ΦΣx and ΦΣCΣx of the comparison x chosen last (zeros where there is none); ``c``, ``t``: its σ²
    + xᵀΣx and xᵀΣCΣx; ``own``, ``pull``, shape (N,): xᵀΣx and xᵀΣCΣx of each candidate; brought up
    to date. Returns the candidate with the largest score; the first of equals, -1 where none is
    open.
    """
    best, most = -1, -np.inf
    for i in range(len(a)):
        p = factor[i] * (v[a[i]] - v[b[i]])
        own[i] -= p * p / c
        pull[i] -= (2.0 * factor[i] * (q[a[i]] - q[b[i]]) - p * t / c) * p / c
        if not open_[i] or left[a[i]] == 0 or left[b[i]] == 0:
            continue
        score = own[i] if by_variance else pull[i] / (noise[i] + own[i])
        if score > most:
            best, most = i, score
    return best
