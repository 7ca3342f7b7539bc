"""How diverse the task is: its structural function, with the family and exponent that fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.structure import Fits, estimate_structure, fit_families


@dataclass(frozen=True)
class TaskStructure:
    """The structural function F(M) of a dataset's responses (theory §1)."""

    cells: tuple[int, ...]  # numbers of cells M
    # F(M), in squared units of reward: an upper bound by recursive bisection; standard errors treat
    # prompts, not responses, as independent
    value: tuple[Estimate, ...]
    responses: int  # how many it was estimated from
    fits: Fits  # the families fitted
    words: str  # which family it is, or which cannot be distinguished


def measure_structure(
    points: NDArray[np.floating],
    bias_scale: float,
    prompt_of: NDArray[np.int64],
    rng: np.random.Generator,
) -> TaskStructure | None:
    """Estimate the structural function of responses and fit the families.

    d_IB is the squared length between embeddings, as for a reward linear in them, scaled so that
    two random responses are ``bias_scale`` apart.

    ``points`` are their embeddings, of unit length where the metric is cosine. ``None`` stands for
    too few responses to tell.
    """
    m = len(points)
    centred = points - points.mean(axis=0)
    spread = 2.0 * float(np.einsum("ij,ij->", centred, centred)) / max(m - 1, 1)
    try:
        if not spread > 0:
            return None
        found = estimate_structure(
            points, rng=rng, metric="euclidean", scale=bias_scale / spread, groups=prompt_of
        )
        fits = fit_families(found)
    except InputError:
        return None
    errors = found.stderr
    return TaskStructure(
        cells=tuple(found.cells.tolist()),
        value=tuple(
            Estimate(float(value), float(error), found.responses)
            for value, error in zip(found.value, errors, strict=True)
        ),
        responses=found.responses,
        fits=fits,
        words=fits.words(),
    )
