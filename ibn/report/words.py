"""An audit in words, for a terminal and for the report alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ibn.auditing.advice import Recommendation
from ibn.auditing.learned import Learned
from ibn.auditing.result import Audit
from ibn.auditing.uncertainty import Uncertainty
from ibn.estimate import Estimate

CLEAR = 0.997  # confidence at which a difference is one: three standard errors of many draws
MOST_ADVISED = 5


def plus_minus(value: Estimate) -> str:
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


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def have(found: Audit) -> list[str]:
    """Say what the dataset is."""
    parts = found.components
    reused = "a pure chain" if found.uses[2:].sum() == 0 else "1.00 would be a pure chain"
    bias = (
        "one"
        if parts.with_bias == 1
        else f"{parts.with_bias:,}, which {count(parts.links, 'added link')} joined"
    )
    return [
        f"{count(found.comparisons, 'comparison')} of {count(found.responses, 'response')} to "
        f"{count(found.prompts, 'prompt')}. A response takes part in {found.reuse:.2f} "
        f"comparisons on average; {reused}.",
        f"Comparisons alone leave {count(parts.comparisons, 'connected component')}, the largest "
        f"of {count(parts.largest, 'response')}; with similar responses tied together: {bias}.",
        contradicted(found),
    ]


def contradicted(found: Audit) -> str:
    """Say how far the labels contradict each other, or whether they could."""
    one = found.contradictions
    if not one.repeated and not one.loops:
        return (
            "No pair is labelled twice and no circle of comparisons closes, so that labels cannot "
            "contradict each other: what they say gives no measure of their noise."
        )
    said = []
    if one.agreement is not None:
        said.append(
            f"{count(one.repeated, 'pair')} labelled more than once, two labels of one agreeing "
            f"{one.agreement.mean:.0%} of the time"
        )
    if one.in_cycles:
        turned = f"{one.feedback_least:,}"
        if one.feedback_most > one.feedback_least:
            turned += f" to {one.feedback_most:,}"
        said.append(
            f"{count(one.in_cycles, 'pair')} on contradictory cycles, which turning around "
            f"{turned} labels would resolve"
        )
    else:
        said.append(f"no contradictory cycle in {count(one.loops, 'closed circle')}")
    return "; ".join(said).capitalize() + "."


def costs(found: Audit) -> list[str]:
    """Say what the layout of the dataset costs."""
    curve = found.curve
    return [
        _left(found),
        *[line for kind in ("within", "across") if (line := _compared(found, kind))],
        *(
            [
                "For prompts without labels of their own the variance stays at "
                f"{plus_minus(curve.unlabelled[-1])}, where those with labels have "
                f"{plus_minus(curve.labelled[-1])}."
            ]
            if curve
            else []
        ),
        *([foretold(found.learned)] if found.learned else []),
    ]


def foretold(learned: Learned) -> str:
    """Say whether held-out labels are foretold, and how noisy labels are."""
    scores, (low, high) = learned.evaluation.model, learned.error_interval
    told = (
        f"A reward model fitted to part of the labels foretells {scores.accuracy.mean:.1%} ± "
        f"{scores.accuracy.stderr:.1%} of the others, with a log loss of "
        f"{scores.log_loss.mean:.4f} ± {scores.log_loss.stderr:.4f}"
    )
    if not learned.foretells:
        return (
            f"{told}: no better than a coin (0.6931). On these embeddings, what rests on that "
            "model, its label noise and plans, is not supported; try others (--embeddings)."
        )
    return (
        f"{told}, where a coin has 0.6931. A label is estimated to prefer the worse response "
        f"{learned.error.mean:.0%} of the time ({low:.0%} to {high:.0%})."
    )


def sampled(found: Audit) -> str | None:
    """Say what was computed in part; None where all pairs were."""
    effort, learned = found.effort, found.learned
    if effort is None:
        return None
    told = (
        f"With {count(found.responses, 'response')} not all is computed. Mean variances come from "
        "random probes; inference distances from random pairs, "
        f"{effort.distances_within[0]:,} to {effort.distances_within[1]:,} within prompts and "
        f"{effort.distances_across[0]:,} to {effort.distances_across[1]:,} across, and "
        f"{effort.draw_within:,} and {effort.draw_across:,} in a draw of a topology"
    )
    if effort.draws:
        told += (
            f". A topology is drawn {effort.draws} times or more, until the errors of its mean "
            "variances are within 2 %"
        )
    told += (
        f". Pairs and prompts are ranked by {effort.samples} samples of the posterior, and "
        f"{effort.candidates} times as many as are listed are then solved for, to "
        f"{100 * effort.pair_tolerance:g} %; so are {effort.solved} comparisons, for what the "
        "inductive bias implies. Samples, also those that recommendations within prompts rest on, "
        f"are solved to {100 * effort.tolerance:g} % of their energy"
    )
    if learned and learned.comparisons < found.comparisons:
        told += f". The reward model is fitted to {learned.comparisons:,} random comparisons"
        if learned.dimensions < found.assumptions.dimensions:
            told += (
                f", by {learned.dimensions} principal components of the embeddings, which hold "
                f"{learned.carried:.1%} of their variance"
            )
    return f"{told}. Each ± is the standard error of sampling, without those tolerances."


def advised(found: Audit) -> tuple[Recommendation, ...]:
    """Pick the recommendations that help, the best first, at most five."""
    return tuple(one for one in found.recommendations if one.helps)[:MOST_ADVISED]


def advice(found: Audit, most: int = MOST_ADVISED) -> list[str]:
    """Say what to do next."""
    told = [sentence(one) for one in advised(found)[:most]]
    return told or ["None of what was tried would lower the variance by more than its error."]


def sentence(one: Recommendation) -> str:
    """Say what to do and what it would change."""
    change = f"{one.relative.mean:+.1%}".replace("-", "−")
    if one.relative.stderr:
        change += f" ± {one.relative.stderr:.1%}"
    told = f"{one.title}: {one.quantity} {_plain(one.now)} → {_plain(one.then)} ({change})"
    if one.against and one.otherwise:
        told += f"; {one.against}: {_plain(one.otherwise)}"
    return told + "."


def _plain(value: Estimate) -> str:
    return plus_minus(Estimate(value.mean, 0.0, value.count))


def summary(found: Audit) -> list[str]:
    """Say what was found, a sentence or two a finding: what there is, and what it costs."""
    return [*have(found), *costs(found)]


def _left(found: Audit) -> str:
    kind = "two answers to one prompt" if found.after.within else "answers to two prompts"
    before, after = (np.sqrt(one.decisive.variance.mean) for one in (found.before, found.after))
    return (
        f"The rewards of {kind} differ, before any label, by a standard deviation of "
        f"{before:.2f}; the labels bring it to {after:.2f}: {found.remaining:.0%} of the variance "
        "is left."
    )


def _variance(one: Uncertainty, kind: str) -> Estimate | None:
    pairs = one.within if kind == "within" else one.across
    return pairs.variance if pairs else None


def _compared(found: Audit, kind: str) -> str | None:
    """Say which other topology leaves the least, if it is clearly less or clearly more."""
    own = _variance(found.after, kind)
    others = {name: _variance(one, kind) for name, one in found.topologies.items()}
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
        f"{where}, as many comparisons laid out as {name} would leave {share:.0%} {side} "
        f"({plus_minus(best)} against {plus_minus(own)})."
    )
