import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from ibn.errors import InputError
from simulations.validation.prediction import main, predictions, read


def document(rng, seeds=3, follows="variance"):
    """Results in which the error follows one of the two measures; the other is noise."""
    models = []
    for seed in range(seeds):
        for topology in ("chain", "tree"):
            for share in (0.25, 0.5, 0.75, 1.0):
                measures = {"distance": rng.uniform(1, 2), "variance": rng.uniform(1, 2)}
                error = 0.1 * measures[follows]
                models.append(
                    {"topology": topology, "budget": "comparisons", "share": share, "seed": seed}
                    | {"comparisons": round(40 * share)}
                    | measures
                    | {"error": error}
                )
    return {"reward_models": models}


@pytest.mark.parametrize("follows", ["distance", "variance"])
def test_the_measure_that_the_errors_follow_is_found(follows):
    rng = np.random.default_rng(0)
    documents = [document(rng, follows=follows) for _ in range(3)]
    found = {one.within: one for one in predictions(documents)}
    assert set(found) == {"all", "repetition", "topology"}
    assert [one.points for one in found.values()] == [72, 72, 36]
    for one in found.values():
        assert getattr(one, follows).value == pytest.approx(1.0)
        sign = 1 if follows == "variance" else -1
        assert sign * one.difference.value > 0.5
        assert min(sign * one.difference.low, sign * one.difference.high) > 0


def test_correlations_are_scipys_and_what_has_no_error_is_left_out():
    rng = np.random.default_rng(1)
    one = document(rng)
    for model in one["reward_models"]:
        model["error"] = rng.uniform()
    one["reward_models"][0]["error"] = None
    rest = one["reward_models"][1:]
    found = {p.within: p for p in predictions([one])}
    columns = {name: [model[name] for model in rest] for name in ("variance", "error")}
    assert found["all"].variance.value == pytest.approx(spearmanr(*columns.values()).statistic)
    assert found["topology"].points == 11
    agree = 0
    for seed, share in {(model["seed"], model["share"]) for model in rest}:
        both = [m for m in rest if (m["seed"], m["share"]) == (seed, share)]
        if len(both) == 2:
            steps = [np.sign(both[1][name] - both[0][name]) for name in ("distance", "error")]
            agree += steps[0] * steps[1]
    assert found["topology"].distance.value == pytest.approx(agree / 11)


def test_what_is_there_twice_counts_once_and_a_run_without_errors_not_at_all():
    rng = np.random.default_rng(2)
    one = document(rng)
    again = [
        model | {"budget": "tokens"}
        for model in one["reward_models"]
        if model["topology"] == "tree" and model["share"] == 1.0
    ]
    blank = [model | {"seed": 9, "error": None} for model in one["reward_models"][:8]]
    more = {"reward_models": one["reward_models"] + again + blank}
    assert predictions([more]) == predictions([one])


def test_files_are_read_and_others_refused(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(document(np.random.default_rng(0))))
    bad.write_text(json.dumps({"reward_models": [{"error": 1}]}))
    done = CliRunner().invoke(main, [str(good), str(good)])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == 3
    for path in (bad, tmp_path / "none.json"):
        with pytest.raises(InputError, match=path.name):
            read(path)
