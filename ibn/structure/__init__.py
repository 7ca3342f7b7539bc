"""The structural function F(M) of a task, estimated from its responses, and its family."""

from ibn.structure.families import Fit, Fits, fit_families
from ibn.structure.function import (
    Structure,
    bias_distances,
    structural_function,
    structural_function_of_distances,
)

__all__ = [
    "Fit",
    "Fits",
    "Structure",
    "bias_distances",
    "fit_families",
    "structural_function",
    "structural_function_of_distances",
]
