import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.paths import mean_distance
from ibn.network import build_network
from ibn.preferences.noise import LabelNoise
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.task import RESULTS_VERSION, Task, run_task
from ibn.topology import tree

TASK = Grid(topology="tree", n=100, inference="path").tasks()[0]
OTHER = {
    "topology": "tree-grown",
    "n": 101,
    "family": "logarithmic",
    "alpha": 0.4,
    "scale": 2.0,
    "branching": 3,
    "beta": 3.0,
    "leaves": 7,
    "inference": "exact",
    "replicate": 1,
    "seed": 1,
    "rel_err": 0.02,
}


@pytest.mark.parametrize("name", OTHER)
def test_id_depends_on_all_that_determines_the_answer(name):
    assert replace(TASK, **{name: OTHER[name]}).id != TASK.id


def test_id_depends_on_the_results_version_but_not_on_caps():
    assert TASK.strong_id(RESULTS_VERSION + 1) != TASK.id
    assert replace(TASK, max_count=5, max_seconds=1.0).id == TASK.id


def test_id_is_the_same_in_another_process():
    code = (
        "from ibn.simulations.sweeping.grid import Grid; "
        "print(Grid(topology='tree', n=100, inference='path')"
    )
    out = subprocess.run(
        [sys.executable, "-c", code + ".tasks()[0].id)"], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == TASK.id


@pytest.mark.parametrize(
    ("change", "same_dataset", "same_estimator"),
    [
        ({"inference": "exact"}, True, False),
        ({"rel_err": 0.5}, True, True),
        ({"max_count": 9}, True, True),
        ({"replicate": 1}, False, False),
        ({"seed": 1}, False, False),
        ({"beta": 3.0}, False, False),
    ],
)
def test_streams_are_shared_where_they_should_be(change, same_dataset, same_estimator):
    def draw(task: Task, purpose: str) -> int:
        return int(task.stream(purpose).integers(2**63))

    other = replace(TASK, **change)
    assert (draw(TASK, "dataset") == draw(other, "dataset")) == same_dataset
    assert (draw(TASK, "estimator") == draw(other, "estimator")) == same_estimator
    assert draw(TASK, "dataset") != draw(TASK, "estimator")


def test_run_task_is_the_library_called_by_hand():
    world = Ultrametric("power", 0.3, 1.0, 2)
    comparisons = tree(world.sample, 100, TASK.stream("dataset"), TASK.leaves)
    network = build_network(world, comparisons, LabelNoise(1814.0).variance())
    expected = mean_distance(network, rel_err=0.01, rng=TASK.stream("estimator"))
    found = run_task(TASK)
    assert (found.mean, found.stderr, found.count) == (
        expected.mean,
        expected.stderr,
        expected.count,
    )


@pytest.mark.parametrize("inference", ["path", "exact"])
def test_cap_on_draws_reaches_the_estimator(inference):
    task = replace(TASK, inference=inference, rel_err=1e-4)
    capped = run_task(replace(task, max_count=2000 if inference == "path" else 20))
    assert capped.relative_error > task.rel_err
    assert np.isfinite(capped.mean)


def test_families_without_alpha_run():
    assert run_task(replace(TASK, family="sub-logarithmic", alpha=0.0)).mean > 0
