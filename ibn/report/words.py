"""An audit in words, for a terminal and for the report alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibn.auditing.learned import LabelFindings
from ibn.auditing.recommendation import Recommendation
from ibn.auditing.result import Audit
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate
from ibn.plurals import count_of

MOST_RECOMMENDED = 5
CAUTION = (
    "These are forecasts of the fitted model. On real labels held back such forecasts did not hold "
    "on average: a plan has random picks among its pairs, and the next plan says what the others "
    "brought beside them. If they bring no more, random will do."
)
REPLAYED, FEWEST = 5, 200  # labels for each that is replayed, and beside them
CLEAR = 0.997  # confidence at which a difference is one: three standard errors of many draws


@dataclass(frozen=True)
class Step:
    """Something to do next: in words, the command that does it, and what it would bring."""

    text: str
    command: str = ""
    effect: str = ""

    @property
    def said(self) -> str:
        """All of it in one paragraph."""
        return " ".join(part for part in (self.text, self.effect, self.command) if part)


def with_error(value: Estimate) -> str:
    """Write an estimate with its standard error, if it has one."""
    digits = 3 if value.mean < 10 else 2 if value.mean < 1000 else 0
    error = f" ± {value.stderr:.{digits}f}" if value.stderr else ""
    return f"{value.mean:,.{digits}f}{error}"


def have(found: Audit) -> list[str]:
    """Say what the dataset is."""
    parts, data = found.components, found.data
    reused = "a pure chain" if found.uses[2:].sum() == 0 else "1.00 would be a pure chain"
    bias = (
        "one"
        if parts.with_bias == 1
        else f"{parts.with_bias:,}, which {count_of(parts.links, 'added link')} joined"
    )
    return [
        f"{count_of(len(data.comparisons), 'comparison')} of "
        f"{count_of(len(data.responses), 'response')} to {count_of(len(data.prompts), 'prompt')}. "
        f"A response takes part in {found.reuse:.2f} comparisons on average; {reused}.",
        f"Comparisons alone leave {count_of(parts.comparisons, 'connected component')}, the "
        f"largest of {count_of(parts.largest, 'response')}; with similar responses tied "
        f"together: {bias}.",
        contradicted(found),
    ]


def contradicted(found: Audit) -> str:
    """Say how far the labels contradict each other, or whether they could."""
    one = found.inspection.contradictions
    if not one.repeated and not one.loops:
        return (
            "No pair is labelled twice and no circle of comparisons closes, so that labels cannot "
            "contradict each other: what they say gives no measure of their noise."
        )
    said = []
    if one.agreement is not None:
        said.append(
            f"{count_of(one.repeated, 'pair')} labelled more than once, two labels of one agreeing "
            f"{one.agreement.mean:.0%} of the time"
        )
    if one.in_cycles:
        turned = f"{one.feedback_least:,}"
        if one.feedback_most > one.feedback_least:
            turned += f" to {one.feedback_most:,}"
        said.append(
            f"{count_of(one.in_cycles, 'pair')} on contradictory cycles, which turning around "
            f"{turned} labels would resolve"
        )
    else:
        circles = f"{count_of(one.loops, 'circle')} of comparisons that could show one"
        said.append(f"no contradiction among the {circles}")
    return "; ".join(said).capitalize() + "."


def costs(found: Audit) -> list[str]:
    """Say what the layout of the dataset costs."""
    return [
        f"Of the variance {found.remaining:.0%} is left: {left(found)}",
        *[line for kind in ("within", "across") if (line := compared(found, kind))],
        *([predicted(found.labels), learnt(found.labels)] if found.labels else []),
    ]


def learnt(learned: LabelFindings) -> str:
    """Say what more labels brought so far, measured."""
    curve = learned.curve
    steps = [
        f"{accuracy.mean:.1%} from {count:,}"
        for count, accuracy in zip(curve.labels, curve.accuracy, strict=True)
    ]
    said = f"Held-out labels predicted right, by labels fitted to: {', '.join(steps)}"
    return f"{said} (± {curve.accuracy[-1].stderr:.1%})."


def predicted(learned: LabelFindings) -> str:
    """Say whether held-out labels are predicted, and how noisy labels are."""
    scores, (low, high) = learned.evaluation.model, learned.error_interval
    said = (
        f"A reward model fitted to part of the labels predicts {scores.accuracy.mean:.1%} ± "
        f"{scores.accuracy.stderr:.1%} of the others, with a log loss of "
        f"{scores.log_loss.mean:.4f} ± {scores.log_loss.stderr:.4f}"
    )
    if not learned.predicts:
        return (
            f"{said}: no better than a coin (0.6931). On these embeddings nothing supports that "
            "model, its label noise or its plans; try others (--embeddings)."
        )
    return (
        f"{said}; a coin has 0.6931. A label is estimated to prefer the worse response "
        f"{learned.error.mean:.0%} of the time ({low:.0%} to {high:.0%})."
    )


def sampled(found: Audit) -> str | None:
    """Say what was computed in part; None where all pairs were."""
    effort, learned, data = found.effort, found.labels, found.data
    if effort is None:
        return None
    said = (
        f"With {count_of(len(data.responses), 'response')} not everything is computed. Mean "
        "variances come from random probes. Inference distances come from random pairs: "
        f"{effort.distances_within[0]:,} to {effort.distances_within[1]:,} within prompts, "
        f"{effort.distances_across[0]:,} to {effort.distances_across[1]:,} across; "
        f"{effort.draw_within:,} and {effort.draw_across:,} in a draw of a topology. "
    )
    if effort.draws < 1.0:
        said += (
            "A topology is drawn twice or more, until the errors of its mean variances are within "
            "2%. "
        )
    said += (
        f"{effort.samples} samples of the posterior rank pairs and prompts; {effort.candidates} "
        f"times as many as are listed are then solved for, to {100 * effort.pair_tolerance:.2g}%, "
        f"and so are {effort.solved} comparisons, to tell what the inductive bias implies. "
        "Samples are solved to "
        f"{100 * effort.tolerance:.2g}% of their energy"
    )
    if learned and learned.comparisons < len(data.comparisons):
        said += f". The reward model is fitted to {learned.comparisons:,} random comparisons"
        if learned.dimensions < found.similarity.embeddings.shape[1]:
            said += (
                f", by {learned.dimensions} principal components of the embeddings, which hold "
                f"{learned.carried:.1%} of their variance"
            )
    return f"{said}. Each ± is the standard error of sampling, without those tolerances."


def recommended(found: Audit, most: int = MOST_RECOMMENDED) -> tuple[Recommendation, ...]:
    """Pick the recommendations that help, the best first."""
    return tuple(one for one in found.recommendations if one.helps)[:most]


def steps(found: Audit, most: int = MOST_RECOMMENDED) -> list[Step]:
    """Say what to do next, with the commands that do it."""
    if found.labels is None:
        start = found.data.command("plan", "--budget", "32", "--out", "next.jsonl")
        return [
            Step("No reward model could be fitted, for want of labels: start with a plan.", start)
        ]
    if not found.labels.predicts:
        embed = found.data.command("embed", "--embedder", "all-MiniLM-L6-v2", "--out", "texts.npy")
        again = found.data.command("audit", "--embeddings", "texts.npy", "--out", "report.html")
        return [
            Step(
                "Held-out labels show no signal on these embeddings, so no labels are advised over "
                "others. See first whether other embeddings do: a sentence model’s, or the last "
                "layer of a reward model (--embedder llm:…).",
                f"{embed} && {again}",
            ),
            Step("Or see whether labels agree with themselves: have some pairs labelled twice."),
        ]
    chosen = recommended(found, most)
    if not chosen:
        return [
            Step(
                "Random will do: of what was tried, nothing is expected to bring clearly more than "
                "as many labels of random pairs of new prompts."
            )
        ]
    budget = max(one.labels for one in chosen)
    said = [Step(f"{one.title}.", one.command, effect(one)) for one in chosen]
    caution = Step(CAUTION)
    if len(found.data.comparisons) >= REPLAYED * budget + FEWEST:  # else there is little to hide
        caution = Step(
            f"{CAUTION} On the labels you have, this says which would have brought more:",
            found.data.command("replay", "--budget", str(budget)),
        )
    return [*said, caution]


def to_do(found: Audit, most: int = MOST_RECOMMENDED) -> list[str]:
    """Say what to do next, a step a paragraph."""
    return [one.said for one in steps(found, most)]


def effect(one: Recommendation) -> str:
    """Say what a recommendation would bring."""
    low, high = one.worth_range
    return (
        f"Right on {one.then:.1%} of new pairs, {one.now:.1%} now and {one.otherwise:.1%} with as "
        f"many random ones; worth {one.worth:,.0f} of those ({low:,.0f} to {high:,.0f})."
    )


def answer(found: Audit) -> str:
    """Answer in a few words whether this data can predict preferences."""
    if found.labels is None:
        return "Not known: there are too few labels to hold some out."
    if not found.labels.predicts:
        return "No sign of it: no better than a coin on these embeddings."
    return "Yes, better than a coin, on these embeddings."


def trust(found: Audit) -> list[str]:
    """Say what the answer rests on, in a few sentences."""
    learned = found.labels
    if learned is None:
        return [contradicted(found)]
    scores, (low, high) = learned.evaluation.model, learned.error_interval
    unsupported = "" if learned.predicts else ", which nothing supports here,"
    return [
        f"Log loss {scores.log_loss.mean:.4f} ± {scores.log_loss.stderr:.4f}; a coin has 0.6931. "
        "Logistic regression on the same embeddings is right on "
        f"{learned.evaluation.baseline.accuracy.mean:.1%}.",
        f"By the fitted model{unsupported} a label prefers the worse response "
        f"{learned.error.mean:.0%} of the time ({low:.0%} to {high:.0%}). What these embeddings "
        "cannot explain counts as noise.",
        contradicted(found),
    ]


def spent(found: Audit) -> list[str]:
    """Say what the labels cost, and what they brought, in a few sentences."""
    again = found.posterior.redundancy
    said = [
        f"{count_of(len(found.data.comparisons), 'label')}, each a reading of about "
        f"{count_of(round(words_read(found)), 'word')} (median, prompt included). A response is "
        f"used {found.reuse:.2f} times on average.",
    ]
    if found.labels:
        said.append(learnt(found.labels))
    if again.redundant:
        said.append(
            f"{count_of(again.redundant, 'label')} could be predicted from the others to "
            f"{again.threshold:.0%} or more."
        )
    return [*said, *[line for kind in ("within", "across") if (line := compared(found, kind))]]


def words_read(found: Audit) -> float:
    """Return the median number of words that a comparison makes one read."""
    data, pairs = found.data, found.data.comparisons
    asked = np.array([len(text.split()) for text in data.prompts])
    said = np.array([len(text.split()) for text in data.responses])
    return float(np.median(asked[data.prompt_of[pairs.a]] + said[pairs.a] + said[pairs.b]))


def left(found: Audit) -> str:
    """Say how much the rewards of two answers differ before the labels and after them."""
    kind = "two answers to one prompt" if found.posterior.after.within else "answers to two prompts"
    before, after = (
        np.sqrt(one.decisive.variance.mean) for one in (found.prior.before, found.posterior.after)
    )
    return (
        f"the rewards of {kind} differ by a standard deviation of {before:.2f} before any label "
        f"and of {after:.2f} after them."
    )


def _variance(one: Uncertainty, kind: str) -> Estimate | None:
    pairs = one.within if kind == "within" else one.across
    return pairs.variance if pairs else None


def compared(found: Audit, kind: str) -> str | None:
    """Say which other topology leaves the least, if it is clearly less or clearly more."""
    own = _variance(found.posterior.after, kind)
    others = {name: _variance(one, kind) for name, one in found.layouts.items()}
    known = {name: value for name, value in others.items() if value is not None}
    if own is None or not known:
        return None
    name, best = min(known.items(), key=lambda item: item[1].mean)
    where = "Within a prompt" if kind == "within" else "Across prompts"
    error = np.hypot(best.margin(CLEAR), own.margin(CLEAR))
    if abs(best.mean - own.mean) <= max(error, 0.005 * own.mean):
        return f"{where}, no other layout of as many comparisons would leave clearly less."
    side = "less" if best.mean < own.mean else "more, and all others more still"
    share = abs(best.mean / own.mean - 1.0)
    return (
        f"{where}, as many comparisons in the layout {name} would leave {share:.0%} {side} "
        f"({with_error(best)} against {with_error(own)})."
    )
