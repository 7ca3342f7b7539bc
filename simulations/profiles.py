"""Profiles: the grids that ``ibn reproduce`` runs."""

from __future__ import annotations

from simulations.grid import Grid
from simulations.task import Task

TOPOLOGIES = "chain,tree,star,expander"

PROFILES: dict[str, tuple[Grid, ...]] = {
    # One world in regime A, small enough for a first look.
    "quick": (Grid(topology=TOPOLOGIES, n="1e2:1e5:7", rel_err=0.02, replicates=8),),
    # Every family in both regimes: σ² is 1e-6 at β = 1814 and 3.3 at β = 1.
    "full": (
        Grid(topology=TOPOLOGIES, n="1e2:1e6:9", alpha="0.1,0.3,1", beta="1814,1", replicates=8),
        Grid(
            topology=TOPOLOGIES,
            n="1e2:1e6:9",
            family="logarithmic,sub-logarithmic",
            alpha="1",
            beta="1814,1",
            replicates=8,
        ),
    ),
}


def tasks(profile: str) -> list[Task]:
    """List the tasks of a profile."""
    return [task for grid in PROFILES[profile] for task in grid.tasks()]
