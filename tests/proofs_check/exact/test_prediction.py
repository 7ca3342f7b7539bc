"""E6 follows what is on record, whichever way that points."""

import json

import numpy as np
import pytest

from proofs_check.claim import FAILS, HOLDS, UNDECIDED, Context, decide
from proofs_check.exact.prediction import e6
from simulations.outcomes import Outcome, save


def outcomes(follows, learner="linear", settings=12, noise=0.0):
    """A table in which the squared error follows one of the measures, more or less."""
    rng = np.random.default_rng(0)
    found = []
    for k in range(settings):
        for topology in ("chain", "tree", "expander", "stratified-star"):
            measures = dict(zip(("distance", "variance"), rng.uniform(1, 2, 2), strict=True))
            error = measures.get(follows, 1.5) + noise * rng.normal()
            found.append(
                Outcome(
                    k / 10, 32, 2.0, topology, 0, learner, 10, 0.5, 0.01, 0.5, 0.01, 0.5, 0.01,
                    error, 0.01, measures["distance"], 0.01, measures["variance"], 0.01,
                )
            )  # fmt: skip
    return found


@pytest.fixture
def on_record(tmp_path, monkeypatch):
    def put(rows, documents=()):
        save(tmp_path / "tournament.csv", rows)
        for i, document in enumerate(documents):
            (tmp_path / f"validation-{i}.json").write_text(json.dumps(document))
        monkeypatch.setattr("proofs_check.exact.prediction.RECORD", tmp_path / "tournament.csv")
        monkeypatch.setattr("simulations.recorded.FOLDER", tmp_path)

    return put


def verdict(claim, check):
    decided = decide(claim, Context())
    findings = {one.name: f for one, f in zip(claim.checks, decided.findings, strict=True)}
    return findings[check].verdict


@pytest.mark.parametrize(
    ("follows", "better", "expected"),
    [
        ("variance", "variance", HOLDS),
        ("variance", "distance", FAILS),
        ("distance", "variance", FAILS),
        ("distance", "distance", HOLDS),
        ("neither", "variance", UNDECIDED),
        ("neither", "distance", UNDECIDED),
    ],
)
def test_the_synthetic_language_decides(on_record, follows, better, expected):
    on_record(outcomes(follows, noise=0.01))
    claim = e6(better, learners=("linear",))
    assert verdict(claim, "linear, synthetic language") == expected
    assert verdict(claim, "three real tasks") == UNDECIDED


@pytest.mark.parametrize(("better", "expected"), [("variance", FAILS), ("distance", HOLDS)])
def test_the_real_tasks_decide(on_record, better, expected):
    rng = np.random.default_rng(0)
    models = [
        {"topology": topology, "budget": "comparisons", "share": share, "seed": seed}
        | {"comparisons": round(40 * share)}
        | {"variance": rng.uniform(), "distance": (d := rng.uniform()), "error": d}
        for seed in range(12)
        for topology in ("chain", "tree")
        for share in (0.25, 0.5, 1.0)
    ]
    on_record(outcomes("variance"), [{"task": "gsm8k", "reward_models": models}])
    assert verdict(e6(better, learners=()), "three real tasks") == expected
