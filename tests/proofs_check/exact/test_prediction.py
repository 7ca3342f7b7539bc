"""E6 follows what is on record, whichever way that points."""

import json

import numpy as np
import pytest

from ibn.proofs_check.claim import FAILS, HOLDS, UNDECIDED, Context, decide
from ibn.proofs_check.exact.prediction import KINDS, PENALTIES, POOL_RULES, e6
from ibn.simulations.language.outcomes import Outcome, save


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
                    (k + 1) / 10, 32, 2.0, topology, 0, learner, 10,
                    0.5, 0.01, 0.5, 0.01, 0.5, 0.01,
                    error, 0.01, measures["distance"], 0.01, measures["variance"], 0.01,
                )
            )  # fmt: skip
    return found


@pytest.fixture
def on_record(tmp_path, monkeypatch):
    def put(rows, documents=(), pools=()):
        save(tmp_path / "tournament.csv", rows)
        for i, document in enumerate(documents):
            (tmp_path / f"validation-{i}.json").write_text(json.dumps(document))
        for document in pools:
            (tmp_path / f"pool-{document['pool']}.json").write_text(json.dumps(document))
        monkeypatch.setattr("ibn.proofs_check.exact.prediction.RECORD", tmp_path / "tournament.csv")
        monkeypatch.setattr("ibn.simulations.recorded.FOLDER", tmp_path)

    return put


def verdict(claim, check):
    decided = decide(claim, Context())
    return decided.findings[check].verdict


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
    for name in KINDS.values():
        assert verdict(claim, f"three real tasks, {name}") == UNDECIDED


@pytest.mark.parametrize(
    ("follows", "kind", "better", "expected"),
    [
        ("distance", "variance", "variance", FAILS),
        ("distance", "variance", "distance", HOLDS),
        ("variance", "variance", "variance", HOLDS),
        ("variance", "kernel_variance", "variance", UNDECIDED),
        ("kernel_variance", "kernel_variance", "variance", HOLDS),
        ("kernel_variance", "kernel_variance", "distance", FAILS),
    ],
)
def test_the_real_tasks_decide(on_record, follows, kind, better, expected):
    rng = np.random.default_rng(0)
    models = [
        {"topology": topology, "budget": "comparisons", "share": share, "seed": seed}
        | {"comparisons": round(40 * share)}
        | (measures := {name: rng.uniform() for name in ("distance", *KINDS)})
        | {"error": measures[follows]}
        for seed in range(12)
        for topology in ("chain", "tree")
        for share in (0.25, 0.5, 1.0)
    ]
    on_record(outcomes("variance"), [{"task": "gsm8k", "reward_models": models}])
    claim = e6(better, learners=())
    assert verdict(claim, f"three real tasks, {KINDS[kind]}") == expected


@pytest.mark.parametrize(
    ("shift", "better", "expected"),
    [(0.5, "variance", HOLDS), (0.5, "distance", FAILS), (0.0, "variance", UNDECIDED)],
)
def test_the_pools_decide(on_record, shift, better, expected):
    rng = np.random.default_rng(0)
    each = {name: rng.normal(0.0, 0.2, 20) for name in (*POOL_RULES, "distance", "kernel")}
    each["kernel"] = each["kernel"] + shift
    predicted = [
        {"features": "tfidf", "learner": learner, "predictor": name, "n": 1000}
        | {"value": float(values.mean()), "each": values.tolist()}
        for learner in PENALTIES
        for name, values in each.items()
    ]
    pool = {"pool": "ted_zh_en_mqm", "ceiling": [{"features": "tfidf"}], "predicted": predicted}
    on_record(outcomes("variance"), pools=[pool])
    claim = e6(better, learners=())
    for words in PENALTIES.values():
        assert verdict(claim, f"TED translations, penalty by {words}") == expected
        assert verdict(claim, f"AlpacaEval, penalty by {words}") == UNDECIDED
