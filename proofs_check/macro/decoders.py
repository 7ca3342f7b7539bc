"""M2: what entropy-regularised RL, KL-regularised RL and DPO decode."""

from __future__ import annotations

from functools import partial
from itertools import combinations, product

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.special import xlogy

from ibn.errors import InputError
from ibn.inference.laplace import laplace
from ibn.network import HUMAN_PREFERENCE, Network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.dominance import has_maximum
from ibn.proofs_check.claim import (
    FAILS,
    HOLDS,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
)
from ibn.theory import autoencoder

R, LOG_P, LOG_REF, LOG_Z, MARGIN = sp.symbols("r log_p log_ref log_Z h", real=True)
BETA, TAU, LAMBDA, T = sp.symbols("beta tau lambda t", positive=True)

GRID = {"quick": 12, "full": 24}  # denominator of the policies gone through
BETAS = (0.5, 1.0, 2.0)
REFERENCE = np.array([1.0, 2.0, 3.0, 4.0])
LABELS_A_PAIR = 3
DPO_STRENGTHS = (0.5, 1.0)
TOLERANCE = 1e-9


def _gibbs_inequality() -> bool:
    """Verify t log t - t + 1 ≥ 0 with equality at t = 1 alone: KL(p‖q) ≥ 0, and 0 iff p = q."""
    f = T * sp.log(T) - T + 1
    slope = sp.diff(f, T)
    return (
        f.subs(T, 1) == 0
        and slope.subs(T, 1) == 0
        and bool(sp.diff(slope, T).is_positive)  # strictly convex
    )


def _policies(size: int, denominator: int) -> NDArray[np.float64]:
    """All policies with probabilities that are multiples of 1/denominator, as log-probabilities."""
    cuts = np.array(list(combinations(range(denominator + size - 1), size - 1)))
    edges = np.column_stack([np.full(len(cuts), -1), cuts, np.full(len(cuts), cuts.max() + 1)])
    with np.errstate(divide="ignore"):
        return np.log((np.diff(edges, axis=1) - 1) / denominator)


def m2(
    temperature: str = "1", reference_temperature: str = "1", dpo_temperature: str = "1"
) -> Claim:
    """Build claim M2.

    Parameters
    ----------
    temperature : str
        Asserted temperature of the maximiser of E_p[r] + H(p)/β, times β.
    reference_temperature : str
        Asserted temperature of the maximiser of E_p[r] - τ KL(p‖p_ref), over τ.
    dpo_temperature : str
        Asserted temperature τ of the KL-regularised RL that DPO at strength λ lands on, over λ/β.
    """
    heat, reference_heat, dpo_heat = (
        sp.sympify(text) for text in (temperature, reference_temperature, dpo_temperature)
    )
    grid = Check(
        "against all policies on a grid",
        "exhaustive",
        partial(_all_policies, heat, reference_heat),
        full="probabilities in steps of 1/24, not 1/12",
    )
    return Claim(
        id="M2",
        statement="The Gibbs distribution ∝ exp(β r) is the unique maximiser of E_p[r] + H(p)/β; "
        "with a reference policy it is ∝ p_ref exp(r/τ) for E_p[r] - τ KL(p‖p_ref); DPO at "
        "strength λ = βτ lands on the same policy",
        latex=r"\arg\max_p \; \mathbb{E}_p[r] + H(p)/\beta \;\propto\; e^{\beta r}, \qquad "
        r"\arg\max_p \; \mathbb{E}_p[r] - \tau \, \mathrm{KL}(p \| p_\mathrm{ref}) \;\propto\; "
        r"p_\mathrm{ref} \, e^{r/\tau} \;=\; \pi_\mathrm{DPO}",
        source="paper: RLHF's decoder, and DPO as another decoder of the same code",
        assumptions=(
            "the normaliser Z is finite (always on a finite response space)",
            "DPO: the reference policy leaves no response out, labels follow Bradley-Terry, and "
            "no group of responses wins all its comparisons with the rest (Ford 1957); on a "
            "finite dataset the same policy means that of the maximum-likelihood reward model",
        ),
        readings=(
            Reading(
                "entropy-regularised RL",
                (
                    Check("entropy-regularised RL", "symbolic", partial(_maximiser, heat, False)),
                    grid,
                ),
                r"\arg\max_p\, \mathbb{E}_p[r] + H(p)/\beta \propto e^{\beta r}",
                "what an objective loses against the Gibbs distribution is a divergence from it",
            ),
            Reading(
                "KL-regularised RL",
                (
                    Check(
                        "KL-regularised RL", "symbolic", partial(_maximiser, reference_heat, True)
                    ),
                    grid,
                ),
                r"\arg\max_p\, \mathbb{E}_p[r] - \tau\,\mathrm{KL}(p \,\Vert\, p_\mathrm{ref}) "
                r"\propto p_\mathrm{ref}\, e^{r/\tau}",
                "the same with the reference policy's share",
            ),
            Reading(
                "DPO",
                (
                    Check("DPO's margin", "symbolic", partial(_dpo_margin, dpo_heat)),
                    Check("DPO fitted directly", "exhaustive", partial(_dpo_fitted, dpo_heat)),
                ),
                r"\pi_\mathrm{DPO} \propto p_\mathrm{ref}\, e^{r/\tau},\quad \tau = \lambda/\beta",
                "DPO's margin at that policy is the Bradley-Terry logit, where its strictly convex "
                "loss is least",
            ),
        ),
        rests_on=("M1",),
    )


