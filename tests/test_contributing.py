"""The examples of CONTRIBUTING and of the documentation run, and say what they should."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLES = dict(re.findall(r"```python (\w+)\n(.*?)```", TEXT, re.DOTALL))


def run(name):
    space = {"__name__": "example"}
    exec(compile(EXAMPLES[name], f"CONTRIBUTING.md, {name}", "exec"), space)
    return space


@pytest.mark.parametrize("name", ["topology", "bias", "claim", "figure"])
def test_examples_are_short(name):
    lines = [line for line in EXAMPLES[name].splitlines() if line.strip()]
    assert len(lines) < 30


def test_a_new_topology(capsys):
    space = run("topology")
    comparisons = space["wheel"](space["world"].sample, 9, np.random.default_rng(0))
    assert len(comparisons) == 8
    assert sorted(comparisons.uses.tolist()) == [3, 3, 3, 3, 4]
    assert capsys.readouterr().out.count("Estimate(mean=") == 2


def test_a_new_inductive_bias(capsys):
    from ibn.inference.gaussian import resistance
    from ibn.network import build_network
    from ibn.preferences.comparisons import Comparisons

    space = run("bias")
    none = np.empty(0, np.int64)
    network = build_network(space["Line"](), Comparisons(np.array([0.0, 3.0, 1.0]), none, none), 1)
    assert resistance(network, np.array([[0, 1], [0, 2]])) == pytest.approx([3.0, 1.0])
    assert "Estimate(mean=" in capsys.readouterr().out


def test_a_new_claim(capsys):
    run("claim")
    assert capsys.readouterr().out.split() == ["holds", "fails"]


def test_a_new_figure(tmp_path):
    from ibn.figures.measurements import read, worlds
    from ibn.simulations.sweeping.grid import Grid
    from ibn.simulations.sweeping.sweep import run as sweep

    space = run("figure")
    out = tmp_path / "s.csv"
    sweep(Grid(n="100,1000", inference="path", rel_err=0.1).tasks(), out)
    (world, rows), *_ = worlds(read(out))
    figure = space["draw"](space["fits"](rows, world))
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert space["caption"]({})
