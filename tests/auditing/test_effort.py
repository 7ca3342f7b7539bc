"""An audit of many responses: less is computed, it says so, and the means stay right."""

import numpy as np
import pytest

from ibn.auditing import effort
from ibn.auditing.audit import audit
from ibn.auditing.effort import effort_for
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData
from ibn.report.audit_page import write_report
from ibn.report.words import sampled

AMOUNTS = (
    *("probes", "samples", "candidates", "solved", "draws", "draw_within", "draw_across"),
    *("comparisons", "probes_within"),
)


@pytest.fixture(scope="module")
def both():
    """The same data audited in full, and as if they were many."""
    rng = np.random.default_rng(7)
    n, d = 120, 10
    embeddings = np.repeat(rng.normal(size=(n, d)), 2, axis=0) + rng.normal(size=(2 * n, d))
    won = np.where(rng.random(n) < 0.7, 1, -1).astype(np.int8)
    data = PreferenceData(
        prompts=[f"prompt {p}" for p in range(n)],
        responses=[f"response {i}" for i in range(2 * n)],
        prompt_of=np.repeat(np.arange(n), 2),
        comparisons=Comparisons(
            np.arange(2 * n), np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2), winner=won
        ),
        lines=np.arange(1, n + 1),
        source="many.jsonl",
        shape="prompt/chosen/rejected texts",
    )
    topologies = ("chain", "within-prompt")
    options = {"embeddings": embeddings, "topologies": topologies, "replicates": 4}
    full = audit(data, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(effort, "FULL_UP_TO", 20)
        patch.setattr(effort, "LEAST_FROM", 200)
        patch.setattr(effort, "LEAST_COMPARISONS", 100)
        patch.setattr(effort, "LEAST_DIMENSIONS", 6)
        patch.setattr(effort, "LEAST_PLANNED", 7)
        return full, audit(data, exact=100, **options)


def test_everything_is_computed_up_to_20_000_responses():
    full = effort_for(2)
    assert full == effort_for(20_000)
    assert (full.probes, full.samples, full.comparisons, full.draws) == (64, 64, 8000, 1.0)
    assert full.dimensions(768) == 768
    assert full.planned(300) == 300
    least = effort_for(100_000)
    assert least == effort_for(10**7)
    assert (least.probes, least.samples, least.comparisons, least.draws) == (18, 16, 4000, 0.25)
    assert (least.dimensions(768), least.dimensions(64), least.planned(300)) == (128, 64, 200)


def test_effort_has_no_cliff():
    sizes = np.geomspace(1000, 10**6, 2000).astype(int)
    each = [effort_for(int(m)) for m in sizes]
    for name in AMOUNTS:
        amount = np.array([getattr(one, name) for one in each], float)
        step = -np.diff(amount)
        assert np.all(step >= 0), name
        assert np.all(step <= np.maximum(1.0, 0.02 * amount[:-1])), name  # one, or 2 %
    for name in ("tolerance", "pair_tolerance"):
        ratio = np.diff(np.log([getattr(one, name) for one in each]))
        assert np.all((ratio >= 0) & (ratio < 0.02)), name
    for amount in ([one.dimensions(4096) for one in each], [one.planned(419) for one in each]):
        assert np.all(np.diff(np.log(amount)) > -0.02)


def test_means_agree_with_the_full_audit(both):
    full, reduced = both
    moments = [(one.prior.before, one.posterior.after) for one in both]
    for exact, found in zip(*moments, strict=True):
        exact, found = exact.within.variance, found.within.variance
        assert exact.stderr == 0.0 < found.stderr
        assert abs(found.mean - exact.mean) <= 4 * found.stderr + 0.02 * exact.mean
    theirs = {one.action: one for one in reduced.recommendations}
    for one in full.recommendations:
        if one.action in ("uncertain", "agreement", "bridge"):
            error = np.hypot(one.relative.stderr, theirs[one.action].relative.stderr)
            assert abs(one.relative.mean - theirs[one.action].relative.mean) < 5 * error + 0.02


def test_what_is_sampled_is_said(both, tmp_path):
    full, reduced = both
    assert full.effort is None
    assert full.to_json()["effort"] is None
    assert sampled(full) is None
    document = reduced.to_json()
    assert document["effort"]["samples"] == 16
    assert document["labels"]["comparisons"] == 100
    assert document["labels"]["dimensions"] == 6
    assert 0.6 < document["labels"]["carried"] < 1.0
    assert {one.labels for one in reduced.recommendations if one.action == "plan"} == {7}
    said = sampled(reduced)
    for words in ("240 responses", "16 samples", "100 random comparisons", "6 principal"):
        assert words in said
    for number, (found, wanted) in enumerate(((full, False), (reduced, True))):
        write_report(found, tmp_path / f"{number}.html")
        page = (tmp_path / f"{number}.html").read_text(encoding="utf-8")
        assert ('id="sampled"' in page) == wanted