def _maximiser(factor: sp.Expr, with_reference: bool, context: Context) -> Finding:
    # Per response: what p puts into the objective plus its share of KL(p‖p*) × temperature.
    # The claim holds iff this is the same constant, log Z × temperature, for every response
    # and policy: then objective(p*) - objective(p) = temperature × KL(p‖p*).
    cost = TAU if with_reference else 1 / BETA
    base = LOG_REF if with_reference else sp.S(0)
    claimed = R / (factor * cost) + base - LOG_Z
    share = R - cost * (LOG_P - base) + cost * (LOG_P - claimed)
    left = [sp.simplify(sp.diff(share, symbol)) for symbol in (R, LOG_P, LOG_REF)]
    if not any(left) and _gibbs_inequality():
        return Finding(
            HOLDS,
            f"objective(p*) - objective(p) = {'τ' if with_reference else '1/β'} KL(p‖p*) "
            "term by term for every policy p, on any response space where Z is finite; "
            "KL is positive unless p = p*, since t log t - t + 1 is strictly convex",
        )
    return Finding(FAILS, f"objective(p) + KL(p‖p*) × temperature varies with r: {left[0]}")


def _dpo_margin(dpo_heat: sp.Expr, context: Context) -> Finding:
    # DPO's margin at the policy ∝ p_ref exp(r/τ): the normaliser and p_ref cancel.
    r_a, r_b, ref_a, ref_b = sp.symbols("r_a r_b ref_a ref_b", real=True)
    tau = dpo_heat * LAMBDA / BETA
    ratio_a = (r_a / tau + ref_a - LOG_Z) - ref_a
    ratio_b = (r_b / tau + ref_b - LOG_Z) - ref_b
    gap = sp.simplify(LAMBDA * (ratio_a - ratio_b) - BETA * (r_a - r_b))
    # Given P(a preferred) = q, the expected loss in the margin h is convex, least at logit q.
    q = sp.Symbol("q", positive=True)
    loss = q * sp.log(1 + sp.exp(-MARGIN)) + (1 - q) * sp.log(1 + sp.exp(MARGIN))
    least = sp.simplify(sp.diff(loss, MARGIN).subs(MARGIN, sp.log(q / (1 - q))))
    logistic = sp.exp(MARGIN) / (1 + sp.exp(MARGIN)) ** 2
    convex = sp.simplify(sp.diff(loss, MARGIN, 2) - logistic) == 0
    if gap == 0 and least == 0 and convex:
        return Finding(
            HOLDS,
            "at the policy ∝ p_ref exp(r/τ), τ = λ/β, DPO's margin is the Bradley-Terry logit "
            "β (r(a) - r(b)) identically, where the strictly convex expected loss is least; "
            "policies and rewards up to a shift are one to one",
        )
    return Finding(FAILS, f"DPO's margin exceeds the Bradley-Terry logit by {gap}")


