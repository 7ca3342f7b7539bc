"""What to do next: every idea there is, in one list, each tried on this dataset's own network.

An idea is a function of what the audit has found so far. It gives an :class:`Idea`, to be tried,
or a finished :class:`Recommendation`, where the effect is known already, or ``None`` where it does
not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.effort import effort_for
from ibn.auditing.held_out import HeldOut, LearningCurve, hold_out
from ibn.auditing.recommendation import SHARE, Idea, Recommendation
from ibn.auditing.remaining import LISTED_PAIRS
from ibn.auditing.scenarios import TOLERANCE, Change, Samples, Scenarios
from ibn.auditing.settings import Progress, agreement_of, beta_of
from ibn.auditing.stages import Stages
from ibn.estimate import Estimate
from ibn.threads import in_threads

POINTS = 0.05  # of agreement that annotators might gain
MERGED = 1e-4  # noise of the label that stands for a merger, over that of a true one


@dataclass(frozen=True, eq=False)
class Facts:
    """What ideas start from."""

    found: Stages  # what the stages before have found
    scenarios: Scenarios  # the dataset's network, ready to be changed
    # shape (p, 2): pairs of the kind that matters, the most uncertain first
    uncertain: NDArray[np.int64]
    rng: np.random.Generator  # source of randomness; ideas draw from it in the order of the list

    @classmethod
    def of(cls, found: Stages, rng: np.random.Generator) -> Facts:
        """Rank the pairs and draw the noise that all scenarios share."""
        prior, posterior, comparisons = found.prior, found.posterior, found.data.comparisons
        pairs, ranked = prior.pairs, posterior.ranked
        if not pairs.within:
            across = pairs.sample_across(LISTED_PAIRS, rng.spawn(1)[0])
            ranked = across[np.argsort(-posterior.variances.of_pairs(across), kind="stable")]
        noise, stream = found.settings.noise_variance, rng.spawn(1)[0]
        scenarios = Scenarios.of(prior.bias, comparisons, noise, pairs, stream)
        return cls(found, scenarios, ranked, rng.spawn(1)[0])

    @property
    def kind(self) -> str:
        """The pairs whose mean variance is to fall: within prompts, else across."""
        return "within" if self.scenarios.pairs.within else "across"

    @property
    def extra(self) -> int:
        """Labels that an idea may cost."""
        return max(1, round(SHARE * len(self.scenarios.comparisons)))

    @property
    def now(self) -> Estimate:
        """Mean variance as things are."""
        return getattr(self.found.posterior.after, self.kind).variance

    @cached_property
    def at_random(self) -> Change:
        """Random pairs, as many as the most uncertain ones."""
        return Change("random pairs", add=self.random_pairs(len(self.uncertain[: self.extra])))

    @cached_property
    def held(self) -> HeldOut | None:
        """Prompts held out, where prompts have several responses."""
        if self.kind != "within":
            return None
        scenarios = self.scenarios
        return hold_out(scenarios.comparisons, scenarios.pairs.prompt_of, self.rng)

    def random_pairs(self, count: int) -> NDArray[np.int64]:
        """Draw pairs of the kind."""
        pairs = self.scenarios.pairs
        sample = pairs.sample_within if self.kind == "within" else pairs.sample_across
        return sample(count, self.rng)

    def tolerance(self, kind: str) -> float:
        """Relative error allowed of a sample's energy.

        A mean within prompts needs few digits; one across them, which is in slow modes, all.
        """
        m = len(self.scenarios.pairs.prompt_of)
        return effort_for(m).tolerance if kind == "within" else TOLERANCE


def label_uncertain(facts: Facts) -> Idea:
    """Label the most uncertain pairs."""
    chosen = facts.uncertain[: facts.extra]
    return Idea(
        "uncertain",
        f"Label the {len(chosen):,} most uncertain pairs {facts.kind} prompts",
        "a tenth more labels where the posterior variance is largest; also pairs that have a label",
        len(chosen),
        Change("uncertain pairs", add=chosen),
        facts.kind,
        facts.now,
        "as many random pairs",
        facts.at_random,
    )


def reallocate(facts: Facts) -> Idea:
    """Give redundant labels to uncertain pairs."""
    implied = facts.found.posterior.redundancy.implied
    cheapest = np.argsort(-implied, kind="stable")[: facts.extra]
    keep = np.setdiff1d(np.arange(len(implied)), cheapest)
    return Idea(
        "reallocate",
        f"Use the {facts.extra:,} most redundant labels for the most uncertain pairs instead",
        f"their pairs are known to {implied[cheapest].min():.0%} or more without them",
        0,
        Change("redundant labels used for uncertain pairs", keep, facts.uncertain[: facts.extra]),
        facts.kind,
        facts.now,
        "leaving them out and nothing else",
        Change("no redundant labels", keep),
    )


def resolve(facts: Facts) -> Idea | None:
    """Label contradicted pairs once more."""
    pairs = facts.found.inspection.contradictions.doubtful
    if not len(pairs):
        return None
    return Idea(
        "resolve",
        f"Label the {len(pairs):,} contradicted pairs once more",
        "pairs whose labels disagree or whose majorities go round in a circle",
        len(pairs),
        Change("contradicted pairs", add=pairs),
        facts.kind,
        facts.now,
        "as many random pairs",
        Change("as many random pairs as contradicted ones", add=facts.random_pairs(len(pairs))),
    )


def recheck(facts: Facts) -> Idea | None:
    """Label the most doubted pairs once more."""
    learned = facts.found.learned
    if learned is None or not len(learned.doubted):
        return None
    pairs = facts.found.prior.compared[learned.doubted[: facts.extra]]
    return Idea(
        "recheck",
        f"Label the {len(pairs):,} most doubted pairs once more",
        "the labels that a reward model fitted to the others thinks least likely: a second "
        "opinion both corrects errors and adds evidence",
        len(pairs),
        Change("doubted pairs", add=pairs),
        facts.kind,
        facts.now,
        "as many random pairs",
        facts.at_random,
    )


def merge_near(facts: Facts) -> Idea | None:
    """Merge near-duplicates."""
    into = facts.found.inspection.near_duplicates.response_into
    merged = np.flatnonzero(into != np.arange(len(into)))
    if not len(merged):
        return None
    near = np.stack([into[merged], merged], axis=1)
    return Idea(
        "merge",
        f"Merge {len(near):,} near-duplicates",
        "two spellings of one response share their evidence (--merge-near-duplicates)",
        0,
        Change(
            "near-duplicates merged",
            add=near,
            add_sigma2=MERGED * facts.scenarios.sigma2,
        ),
        facts.kind,
        facts.now,
    )


def raise_agreement(facts: Facts) -> Idea | None:
    """Have annotators agree more often with the better response."""
    beta, scale = facts.found.settings.beta, facts.found.settings.bias_scale
    agreement = agreement_of(beta, scale)
    better = min(agreement + POINTS, 0.99)
    if better <= agreement:
        return None
    ratio = (beta / np.exp(beta_of(better, scale))) ** 2
    return Idea(
        "agreement",
        f"Raise annotators' agreement with the better response to {better:.0%}",
        f"it is {agreement:.0%} under these assumptions, for two random responses; "
        f"each label would be worth {1 / ratio:.2f} of today's",
        0,
        Change("cleaner labels", sigma2=ratio * facts.scenarios.sigma2),
        facts.kind,
        facts.now,
    )


def bridge(facts: Facts) -> Idea | None:
    """Compare across prompts: in pairs, or all with one anchor."""
    across = facts.found.posterior.after.across
    if facts.kind != "within" or across is None:
        return None
    pairs, extra, rng = facts.scenarios.pairs, facts.extra, facts.rng
    used = rng.permutation(len(pairs.prompt_of))[: extra + 1]
    anchored = np.stack([np.full(len(used) - 1, used[0]), used[1:]], axis=1)
    return Idea(
        "bridge",
        f"Compare {extra:,} random pairs across prompts",
        "where scores of answers to different prompts matter, as in filtering data or in a "
        "threshold: comparisons within prompts say little about them",
        extra,
        Change("pairs across prompts", add=pairs.sample_across(extra, rng)),
        "across",
        across.variance,
        "as many with one anchor response",
        Change("pairs with one anchor", add=anchored),
    )


def lay_out_anew(facts: Facts) -> Recommendation | None:
    """Lay as many comparisons out as the best layout."""
    left = {name: getattr(one, facts.kind).variance for name, one in facts.found.layouts.items()}
    if not left:
        return None
    name = min(left, key=lambda name: left[name].mean)
    n, now, then = len(facts.scenarios.comparisons), facts.now, left[name]
    stderr = float(np.hypot(now.stderr, then.stderr))
    return Recommendation(
        "layout",
        f"Lay the next {n:,} comparisons out as {name}",
        "instead of as these, over the same responses; from independent draws of the layout",
        n,
        f"mean posterior variance {facts.kind} prompts",
        now,
        then,
        Estimate(then.mean - now.mean, stderr, then.count),
    )


def label_new_prompts(facts: Facts) -> Idea | None:
    """Label new prompts rather than known pairs once more."""
    held = facts.held
    if held is None or not held.added:
        return None
    return Idea(
        "prompts",
        f"Label {facts.extra:,} pairs of new prompts rather than known ones again",
        f"measured by holding out {len(held.prompts):,} prompts: the last {held.added:,} "
        "comparisons on new prompts",
        facts.extra,
        held.growing[-1],
        "within",
        None,
        "second labels of known pairs",
        held.again,
        held.fewer,
        held.prompts,
    )


def plan_within(facts: Facts) -> Recommendation | None:
    """Label what ``ibn plan`` chooses within prompts."""
    return _planned(
        facts,
        "plan",
        "pairs within prompts",
        "",
        "the pairs that lower the variance of the fitted reward model most",
    )


def plan_anywhere(facts: Facts) -> Recommendation | None:
    """Label what ``ibn plan`` chooses among all pairs."""
    return _planned(
        facts,
        "plan-anywhere",
        "pairs of any prompts",
        " --pairs any --target within",
        "where annotators can compare answers to different prompts",
    )


def _planned(
    facts: Facts, action: str, pairs: str, options: str, why: str
) -> Recommendation | None:
    """Word what a plan lowers, in the model fitted to the labels."""
    learned = facts.found.learned
    if learned is None or learned.plans is None:
        return None
    plans = learned.plans
    design = plans.within if action == "plan" else plans.anywhere
    call = (
        f"ibn plan {Path(facts.found.data.source).name} --budget {plans.budget} --repeat{options}"
    )
    return Recommendation(
        action,
        f"Label {plans.budget:,} {pairs}, chosen by ibn plan",
        f"{call}: {why}{learned.caveat(len(facts.scenarios.comparisons))}",
        plans.budget,
        "mean posterior variance within prompts under the fitted reward model",
        Estimate(design.before, 0.0, 1),
        Estimate(design.after, 0.0, 1),
        Estimate(design.after - design.before, 0.0, 1),
        "as many random pairs within prompts",
        plans.random,
        learned.found.predicts,
    )


IDEAS: tuple[Callable[[Facts], Idea | Recommendation | None], ...] = (
    label_uncertain,
    reallocate,
    resolve,
    recheck,
    merge_near,
    raise_agreement,
    bridge,
    lay_out_anew,
    label_new_prompts,
    plan_within,
    plan_anywhere,
)


def recommend(
    found: Stages, rng: np.random.Generator, progress: Progress = lambda message: None
) -> tuple[tuple[Recommendation, ...], LearningCurve | None]:
    """Try every idea.

    Returns ``recommendations``: the largest relative effect first, also those that do not help;
    ``curve``: where there are prompts enough.
    """
    return answer_all(Facts.of(found, rng), progress)


def answer_all(
    facts: Facts, progress: Progress = lambda message: None
) -> tuple[tuple[Recommendation, ...], LearningCurve | None]:
    """Sample the posterior under every change that the ideas ask for, and have them answer."""
    proposed = [found for idea in IDEAS if (found := idea(facts)) is not None]
    tried = [one for one in proposed if isinstance(one, Idea)]
    asked = [(change, idea.kind) for idea in tried for change in idea.asks()]
    if facts.held is not None:
        asked += [(change, "within") for change in facts.held.growing]
    jobs = list(dict.fromkeys((change, facts.tolerance(kind)) for change, kind in asked))

    def sample(job: tuple[Change, float]) -> Samples:
        progress(f"what to do next: {job[0].name}")
        return facts.scenarios.samples(*job)

    samples = dict(zip(jobs, in_threads(sample, jobs), strict=True))

    def answer(idea: Idea) -> Recommendation:
        tolerance = facts.tolerance(idea.kind)
        return idea.answer(lambda change: samples[change, tolerance].draws(idea.kind, idea.prompts))

    answered = [answer(one) if isinstance(one, Idea) else one for one in proposed]
    curve = None
    if facts.held is not None:
        tolerance = facts.tolerance("within")
        curve = facts.held.curve(lambda change: samples[change, tolerance])
    return by_effect(answered), curve


def by_effect(found: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Sort by relative effect, the largest first."""
    return tuple(sorted(found, key=lambda one: one.relative.mean))
