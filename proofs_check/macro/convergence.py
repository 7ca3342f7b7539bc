"""M3: vanishing posterior variance makes reward and policy converge, and under which conditions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise, product

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ibn.proofs_check.asymptotics import written
from ibn.proofs_check.claim import (
    CHECK_ERROR,
    FAILS,
    HOLDS,
    UNDECIDED,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
    worst,
)
from ibn.simulations.consistency import Autoencoder, Consistency, measure

ASSUMPTIONS = {
    "labels": "the reward model's likelihood is the labels' own; continuous labels taken as "
    "Gaussian need only have the assumed mean, and at most the assumed variance",
    "bias": "r_H is a draw from the inductive bias; or, for continuous labels taken as Gaussian, "
    "fixed with an energy r_H' P r_H under the bias's precision P that stays bounded in n",
    "moments": "on an infinite response space: the exponential moments of β r_H and β r_RM are "
    "bounded over responses (bounded rewards, or Gaussian ones of bounded variance)",
}

EPSILON = sp.Rational(1, 10)
BUDGETS = {"quick": (30, 300, 3000, 30_000), "full": (100, 1000, 10_000, 100_000)}
REPLICATES = {"quick": 80, "full": 200}
DIGITS = {"quick": 6, "full": 8}
WIDEST = 0.5  # interval of a ratio that should be 1 before anything is said of it

Counterexample = Callable[[], tuple[bool, str]]


def biased_labels() -> tuple[bool, str]:
    """Two responses one apart; whichever is shown first gets 1 more than it deserves."""
    n, sigma2 = sp.symbols("n sigma2", positive=True)
    precision = 1 + n / sigma2  # of the prior, and of n Gaussian labels about 1 + 1
    variance = sp.limit(1 / precision, n, sp.oo)
    mean = sp.limit((n / sigma2) * 2 / precision, n, sp.oo)
    told = f"labels that favour the response shown first: variance → {variance}, mean → {mean}"
    return variance == 0 and mean != 1, f"{told} where the truth is 1"


def mismatched_temperature() -> tuple[bool, str]:
    """Binary labels drawn at β = 1, read by a reward model as if at β = 2."""
    d, n = sp.symbols("d n", positive=True)
    share = 1 / (1 + sp.exp(-1))  # of labels that prefer the better response; the truth is 1
    slope = 2 * (share - 1 / (1 + sp.exp(-2 * d)))
    half = sp.Rational(1, 2)
    optimum = sp.simplify(slope.subs(d, half)) == 0
    information = sp.simplify(-sp.diff(slope, d)).subs(d, half)
    variance = sp.limit(1 / (n * information), n, sp.oo)
    told = f"binary labels read at twice their β: variance → {variance}, mean → {half}"
    told += " where the truth is 1 (harmless if the decoder errs alike)"
    return optimum and variance == 0, told


def hardening_bias() -> tuple[bool, str]:
    """Two responses that the inductive bias holds for alike, and more so as n grows."""
    n, sigma2 = sp.symbols("n sigma2", positive=True)
    precision = n**2 + n / sigma2
    variance = sp.limit(1 / precision, n, sp.oo)
    mean = sp.limit((n / sigma2) / precision, n, sp.oo)
    told = f"a bias of variance 1/n² on n honest labels: variance → {variance}, mean → {mean}"
    return variance == 0 and mean != 1, f"{told} where the truth is 1"


def rare_and_huge() -> tuple[bool, str]:
    """Each response independently has reward n with probability n⁻³, else 0; no labels."""
    n = sp.Symbol("n", positive=True)
    rare = n**-3
    variance = sp.limit(2 * n**2 * rare * (1 - rare), n, sp.oo)
    human = sp.limit(rare * sp.exp(n) / (1 - rare + rare * sp.exp(n)), n, sp.oo)
    policy = sp.limit(rare, n, sp.oo)  # the posterior mean is the same everywhere
    told = (
        "on an infinite space, rewards n with probability n⁻³ and 0 otherwise, β = 1: variance "
        f"→ {variance}, yet of those rare responses p_H has mass → {human} and p_LM → {policy}"
    )
    return variance == 0 and human != policy, told


COUNTEREXAMPLES: dict[str, tuple[Counterexample, ...]] = {
    "labels": (biased_labels, mismatched_temperature),
    "bias": (hardening_bias,),
    "moments": (rare_and_huge,),
}


def _residual_supremum(step: sp.Expr, distance: sp.Expr, depth: sp.Symbol) -> str:
    """Decide whether the reward is bounded below an unlabelled cell of the hierarchy.

    Parameters
    ----------
    step : Expr
        Variance of the edge that leads to a depth.
    distance : Expr
        g at a depth.
    depth : Symbol
        That depth.

    Returns
    -------
    str
        ``"infinite"`` if following the better sibling down gains Σ E[max] √step = ∞, which has
        finite variance and so is infinite almost surely; ``"finite"`` if a chaining over depths
        1, 2, 4, … bounds the expected supremum by a convergent series; else ``"undecided"``.
    """
    # √step against the harmonic series
    if sp.limit(sp.sqrt(step) * depth, depth, sp.oo) != 0:
        return "infinite"
    # E max of B^(2k) Gaussians of variance g(k) is at most a constant times √(k g(k))
    link = sp.sqrt(depth * distance)
    ratio = sp.limit(sp.simplify(link.subs(depth, 2 * depth) / link), depth, sp.oo)
    return "finite" if ratio < 1 else "undecided"


def suprema() -> dict[str, str]:
    """Whether sup over y of |r_RM(y) - r_H(y)| is finite, by family of the inductive bias."""
    k = sp.Symbol("k", positive=True)
    log2 = sp.log(2)
    families = {
        "power, α = 1/10": 2 ** (-k / 10),
        **{
            f"logarithmic, α = {alpha}": (1 + k * log2) ** -alpha
            for alpha in (sp.Rational(1, 2), sp.S(1), sp.Rational(3, 2))
        },
        "sub-logarithmic": 1 / (1 + sp.log(1 + k)),
    }
    found = {}
    for name, distance in families.items():
        found[name] = _residual_supremum(distance.subs(k, k - 1) / 2 - distance / 2, distance, k)
    return found


def m3(
    error_factor: str = "1",
    variation_divisor: int = 4,
    assumed: tuple[str, ...] = tuple(ASSUMPTIONS),
) -> Claim:
    """Build claim M3.

    Parameters
    ----------
    error_factor : str
        Asserted mean squared error of r_RM(y1) - r_RM(y2), over its posterior variance.
    variation_divisor : int
        Total variation is asserted to be at most tanh(β w/this), w the range of the error.
    assumed : tuple of str
        Which of ``ASSUMPTIONS`` the claim makes.
    """
    factor = sp.sympify(error_factor)
    policy = Check("policy follows reward", "symbolic", partial(_policy, variation_divisor))

    return Claim(
        id="M3",
        statement="If the posterior variance of reward differences is at most V(n) → 0, then "
        "r_RM(y1) - r_RM(y2) → r_H(y1) - r_H(y2) in probability, uniformly over pairs, and "
        "p_LM → p_H in probability",
        latex=r"\sup_{y_1, y_2} \mathrm{Var}[r_\mathrm{RM}(y_1) \mid r_\mathrm{RM}(y_2)] \to 0 "
        r"\;\Rightarrow\; \sup_{y_1, y_2} P\bigl(|\Delta(y_1) - \Delta(y_2)| > \varepsilon\bigr) "
        r"\to 0, \quad p_\mathrm{LM} \to p_H",
        source="paper, Theorem 3.1",
        assumptions=tuple(ASSUMPTIONS[name] for name in assumed),
        readings=(
            Reading(
                "supremum over pairs outside the probability",
                (
                    Check(
                        "squared error is posterior variance",
                        "symbolic",
                        partial(_squared_error, factor),
                    ),
                    Check("fixed human reward", "exhaustive", partial(_fixed_reward, factor)),
                    policy,
                    Check("infinite response space", "symbolic", _infinite_space),
                    Check("each assumption is needed", "symbolic", partial(_needed, assumed)),
                    Check(
                        "chain and tree, measured",
                        "Monte Carlo",
                        partial(_measured, factor),
                        full="256 responses, 200 rewards, n to 100,000, not 64, 80 and 30,000",
                    ),
                ),
                r"\sup_{y_1, y_2} P\bigl(\lvert\Delta(y_1) - \Delta(y_2)\rvert > \varepsilon\bigr) "
                r"\le 2V/\varepsilon^2 \to 0",
                "the mean squared error is the posterior variance, so Chebyshev's inequality "
                "bounds "
                "every pair alike, and the policy follows the reward",
            ),
            Reading(
                "supremum inside, finite response space",
                (policy,),
                r"P\bigl(\max_{y, y'} \lvert\Delta(y) - \Delta(y')\rvert > \varepsilon\bigr) \le "
                r"\lvert Y\rvert V/\varepsilon^2 \to 0",
                "a union over finitely many responses costs a factor that does not grow with n",
            ),
            Reading(
                "supremum inside, infinite response space",
                (Check("sense of uniformity", "symbolic", _uniformity),),
                r"\sup_y \lvert r_\mathrm{RM}(y) - r_H(y)\rvert = \infty \text{ for every } n,\ "
                r"F \sim I(\log M)^{-1}",
                "cells without labels always remain, and in slowly decaying families the reward is "
                "unbounded on each",
                counts=False,
            ),
        ),
        rests_on=("M1", "M2"),
    )


def _squared_error(factor: sp.Expr, context: Context) -> Finding:
    # Precisions on the space of differences: P of the bias, A - P of the labels, which the
    # posterior adds up. The error is A⁻¹(noise of covariance A - P) - A⁻¹ P r_H.
    posterior, prior = sp.symbols("A P", commutative=False)
    labels = posterior - prior
    inverse = posterior**-1
    error = inverse * prior * prior**-1 * prior * inverse + inverse * labels * inverse
    gap = sp.expand(sp.expand(error) - factor * inverse)
    v = sp.Symbol("V", positive=True)
    chance = 2 * v * factor / EPSILON**2  # of an error above ε, for a draw from the posterior
    if gap == 0 and sp.limit(chance, v, 0) == 0:
        return Finding(
            HOLDS,
            "with precisions P of the bias and A - P of the labels the error's covariance is "
            "A⁻¹P P⁻¹P A⁻¹ + A⁻¹(A - P)A⁻¹ = A⁻¹, the posterior's own, for networks of any "
            "size and labels of any distribution of that mean and variance (for other "
            "likelihoods, r_H and a posterior draw are exchangeable given D); so "
            "P(|error| > ε) ≤ V/ε² for the posterior mean and 2V/ε² for a draw, for all pairs",
        )
    return Finding(FAILS, f"the error's covariance minus the asserted one is {gap}")


def _fixed_reward(factor: sp.Expr, context: Context) -> Finding:
    worst, instance, cases = _fixed_reward_errors()
    return Finding(
        decided(worst <= factor),
        f"all {cases} combinations of labelled pairs among 4 responses, rewards in {{0, 1, 2}} "
        "and pair, exactly: for a fixed r_H the mean squared error is at most "
        f"max(1, r_H' P r_H) times the posterior variance; the greatest share is {instance}",
        {"greatest_share": float(worst)},
    )


def _policy(variation_divisor: int, context: Context) -> Finding:
    # Given a range w of β × error, p_LM/p_H has expectation 1 under p_H and lies within a
    # factor e^w; half the mean of |ratio - 1| is convex, so greatest where the ratio takes
    # only the two end values: p_H has mass x on one response and error w there.
    x, w = sp.symbols("x w", positive=True)
    gained = x * sp.exp(w) / (1 - x + x * sp.exp(w)) - x
    best = 1 / (1 + sp.exp(w / 2))
    stationary = sp.simplify(sp.diff(gained, x).subs(x, best)) == 0
    concave = sp.simplify(sp.diff(gained, x, 2).subs(x, best).subs(w, 1)) < 0
    greatest = gained.subs(x, best)
    at = sp.S(1)
    value, allowed = greatest.subs(w, at), sp.tanh(at / variation_divisor)
    same = sp.simplify((greatest - sp.tanh(w / 4)).rewrite(sp.exp)) == 0
    holds = stationary and concave and same and bool(value.evalf(30) <= allowed.evalf(30))
    if holds:
        return Finding(
            HOLDS,
            "total variation is at most tanh(βw/4), w = max Δ - min Δ, attained by two "
            "responses; so on a finite space P(max |Δ(y) - Δ(y')| > ε) ≤ |Y| V/ε² carries "
            "over to p_LM uniformly",
        )
    mass = float(best.subs(w, at))
    return Finding(
        FAILS,
        f"p_H = ({mass:.4f}, {1 - mass:.4f}) and an error of βw = 1 on the first: total "
        f"variation {float(value):.6f} > tanh(1/{variation_divisor}) = {float(allowed):.6f}",
    )


def _infinite_space(context: Context) -> Finding:
    # E|e^{βr_RM} - e^{βr_H}| ≤ √E e^{2βr_H} √E(e^{βΔ} - 1)², Δ Gaussian of variance v ≤ V;
    # integrated over responses it bounds |Z_RM - Z_H| as well.
    v, beta, s = sp.symbols("v beta s", positive=True)
    z = sp.Symbol("z", real=True)
    moment = sp.exp(s**2 * v / 2)
    shifted = -((z - s * v) ** 2) / (2 * v) + s**2 * v / 2  # completing the square
    is_moment = sp.expand(s * z - z**2 / (2 * v) - shifted) == 0
    square = moment.subs(s, 2 * beta) - 2 * moment.subs(s, beta) + 1
    grows = sp.simplify(sp.diff(square, v) / sp.exp(beta**2 * v / 2) / beta**2)
    increasing = bool(sp.simplify(grows - 2 * sp.exp(3 * beta**2 * v / 2) + 1) == 0)
    holds = is_moment and increasing and sp.limit(square, v, 0) == 0
    return Finding(
        HOLDS if holds else UNDECIDED,
        f"Gaussian errors of variance v ≤ V: E(exp(βΔ) - 1)² = {written(square)}, increasing in v "
        f"and "
        "→ 0 with it, so that exp(β r_RM) and its integral Z converge in mean, uniformly over "
        "responses, and p_LM → p_H in total variation, in probability",
    )


def _uniformity(context: Context) -> Finding:
    found = suprema()
    told = "; ".join(f"{name}: {verdict}" for name, verdict in found.items())
    evidence = (
        f"supremum over responses of |r_RM - r_H| in the ultrametric world — {told}. Cells "
        "without labels always remain, so where it is infinite it is so for every n while the "
        "variance vanishes: convergence is uniform with the supremum outside the probability "
        "only, and p_LM cannot approach p_H in the supremum norm"
    )
    if "undecided" in found.values():
        return Finding(UNDECIDED, evidence, found)
    return Finding(FAILS if "infinite" in found.values() else HOLDS, evidence, found)


def _needed(assumed: tuple[str, ...], context: Context) -> Finding:
    told, verdicts = [], []
    for name, examples in COUNTEREXAMPLES.items():
        for example in examples:
            genuine, evidence = example()
            told.append(f"without “{name}”: {evidence}")
            if not genuine:
                verdicts.append(UNDECIDED)
            elif name not in assumed:
                verdicts.append(FAILS)
    return Finding(worst(verdicts), "; ".join(told))


def _measured(factor: sp.Expr, context: Context) -> Finding:
    budgets = BUDGETS[context.profile]
    rng = context.rng("M3 measured")
    digits, replicates = DIGITS[context.profile], REPLICATES[context.profile]
    level = 1.0 - CHECK_ERROR / (2 * (2 * len(budgets) + 1))
    verdicts, told, data = [], [], {}
    for topology in ("chain", "tree"):
        settings = [Autoencoder(topology, n, digits) for n in budgets]
        rows = measure(settings, replicates, rng)
        for name in ("kl", "total_variation"):
            intervals = [row.measures[name].interval(level) for row in rows]
            verdicts.append(_falls(intervals))
        ratio = _ratio(rows[-1], level)
        low, high = ratio
        covered = low <= float(factor) <= high
        narrow = high - low <= WIDEST
        verdicts.append((HOLDS if narrow else UNDECIDED) if covered else FAILS)
        kl, tv, largest = (
            ", ".join(f"{row.measures[name].mean:.2g}" for row in rows)
            for name in ("kl", "total_variation", "largest_variance")
        )
        error = max(
            row.measures[name].relative_error
            for row in rows
            for name in ("kl", "total_variation", "largest_variance")
        )
        told.append(
            f"{topology}: greatest variance {largest}; KL(p_H‖p_LM) {kl}; total variation "
            f"{tv} (standard errors up to {error:.0%}); squared error over variance at the "
            f"last n in [{low:.3f}, {high:.3f}]"
        )
        data[topology] = [
            {"n": row.setting.n} | {name: [m.mean, m.stderr] for name, m in row.measures.items()}
            for row in rows
        ]
    evidence = (
        f"{2**digits} responses, power family, α = 0.5, β = 2, n = "
        f"{', '.join(map(str, budgets))}, {replicates} rewards each — {'; '.join(told)}"
    )
    return Finding(worst(verdicts), evidence, data)


def _falls(intervals: list[tuple[float, float]]) -> str:
    """Whether each quantity is below the one before it."""
    steps = list(pairwise(intervals))
    if any(later[0] > earlier[1] for earlier, later in steps):
        return FAILS
    return HOLDS if all(later[1] < earlier[0] for earlier, later in steps) else UNDECIDED


def _ratio(row: Consistency, level: float) -> tuple[float, float]:
    """Interval of the mean squared error over the mean posterior variance."""
    variance = row.measures["mean_variance"]
    low, high = row.measures["squared_error"].interval(level)
    return low / variance.mean, high / variance.mean


def _fixed_reward_errors() -> tuple[Fraction, str, int]:
    """Greatest mean squared error over max(1, energy) × posterior variance, over small instances.

    Four responses, the bias a path of unit variances, labels of unit variance on any of the 64
    sets of pairs, every reward in {0, 1, 2}⁴ up to a shift, every pair; in whole numbers, with
    inverses as adjugate over determinant.
    """
    pairs = list(combinations(range(4), 2))
    prior = _laplacian([(0, 1), (1, 2), (2, 3)])
    rewards = np.array(
        sorted({tuple(x - r[0] for x in r[1:]) for r in product(range(3), repeat=4)})
    )
    steps = np.diff(rewards, axis=1, prepend=0)
    energy = np.maximum(1, (steps**2).sum(axis=1))
    worst, instance, cases = Fraction(0), "", 0
    for chosen in product((False, True), repeat=len(pairs)):
        edges = [pair for pair, taken in zip(pairs, chosen, strict=True) if taken]
        labels = _laplacian(edges)
        precision = sp.Matrix(prior + labels)
        det = int(precision.det())
        adjugate = np.array(precision.adjugate().tolist(), dtype=np.int64)
        for pair in pairs:
            contrast = np.array([int(i == pair[0]) - int(i == pair[1]) for i in (1, 2, 3)])
            pull = contrast @ adjugate  # det × contrast × inverse
            error = pull @ labels @ pull + (rewards @ prior @ pull) ** 2  # det² × squared error
            allowed = energy * (pull @ contrast) * det  # det² × variance × energy
            cases += len(rewards)
            k = int((error / allowed).argmax())
            if (share := Fraction(int(error[k]), int(allowed[k]))) > worst:
                worst = share
                instance = (
                    f"{share}, at labels on {edges or 'no pair'}, r_H = "
                    f"{(0, *rewards[k].tolist())}, pair {pair}"
                )
    return worst, instance, cases


def _laplacian(edges: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Laplacian of unit edges among four responses, the first of which is held at 0."""
    matrix = np.zeros((4, 4), np.int64)
    for a, b in edges:
        matrix[[a, b], [a, b]] += 1
        matrix[[a, b], [b, a]] -= 1
    return matrix[1:, 1:]
