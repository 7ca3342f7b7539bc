import numpy as np
import pytest

from ibn.errors import InputError
from ibn.figures.measurements import COLUMNS, curve, read, worlds
from ibn.figures.typeset import plus_minus


def test_a_curve_merges_its_replicates(sweep):
    rows = read(sweep())
    found = curve(rows, "chain", "path")
    assert found.n.tolist() == [100, 1_000, 10_000]
    np.testing.assert_allclose(found.mean, 3.0 * found.n**-0.3)
    # Two replicates 1 % above and below: their spread is what counts.
    np.testing.assert_allclose(found.stderr / found.mean, 0.01)
    assert [len(tasks) for tasks in found.tasks] == [2, 2, 2]
    assert set(found.tasks[0]) == {"t0", "t1"}


def test_what_is_not_there_is_an_empty_curve(sweep):
    rows = read(sweep())
    nothing = curve(rows, "kwise", "path")
    assert len(nothing.n) == len(nothing.mean) == len(nothing.tasks) == 0
    assert len((nothing / curve(rows, "chain", "path")).n) == 0


def test_one_dataset_says_nothing_of_others(sweep):
    found = curve(read(sweep(replicates=1)), "chain", "path")
    assert np.isnan(found.stderr).all()
    assert np.isnan(found.margin).all()
    assert (found / found).side == 0
    assert plus_minus(found.mean[0], found.margin[0]).endswith("(one dataset)")


def test_only_a_clear_ratio_has_a_side(sweep):
    rows = read(sweep(replicates=8))
    ratio = curve(rows, "chain", "path") / curve(rows, "tree", "path")
    assert ratio.side == 1
    assert (curve(rows, "tree", "path") / curve(rows, "chain", "path")).side == -1
    assert (curve(rows, "tree", "path") / curve(rows, "tree", "path")).side == 0


def test_a_dataset_measured_twice_counts_once(sweep):
    row = {"topology": "chain", "n": 100, "family": "power", "alpha": 0.3, "scale": 1.0}
    row |= {"branching": 2, "beta": 1814.0, "leaves": 0, "inference": "path", "seed": 0}
    row |= {"replicate": 0, "mean": 5.0, "stderr": 1e-6, "count": 9, "seconds": 1.0}
    rows = read(sweep(replicates=1, extra=[row | {"task": "finer"}]))
    found = curve(rows, "chain", "path")
    assert found.tasks[0] == ("finer",)
    assert found.mean[0] == 5.0


def test_of_several_leaves_the_nearest_to_the_theorys(sweep):
    row = {"topology": "tree", "n": 100, "family": "power", "alpha": 0.3, "scale": 1.0}
    row |= {"branching": 2, "beta": 1814.0, "inference": "path", "seed": 0, "replicate": 0}
    row |= {"mean": 5.0, "stderr": 0.1, "count": 9, "seconds": 1.0}
    rows = read(
        sweep(extra=[row | {"task": "few", "leaves": 5}, row | {"task": "n", "leaves": 99}])
    )
    found = curve(rows, "tree", "path")
    assert found.leaves[0] == round(100 / np.log(100))
    assert {"few", "n"}.isdisjoint(found.tasks[0])


def test_quotients_add_relative_errors_in_squares(sweep):
    rows = read(sweep())
    ratio = curve(rows, "chain", "path") / curve(rows, "tree", "path")
    np.testing.assert_allclose(ratio.mean, 1.5)
    np.testing.assert_allclose(ratio.stderr, 1.5 * 0.01 * np.sqrt(2))
    assert (ratio.leaves > 0).all()
    rng = np.random.default_rng(0)
    draws = rng.normal(3.0, 0.03, 100_000) / rng.normal(2.0, 0.02, 100_000)
    np.testing.assert_allclose(draws.std(), 1.5 * 0.01 * np.sqrt(2), rtol=0.02)


def test_worlds_are_told_apart(sweep):
    parts = [read(sweep(beta=beta)) for beta in (1814.0, 1.0)]
    (few, a), (many, b) = worlds(np.concatenate(parts))
    assert len(a) == len(b) == len(parts[0])
    assert few.regimes([1e2, 1e4]) == ["A"]
    assert many.regimes([1e2, 1e4]) == ["B"]
    assert few.sigma2 == pytest.approx(np.pi**2 / 3 / 1814**2)
    assert few.slug != many.slug


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",0.3,", ",zero,", r"sweep.csv:2: alpha is 'zero', not a number"),
        (",100,", ",1e2,", r"sweep.csv:2: n is '1e2', not a whole number"),
        (",100,", ",99999999999999999999,", "n is '99999999999999999999', not a whole number"),
        (",1000,0.5,done", "", r"sweep.csv:2: the row ends before count"),
        (",100,", ",0,", r"sweep.csv:2: .* at n = 0"),
        ("mean", "average", r"sweep.csv:1: no column mean"),
    ],
)
def test_bad_rows_are_named(sweep, old, new, message):
    path = sweep()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read(path)


@pytest.mark.parametrize("values", [{"mean": "nan"}, {"mean": -1}, {"stderr": "inf"}])
def test_no_measurement(sweep, values):
    with pytest.raises(InputError, match=r"sweep.csv:2: .*no measured uncertainty"):
        read(sweep(**values))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column task"),
        (",".join(COLUMNS).encode(), "holds no results"),
        (b"\xff\xfe\x00", "not a CSV file"),
    ],
)
def test_other_files(tmp_path, content, message):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(path)
