import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from ibn.errors import InputError
from ibn.simulations.paper import TASKS
from ibn.simulations.validation.error_prediction import main, predictions, read, rule_correlations


def document(rng, seeds=3, follows="variance", task="gsm8k"):
    """Results in which the error follows one of the two measures; the other is noise."""
    models = []
    for seed in range(seeds):
        for topology in ("chain", "tree"):
            for share in (0.25, 0.5, 0.75, 1.0):
                names = ("distance", "variance", "kernel_variance")
                measures = {name: rng.uniform(1, 2) for name in names}
                error = 0.1 * measures[follows]
                models.append(
                    {"topology": topology, "budget": "comparisons", "share": share, "seed": seed}
                    | {"comparisons": round(40 * share)}
                    | measures
                    | {"error": error}
                )
    return {"task": task, "reward_models": models}


@pytest.mark.parametrize("follows", ["distance", "variance", "kernel_variance"])
def test_the_measure_that_the_errors_follow_is_found(follows):
    rng = np.random.default_rng(0)
    documents = [document(rng, follows=follows, task=task) for task in TASKS]
    found = predictions(documents)
    assert [one.points for one in found] == 2 * [72, 72, 36]
    for one in found:
        if follows == one.measure:
            assert one.ranking.variance.value == pytest.approx(1.0)
            assert one.ranking.difference.low > 0.3
        elif follows == "distance":
            assert one.ranking.distance.value == pytest.approx(1.0)
            assert one.ranking.difference.high < -0.3
        else:
            assert one.ranking.variance.value < 0.5


def test_correlations_are_scipys_and_what_has_no_error_is_left_out():
    rng = np.random.default_rng(1)
    one = document(rng)
    for model in one["reward_models"]:
        model["error"] = rng.uniform()
    one["reward_models"][0]["error"] = None
    rest = one["reward_models"][1:]
    found = {p.within: p for p in predictions([one]) if p.measure == "kernel_variance"}
    columns = {name: [model[name] for model in rest] for name in ("kernel_variance", "error")}
    assert found["all"].ranking.variance.value == pytest.approx(
        spearmanr(*columns.values()).statistic
    )
    assert found["topology"].points == 11
    agree = 0
    for seed, share in {(model["seed"], model["share"]) for model in rest}:
        both = [m for m in rest if (m["seed"], m["share"]) == (seed, share)]
        if len(both) == 2:
            steps = [np.sign(both[1][name] - both[0][name]) for name in ("distance", "error")]
            agree += steps[0] * steps[1]
    assert found["topology"].ranking.distance.value == pytest.approx(agree / 11)


def test_what_is_there_twice_counts_once_and_a_run_without_errors_not_at_all():
    rng = np.random.default_rng(2)
    one = document(rng)
    cheaper = [
        model | {"budget": "tokens", "comparisons": model["comparisons"] // (2 - (side == "tree"))}
        for model in one["reward_models"]
        for side in [model["topology"]]
        if model["share"] == 1.0
    ]  # of the tree the same models, of the chain new ones
    blank = [model | {"seed": 9, "error": None} for model in one["reward_models"][:8]]
    more = one | {"reward_models": one["reward_models"] + cheaper + blank}
    found = {p.within: p for p in predictions([more]) if p.measure == "variance"}
    assert found["all"].points == 24  # the chain at half its comparisons is a share of it as well
    assert found["topology"].points == 12 + 3


def test_few_runs_have_no_interval_and_none_or_twice_the_same_are_refused():
    rng = np.random.default_rng(3)
    one = document(rng)
    assert all(np.isnan(p.ranking.difference.low) for p in predictions([one]))
    with pytest.raises(InputError, match="seed 0 of gsm8k is there twice"):
        predictions([one, one])
    for model in one["reward_models"]:
        model["error"] = None
    with pytest.raises(InputError, match="no task and seed has three reward models"):
        predictions([one])


def test_files_are_read_and_others_refused(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(document(np.random.default_rng(0))))
    bad.write_text(json.dumps({"reward_models": [{"error": 1}]}))
    done = CliRunner().invoke(main, [str(good)])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == 2 + 6
    for path in (bad, tmp_path / "none.json"):
        with pytest.raises(InputError, match=path.name):
            read(path)


def test_trivial_rules_of_errors_that_follow_them():
    rng = np.random.default_rng(4)
    documents = [document(rng, task=task) for task in TASKS]
    for one in documents:
        for model in one["reward_models"]:
            model["error"] = -model["comparisons"] + rng.uniform(0, 1)
    found = rule_correlations(documents)
    assert found["comparisons"].value > 0.9
    assert found["comparisons"].low > 0.8
    assert abs(found["chain"].value) < 0.3
    assert np.isnan(rule_correlations(documents[:1])["chain"].low)  # three seeds are too few
