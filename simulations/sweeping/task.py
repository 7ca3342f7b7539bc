"""A task: the frozen description of one Monte Carlo estimate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from ibn.estimate import Estimate
    from ibn.network import Network

RESULTS_VERSION = 2
"""Raised whenever a change of the library changes what a task's answer is."""


@dataclass(frozen=True)
class Task:
    """One estimate to make, and all that determines it."""

    topology: str  # one of ibn.topology.TOPOLOGIES
    n: int
    family: str  # family of the structural function
    alpha: float  # α of the family; 0 where the family has none
    # I and B of the ultrametric world
    scale: float
    branching: int
    beta: float  # inverse temperature of the labels, per unit of reward
    # |S|, the distinct responses that a tree is drawn from; 0 for topologies without it
    leaves: int
    inference: str  # one of INFERENCES
    replicate: int  # number of the dataset among those drawn alike
    seed: int  # seed of all random streams
    rel_err: float  # standard error wanted, over the mean
    # caps on draws and on wall-clock time; 0 for none. They decide whether an answer is finished,
    # never what a finished answer is
    max_count: int = 0
    max_seconds: float = 0.0

    @cached_property
    def id(self) -> str:
        """The strong id under the current results version."""
        return self.strong_id(RESULTS_VERSION)

    def strong_id(self, version: int) -> str:
        """Hash everything that determines the answer, under a version of the results.

        The leading letter keeps spreadsheets from reading an id as a number.
        """
        names = (*_DATASET, "inference", "rel_err")
        return "t" + self._hash(names, f"results version {version}").hex()[:19]

    def stream(self, purpose: str) -> np.random.Generator:
        """Return the random stream for a purpose, ``"dataset"`` or ``"estimator"``.

        The dataset's is the same whatever the inference, so that all kinds of inference measure
        the same dataset; neither depends on the precision asked for.
        """
        import numpy as np

        names = _DATASET if purpose == "dataset" else (*_DATASET, "inference")
        return np.random.default_rng(int.from_bytes(self._hash(names, purpose), "big"))

    def _hash(self, names: tuple[str, ...], purpose: str) -> bytes:
        key = [purpose, *([name, getattr(self, name)] for name in names)]
        return hashlib.sha256(json.dumps(key).encode()).digest()


CAPS = ("max_count", "max_seconds")
_DATASET = tuple(
    field.name for field in fields(Task) if field.name not in ("inference", "rel_err", *CAPS)
)


def _path(network: Network, **stopping: Any) -> Estimate:
    from ibn.inference.paths import mean_distance

    return mean_distance(network, **stopping)


def _exact(network: Network, **stopping: Any) -> Estimate:
    from ibn.inference.gaussian import mean_variance

    return mean_variance(network, **stopping)


INFERENCES: dict[str, Callable[..., Estimate]] = {"path": _path, "exact": _exact}
"""Kinds of inference: ``f(network, rel_err=, rng=, max_count=, max_seconds=) -> Estimate``."""


def run_task(task: Task) -> Estimate:
    """Draw the task's dataset and measure its mean uncertainty.

    Returns mean inference distance or mean posterior variance over random pairs of responses, in
    squared units of reward.
    """
    from ibn.bias.ultrametric import Ultrametric
    from ibn.network import build_network
    from ibn.preferences.noise import LabelNoise
    from ibn.topology import build

    world = Ultrametric(task.family, task.alpha or 1.0, task.scale, task.branching)
    comparisons = build(
        task.topology, world, task.n, task.stream("dataset"), leaves=task.leaves or None
    )
    caps = {name: value for name in CAPS if (value := getattr(task, name))}
    return INFERENCES[task.inference](
        build_network(world, comparisons, LabelNoise(task.beta).variance()),
        rel_err=task.rel_err,
        rng=task.stream("estimator"),
        **caps,
    )
