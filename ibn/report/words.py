"""An audit in words, for a terminal and for the report alike."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from ibn.auditing.learned import LabelFindings
from ibn.auditing.recommendation import Recommendation
from ibn.auditing.result import Audit
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate

MOST_RECOMMENDED = 5
CAUTION = (
    "These are forecasts of the fitted model. On real labels held back such forecasts did not hold "
    "on average: a plan has random picks among its pairs, and the next plan says what the others "
    "brought beside them. If they bring no more, random will do."
)
CLEAR = 0.997  # confidence at which a difference is one: three standard errors of many draws


def with_error(value: Estimate) -> str:
    """Write an estimate with its standard error, if it has one."""
    digits = 3 if value.mean < 10 else 2 if value.mean < 1000 else 0
    error = f" ± {value.stderr:.{digits}f}" if value.stderr else ""
    return f"{value.mean:,.{digits}f}{error}"


def lines_of(lines: Sequence[int]) -> str:
    """Name the lines of a file, the first few."""
    more = ", …" if len(lines) > 4 else ""
    return ", ".join(map(str, lines[:4])) + more if lines else "never compared"


def snippet(text: str, length: int) -> str:
    """Take a text's last words, where a prompt asks, on one line of printable characters."""
    words = " ".join(text[-8 * length :].split())
    words = "".join(c if c.isprintable() else "�" for c in words)
    return words if len(words) <= length else "…" + words[1 - length :].partition(" ")[2]


def count_of(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
        said.append(f"no contradictory cycle in {count_of(one.loops, 'closed circle')}")
    return "; ".join(said).capitalize() + "."


def costs(found: Audit) -> list[str]:
    """Say what the layout of the dataset costs."""
    return [
        _left(found),
        *[line for kind in ("within", "across") if (line := _compared(found, kind))],
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
            "2 %. "
        )
    said += (
        f"{effort.samples} samples of the posterior rank pairs and prompts; {effort.candidates} "
        f"times as many as are listed are then solved for, to {100 * effort.pair_tolerance:.2g} %, "
        f"and so are {effort.solved} comparisons, to tell what the inductive bias implies. "
        "Samples are solved to "
        f"{100 * effort.tolerance:.2g} % of their energy"
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


def to_do(found: Audit, most: int = MOST_RECOMMENDED) -> list[str]:
    """Say what to do next."""
    source = shlex.quote(found.data.source)
    if found.labels is None:
        return [
            "No reward model could be fitted, for want of labels: start with a plan "
            f"(ibn plan {source} --budget 32 --out next.jsonl)."
        ]
    if not found.labels.predicts:
        return [
            "Held-out labels show no signal on these embeddings, so no labels are advised over "
            "others. See first whether other embeddings do (ibn embed writes some for "
            "--embeddings), or whether the labels agree with themselves (label some pairs twice)."
        ]
    said = [sentence(one) for one in recommended(found, most)]
    if said:
        return [*said, CAUTION]
    return [
        "Random will do: of what was tried, nothing is expected to bring clearly more than as "
        "many labels of random pairs of new prompts."
    ]


def sentence(one: Recommendation) -> str:
    """Say what to do and what it would bring."""
    low, high = one.worth_range
    return (
        f"{one.title}: right on {one.then:.1%} of new pairs, {one.now:.1%} now and "
        f"{one.otherwise:.1%} with as many random ones; worth {one.worth:,.0f} of those "
        f"({low:,.0f} to {high:,.0f}). {one.command}"
    )


def _left(found: Audit) -> str:
    kind = "two answers to one prompt" if found.posterior.after.within else "answers to two prompts"
    before, after = (
        np.sqrt(one.decisive.variance.mean) for one in (found.prior.before, found.posterior.after)
    )
    return (
        f"The rewards of {kind} differ, before any label, by a standard deviation of "
        f"{before:.2f}; the labels reduce it to {after:.2f}: {found.remaining:.0%} of the variance "
        "is left."
    )


def _variance(one: Uncertainty, kind: str) -> Estimate | None:
    pairs = one.within if kind == "within" else one.across
    return pairs.variance if pairs else None


def _compared(found: Audit, kind: str) -> str | None:
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