def _all_policies(heat: sp.Expr, reference_heat: sp.Expr, context: Context) -> Finding:
    denominator = GRID[context.profile]
    compared, closest, worst, instance = 0, np.inf, 0.0, ""
    for size in (2, 3, 4):
        policies = _policies(size, denominator)
        p = np.exp(policies)
        negative_entropy = xlogy(p, p).sum(axis=1)
        reference = np.log(REFERENCE[:size] / REFERENCE[:size].sum())
        cases = product(product((0.0, 1.0, 2.0), repeat=size), BETAS, (None, reference))
        for values, beta, log_reference in cases:
            reward = np.array(values)
            factor = heat if log_reference is None else reference_heat
            best = autoencoder.gibbs(reward, beta / float(factor), log_reference)
            top = autoencoder.objective(best, reward, beta, log_reference)
            cost = negative_entropy - (0.0 if log_reference is None else p @ log_reference)
            lead = top - (p @ reward - cost / beta)
            distance = (negative_entropy - p @ best) / beta
            compared += len(p)
            closest = min(closest, float(lead.min()))
            k = int(np.abs(lead - distance).argmax())
            if (off := abs(float(lead[k] - distance[k]))) > worst:
                worst = off
                instance = (
                    f"r = {values}, β = {beta:g}, p_ref "
                    f"{'uniform' if log_reference is None else '∝ 1, 2, …'}, "
                    f"p = {p[k].round(4).tolist()}: objective(p*) - objective(p) = "
                    f"{lead[k]:.6f}, KL(p‖p*)/β = {distance[k]:.6f}"
                )
    holds = worst <= TOLERANCE and closest >= -TOLERANCE
    told = (
        f"all {compared} combinations of a policy with probabilities k/{denominator} on 2 to "
        "4 responses, rewards in {0, 1, 2}, β and reference: none beats the closed form, and "
        f"its lead is KL(p‖p*)/β to {worst:.0e}"
    )
    data = {"off": worst, "least_lead": closest}
    return Finding(decided(holds), told if holds else instance, data)


def _dpo_fitted(dpo_heat: sp.Expr, context: Context) -> Finding:
    # Every outcome of three labels a pair of three responses. DPO minimises its loss over
    # policies; the other route fits a Bradley-Terry reward model and then decodes it.
    pairs = np.array([(0, 1), (0, 2), (1, 2)])
    a, b = np.repeat(pairs, LABELS_A_PAIR, axis=0).T
    reference = np.log(REFERENCE[:3] / REFERENCE[:3].sum())
    fitted, none, worst, instance = 0, 0, 0.0, ""
    for wins in product(range(LABELS_A_PAIR + 1), repeat=3):
        winner = np.concatenate(
            [np.where(np.arange(LABELS_A_PAIR) < w, 1, -1) for w in wins]
        ).astype(np.int8)
        preferred = (winner + 1) / 2.0
        if not has_maximum(3, a, b, preferred):
            none += _refuses(a, b, preferred, reference)
            continue
        reward = _bradley_terry(a, b, winner)
        for strength in DPO_STRENGTHS:
            direct = autoencoder.direct_preference(a, b, preferred, strength, reference)
            tau = strength * float(dpo_heat)  # the labels' β is 1
            decoded = autoencoder.gibbs(reward, 1.0 / tau, reference)
            fitted += 1
            off = autoencoder.total_variation(direct, decoded)
            if not off <= worst:
                worst = off
                instance = f"wins {wins} of 3, λ = {strength:g}: total variation {off:.6f}"
    total = (LABELS_A_PAIR + 1) ** 3
    holds = worst <= TOLERANCE and len(DPO_STRENGTHS) * (total - none) == fitted
    told = (
        f"all {total} outcomes of three labels a pair of three responses, λ in "
        f"{DPO_STRENGTHS}: where the likelihood has a maximum, DPO minimised over policies "
        f"and the decoded Bradley-Terry model agree within {worst:.0e} in total variation; "
        f"in {none} outcomes some response never loses to the rest and neither exists"
    )
    return Finding(decided(holds), told if holds else instance, {"off": worst})


def _bradley_terry(
    a: NDArray[np.int64], b: NDArray[np.int64], winner: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Maximum-likelihood rewards of three responses at β = 1."""
    comparisons = Comparisons(np.arange(3), a, b, winner=winner)
    kind = np.full(len(a), HUMAN_PREFERENCE, np.int8)
    network = Network(3, np.arange(3), a, b, np.ones(len(a)), kind)
    return laplace(network, comparisons, 1.0, "binary").rewards


def _refuses(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    preferred: NDArray[np.float64],
    reference: NDArray[np.float64],
) -> bool:
    try:
        autoencoder.direct_preference(a, b, preferred, 1.0, reference)
    except InputError:
        return True
    return False
