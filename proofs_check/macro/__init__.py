"""The macro level: labels, decoders, convergence and reconstruction loss (claims M1 to M4)."""

from __future__ import annotations

from collections.abc import Callable

from ibn.proofs_check.claim import Claim
from ibn.proofs_check.macro.convergence import m3
from ibn.proofs_check.macro.decoders import m2
from ibn.proofs_check.macro.label_model import m1
from ibn.proofs_check.macro.reconstruction import m4

CLAIMS: tuple[Callable[[], Claim], ...] = (m1, m2, m3, m4)

# Wrong variants of the claims, each with the check that must notice it.
MUTANTS: dict[str, tuple[Callable[[], Claim], str]] = {
    "M1: variance off by 9/π²": (lambda: m1(variance="3"), "variance of the posterior"),
    "M1: scale of the posterior doubled": (lambda: m1(scale="2"), "posterior under a flat prior"),
    "M1: preference steeper by a tenth": (lambda: m1(slope="11/10"), "P(δ > 0)"),
    "M2: policy at twice the temperature": (lambda: m2(temperature="2"), "entropy-regularised RL"),
    "M2: penalty of the reference weighed by 11/10": (
        lambda: m2(reference_temperature="11/10"),
        "KL-regularised RL",
    ),
    "M2: DPO at τ = 2λ/β": (lambda: m2(dpo_temperature="2"), "DPO's margin"),
    "M3: squared error a tenth below the variance": (
        lambda: m3(error_factor="9/10"),
        "squared error is posterior variance",
    ),
    "M3: total variation within tanh(βw/5)": (
        lambda: m3(variation_divisor=5),
        "policy follows reward",
    ),
    "M3: labels may be biased": (
        lambda: m3(assumed=("bias", "moments")),
        "each assumption is needed",
    ),
    "M3: the inductive bias may be wrong": (
        lambda: m3(assumed=("labels", "moments")),
        "each assumption is needed",
    ),
    "M3: rewards may be rare and huge": (
        lambda: m3(assumed=("labels", "bias")),
        "each assumption is needed",
    ),
    "M4: mean of the error counted half": (lambda: m4(mean_coefficient="1/2"), "exact identity"),
    "M4: bound with 1/9": (lambda: m4(bound="1/9"), "bound"),
    "M4: inequality turned": (lambda: m4(relation=">="), "bound"),
    "M4: second order with 1/2": (lambda: m4(second_order="1/2"), "second order"),
}
