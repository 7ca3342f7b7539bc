"""Log loss of predicted probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TINY = 1e-12


def log_losses(
    probability: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """-log P(label) of each comparison; ``target`` is 1, 0, or 1/2 for a tie."""
    p = np.clip(probability, TINY, 1.0 - TINY)
    return -(target * np.log(p) + (1.0 - target) * np.log1p(-p))
