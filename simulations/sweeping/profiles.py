"""Profiles: the grids that ``ibn reproduce`` runs."""

from __future__ import annotations

from typing import Any

from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.task import Task

MAIN = "chain,tree,star,expander"
ALL = (
    f"{MAIN},kwise,tree-grown,stratified-chain,stratified-tree,stratified-star,"
    "stratified-expander,stratified-kwise"
)

# Every family in both regimes: σ² is 1e-6 at β = 1814 and 3.3, above I, at β = 1.
_EVERY: dict[str, Any] = {
    "family": "power,logarithmic,sub-logarithmic",
    "alpha": "0.1,0.2,0.3,0.5,1",
    "beta": "1814,1",
}

_SLOWER = "logarithmic,sub-logarithmic"
_BOTH = "n/log(n),n"  # |S|: the paper's, and near the best along paths (claim T5)
_GLANCE: dict[str, Any] = {
    **{"topology": "chain,tree", "leaves": _BOTH, "rel_err": 0.03},
    "replicates": 4,
}

PROFILES: dict[str, tuple[Grid, ...]] = {
    # One world in regime A, closely; other α, regime B and the slower families at a glance; and
    # all topologies at one n. Small enough for a first look. Replicates make the intervals: eight
    # where numbers are published, four where a figure only asks on which side of 1 a ratio is.
    "quick": (
        Grid(topology="chain,tree", n="1e2:1e5:7", leaves=_BOTH, rel_err=0.02, replicates=8),
        Grid(topology="star,expander", n="1e2:1e5:7", rel_err=0.02, replicates=4),
        Grid(n="1e2:1e4:3", alpha="0.1,0.5,1", **_GLANCE),
        Grid(n="1e2:1e4:3", beta="1", **_GLANCE),
        Grid(n="1e2,3e2,1e3", family=_SLOWER, alpha="0.5", beta="1814,1", **_GLANCE),
        Grid(topology=ALL, n="1e4", rel_err=0.02, replicates=4),
    ),
    # Large networks take minutes each where paths wander far: fewer replicates there, never fewer
    # than an interval over datasets needs, and the designs that figures show.
    "full": (
        Grid(topology=ALL, n="1e2:1e4:5", leaves=_BOTH, rel_err=0.02, replicates=8, **_EVERY),
        Grid(topology=MAIN, n="1e5", leaves=_BOTH, rel_err=0.04, replicates=4, **_EVERY),
        Grid(topology=MAIN, n="1e6", leaves=_BOTH, rel_err=0.04, replicates=4, **_EVERY),
    ),
}


def tasks(profile: str) -> list[Task]:
    """List the tasks of a profile, each once."""
    return list(dict.fromkeys(task for grid in PROFILES[profile] for task in grid.tasks()))
