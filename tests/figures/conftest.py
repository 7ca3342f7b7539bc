import csv

import numpy as np
import pytest

from figures.results import COLUMNS

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
