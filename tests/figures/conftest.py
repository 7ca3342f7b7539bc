import csv
import json
import shutil
from dataclasses import asdict
from itertools import product

import numpy as np
import pytest

from ibn.figures.measurements import COLUMNS
from ibn.simulations import recorded
from ibn.simulations.validation.document import WinRate
from ibn.simulations.validation.repetition import ModelResult

SIZES = (100, 1_000, 10_000)


def uncertainty(topology, n, inference):
    """Made-up curves in simple closed form: what a test expects, not what was ever measured."""
    power = {"chain": 1.5, "tree": 1.0, "star": 0.5, "expander": 0.75}[topology]
    return power * (2.0 if inference == "path" else 1.0) * n**-0.3


@pytest.fixture
def sweep(tmp_path):
    """Write a sweep of made-up curves; keywords replace values, ``where`` selects rows."""

    def write(name="sweep.csv", where=lambda row: True, replicates=2, extra=(), **values):
        rows = []
        for topology in ("chain", "tree", "star", "expander"):
            for n in SIZES:
                for inference in ("path", "exact"):
                    for replicate in range(replicates):
                        mean = uncertainty(topology, n, inference)
                        row = {
                            "task": f"t{len(rows)}",
                            "topology": topology,
                            "n": n,
                            "family": "power",
                            "alpha": 0.3,
                            "scale": 1.0,
                            "branching": 2,
                            "beta": 1814.0,
                            "leaves": round(n / np.log(n)) if topology == "tree" else 0,
                            "inference": inference,
                            "replicate": replicate,
                            "seed": 0,
                            "mean": mean * (1 + 0.01 * (-1) ** replicate),
                            "stderr": 0.005 * mean,
                            "count": 1000,
                            "seconds": 0.5,
                        } | values
                        rows += [row] if where(row) else []
        path = tmp_path / name
        with path.open("w", newline="") as file:
            lines = csv.DictWriter(file, [*COLUMNS, "status"], restval="done")
            lines.writeheader()
            lines.writerows([*rows, *extra])
        return path

    return write


def found(check, data, verdict="holds"):
    return {
        "check": check,
        "method": "Monte Carlo",
        "verdict": verdict,
        "evidence": "told",
        "data": data,
    }


@pytest.fixture
def evidence():
    """Made-up evidence of the ledger, as ``ibn check --json`` prints it."""
    loss = [
        {"n": n}
        | {
            name: [scale / n, 0.05 * scale / n]
            for name, scale in (
                ("kl", 1.1),
                ("predicted", 1.0),
                ("second_order", 1.05),
                ("total_variation", 0.5),
            )
        }
        for n in (30, 300, 3000)
    ]

    def drifts(n, log_n, worlds):
        left = {"n": [n, 0.004, 0.03], "log_n": [log_n, 0.03, 0.3]}
        claimed = {"n": -0.3, "log_n": 0.6}
        return {world: {"claimed": claimed, "left": left} for world in worlds}

    family = ("power α=0.3", "power α=1", "sub-logarithmic")
    checks = {
        "M3": [found("chain and tree, measured", {"chain": loss, "tree": loss})],
        "P5": [found("attained, measured", drifts(-0.08, -0.7, family), "fails")],
        "P7": [found("attained, measured", drifts(0.01, 0.1, family))],
        "E3": [found("measured, between its bounds", drifts(0.0, 0.0, family[:2]))],
    }
    return [
        {
            "id": name,
            "verdict": "fails" if name == "P5" else "holds",
            "statement": "stated",
            "source": "this test",
            "assumptions": ["none"],
            "evidence": each,
        }
        for name, each in checks.items()
    ]


def validation(task):
    """A made-up result of ``ibn validate``: what a test expects, not what was ever measured."""
    rng = np.random.default_rng(len(task))
    rivals = (("tree", "chain"), ("tree", "base"), ("chain", "base"))
    decoders = (
        ("best-of-n", 2),
        ("best-of-n", 4),
        ("best-of-n", 8),
        ("rft", 8),
        ("policy-optimisation", 8),
    )
    wins = [
        WinRate(
            policy, against, decoder, budget, draws,
            rate=0.5 + 0.02 * draws, low=0.42 + 0.02 * draws, high=0.58 + 0.02 * draws,
            prompts=72, ties=0.25,
        )
        for budget, (decoder, draws), (policy, against) in product(
            ("comparisons", "tokens"), decoders, rivals
        )
    ]  # fmt: skip
    models = [
        ModelResult(
            topology, budget, share, seed, comparisons=round(96 * share), tokens=4000,
            read=150.0 + seed if topology == "tree" else 190.0, read_whole=190.0, accuracy=0.6,
            error=0.9 - 0.1 * share + 0.01 * rng.normal(), distance=1.9 - 0.2 * share,
            variance=1.5 - 0.2 * share,
            kernel_variance=1.4 - 0.2 * share,
        )
        for topology, budget, share, seed in product(
            ("chain", "tree"), ("comparisons", "tokens"), (0.25, 0.5, 1.0), range(3)
        )
    ]  # fmt: skip
    return {
        "task": task,
        "gold": "a made-up measure",
        "profile": "cpu",
        "model": "made up",
        "seeds": 3,
        "paper_tree_against_chain": 0.6,
        "win_rates": [asdict(one) for one in wins],
        "reward_models": [asdict(one) for one in models],
    }


@pytest.fixture
def records(tmp_path, monkeypatch):
    """Put made-up results of ``ibn validate`` on record beside what else is there."""
    folder = tmp_path / "recorded"
    shutil.copytree(recorded.FOLDER, folder)
    for task in ("hh", "gsm8k", "dialogsum"):
        (folder / f"validation-{task}.json").write_text(json.dumps(validation(task)))
    monkeypatch.setattr(recorded, "FOLDER", folder)
    return folder
