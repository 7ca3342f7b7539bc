import json

import pytest

from ibn.bias.ultrametric import FAMILIES
from ibn.figures import gallery
from ibn.preferences.noise import LabelNoise
from ibn.proofs_check import ledger
from ibn.simulations.sweeping import profiles
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.task import INFERENCES
from ibn.theory.rates import regime_of
from ibn.topology import TOPOLOGIES


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Make the quick profile one of seconds."""
    grid = Grid(topology="chain,tree,star", n="30,100,300", rel_err=0.2, replicates=2)
    monkeypatch.setitem(profiles.PROFILES, "quick", (grid,))


@pytest.fixture
def few(monkeypatch):
    """Draw few figures: each takes half a second."""
    monkeypatch.setattr(gallery, "NAMES", ("network", "scaling", "ratio"))


def test_reproduce_from_nothing_and_again(ibn, tmp_path, few):
    out = tmp_path / "made"
    short = ("reproduce", "--out", out, "--claims", "P1,E1")
    status, printed, progress = ibn(*short, "--jobs", 1, "--json")
    assert status == 0
    said = json.loads(printed)
    assert said["claims"] == {"P1": "holds", "E1": "holds"}
    assert said["rows"] == 3 * 3 * 2 * 2
    assert "rows in" in progress
    page = (out / "report.html").read_text()
    assert said["report"] == str(out / "report.html")
    store = (out / "sweep.csv").read_bytes()
    assert store.count(b"\n") == said["rows"] + 1
    for line in store.decode().splitlines()[1:]:
        assert f'id="{line.split(",")[0]}"' in page
    for name in ("network", "scaling", "ratio"):
        assert (out / "figures" / f"{name}.png").exists()

    assert 'id="P1"' in page
    evidence = json.loads((out / "claims.json").read_text())["claims"]
    assert [claim["id"] for claim in evidence] == ["P1", "E1"]
    status, printed, progress = ibn(*short)
    assert (status, printed.strip()) == (0, str(out / "report.html"))
    assert "2 of 2 claims as the same code left them" in progress
    assert (out / "sweep.csv").read_bytes() == store
    assert (out / "report.html").read_text() == page


def test_a_changed_verdict_is_an_answer_of_no(ibn, tmp_path, monkeypatch, few):
    monkeypatch.setattr(ledger, "_record", lambda: {"P1": {"verdict": "fails"}})
    status, _, told = ibn("reproduce", "--out", tmp_path, "--jobs", 1, "--claims", "p1")
    assert status == 1
    assert "the verdict has changed: P1 holds, on record: fails" in told


def test_rows_of_other_sweeps_stay_out(ibn, tmp_path, few):
    assert ibn("sweep", "--n", 50, "--out", tmp_path / "sweep.csv", "--rel-err", 0.3)[0] == 0
    ibn("reproduce", "--out", tmp_path, "--jobs", 1, "--claims", "none")
    assert "not decided for this page" in (tmp_path / "report.html").read_text()
    assert "<td>50</td>" not in (tmp_path / "report.html").read_text()
    assert ",50," in (tmp_path / "sweep.csv").read_text()


def test_figures(ibn, tmp_path):
    sweep = tmp_path / "s.csv"
    ibn("sweep", "--n", "30,100", "--rel-err", 0.3, "--out", sweep, "--jobs", 1)
    status, printed, _ = ibn("figures", "ratio", "--data", sweep, "--out", tmp_path / "f", "--json")
    assert status == 0
    (figure,) = json.loads(printed)["figures"]
    assert figure["name"] == "ratio"
    assert (tmp_path / "f" / "ratio.svg").samefile(figure["svg"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["figures", "scalign"], "did you mean 'scaling'"),
        (["figures", "scaling"], "--data"),
        (["figures", "rates"], "--evidence"),
        (["figures", "rates", "--evidence", "empty.json"], "give what ibn check --json prints"),
        (["figures", "--data", "nowhere.csv"], "nowhere.csv"),
        (["reproduce", "--profile", "slow"], "slow"),
        (["reproduce", "--jobs", "0"], "jobs"),
        (["reproduce", "--claims", "P11"], "did you mean 'P1'"),
    ],
)
def test_bad_usage_is_one_line(ibn, tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").write_text("{}")
    status, printed, told = ibn(*args)
    assert (status, printed) == (2, "")
    assert told.count("\n") == 1
    assert message in told


def test_the_full_profile_has_every_world_and_every_topology():
    full = profiles.tasks("full")
    assert {task.topology for task in full} == set(TOPOLOGIES)
    assert {task.inference for task in full} == set(INFERENCES)
    assert {task.family for task in full} == set(FAMILIES)
    assert {task.alpha for task in full} == {0.0, 0.1, 0.2, 0.3, 0.5, 1.0}
    assert max(task.n for task in full) == 10**6
    regimes = {
        (family, str(regime_of(family, 10**4, 0.3, 1.0, LabelNoise(beta).variance())))
        for family, beta in {(task.family, task.beta) for task in full}
    }
    assert regimes == {(family, regime) for family in FAMILIES for regime in "AB"}


def test_the_profiles_can_be_expanded():
    for profile in profiles.PROFILES:
        tasks = profiles.tasks(profile)
        assert {task.topology for task in tasks} >= {
            "chain",
            "tree",
        }
