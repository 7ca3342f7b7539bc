"""ibn: how uncertain a reward model is, from the topology of its comparisons.

The objects and verbs of the library, imported when first used so that ``import ibn`` is light.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

# Installed, simulations, proofs_check and figures stand in this folder; in a checkout, beside it.
_ROOT = Path(__file__).parents[1]
if (_ROOT / "setup.cfg").is_file() and (_ROOT / "proofs_check").is_dir():
    __path__.append(str(_ROOT))

_HOME = {
    "Battles": "ibn.leaderboard.battles",
    "Comparisons": "ibn.preferences.comparisons",
    "DistanceIndex": "ibn.inference.paths",
    "Estimate": "ibn.estimate",
    "InputError": "ibn.errors",
    "LabelNoise": "ibn.preferences.noise",
    "NeighbourGraph": "ibn.bias.neighbours",
    "Network": "ibn.network",
    "RewardModel": "ibn.learner.reward_model",
    "ReducedSolver": "ibn.solvers.reduced",
    "Ultrametric": "ibn.bias.ultrametric",
    "audit": "ibn.auditing.audit",
    "build_network": "ibn.network",
    "check": "ibn.proofs_check.decided",
    "fit_families": "ibn.structure",
    "gibbs": "ibn.theory.autoencoder",
    "inference_distance": "ibn.inference.paths",
    "laplace": "ibn.inference.laplace",
    "mean_distance": "ibn.inference.paths",
    "mean_variance": "ibn.inference.gaussian",
    "optimal_path": "ibn.inference.paths",
    "plan": "ibn.design.next_comparisons",
    "posterior_mean": "ibn.inference.gaussian",
    "posterior_samples": "ibn.inference.gaussian",
    "rank": "ibn.leaderboard.ranking",
    "read_battles": "ibn.preferences.reading",
    "read_preferences": "ibn.preferences.reading",
    "replay": "ibn.simulations.replayed",
    "resistance": "ibn.inference.gaussian",
    "resistance_matrix": "ibn.inference.gaussian",
    "sweep": "ibn.simulations.sweeping.swept",
    "simulate_labels": "ibn.preferences.noise",
    "estimate_structure": "ibn.structure",
    "write_preferences": "ibn.preferences.writing",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'ibn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
