"""The structural function F(M) of a task, estimated from its responses, and its family."""

from ibn.structure.families import FamilyFit, Fits, fit_families
from ibn.structure.function import (
    Structure,
    bias_distances,
    estimate_structure,
    structural_function_of_distances,
)

__all__ = [
    "FamilyFit",
    "Fits",
    "Structure",
    "bias_distances",
    "estimate_structure",
    "fit_families",
    "structural_function_of_distances",
]
