import pytest
from click.testing import CliRunner

from ibn.estimate import Estimate, quotient
from ibn.simulations import leaves
from ibn.simulations.sweeping.row import Row
from ibn.simulations.sweeping.store import load


def test_the_table_is_made_of_the_store_and_resumes(tmp_path):
    out = tmp_path / "leaves.csv"
    args = ["--n", "50,200", "--rel-err", "0.2", "--replicates", "3", "--jobs", "1", "--out", out]
    made = CliRunner().invoke(leaves.main, [str(arg) for arg in args])
    assert made.exit_code == 0, made.output
    lines = [line for line in made.stdout.splitlines() if line.startswith("n =")]
    assert len(lines) == 2 * (len(leaves.RULES) + len(leaves.RULES) - 1)
    rows = load(out)
    means = {
        topology: leaves.over_datasets(
            rows, topology=topology, n=200, inference="exact", leaves=count
        )
        for topology, count in (("chain", 0), ("tree", 100))
    }
    assert means["chain"].count == 3
    ratio = quotient(means["chain"], means["tree"])
    (line,) = (one for one in lines if "n = 200" in one and "n/2" in one and "independent" in one)
    assert f"exact {ratio.mean:.4f} ± {ratio.margin():.4f}" in line
    before = out.read_bytes()
    again = CliRunner().invoke(leaves.main, [str(arg) for arg in args])
    assert again.stdout == made.stdout
    assert out.read_bytes() == before


def test_a_dataset_is_a_draw_whatever_its_own_error():
    from ibn.simulations.sweeping.grid import Grid

    tasks = Grid(topology="chain", n="100", inference="path", replicates=3).tasks()
    rows = [Row(task, Estimate(mean, 0.5, 9)) for task, mean in zip(tasks, (1, 2, 3), strict=True)]
    found = leaves.over_datasets(rows, topology="chain")
    assert (found.mean, found.count) == (2.0, 3)
    assert found.stderr == pytest.approx(1 / 3**0.5)
