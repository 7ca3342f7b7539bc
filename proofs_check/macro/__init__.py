"""The macro level: labels, decoders, convergence and reconstruction loss (claims M1 to M4)."""

from __future__ import annotations

from collections.abc import Callable

from ibn.proofs_check.claim import Claim
from ibn.proofs_check.macro.convergence import m3
from ibn.proofs_check.macro.decoders import m2
from ibn.proofs_check.macro.label_model import m1
from ibn.proofs_check.macro.reconstruction import m4

CLAIMS: tuple[Callable[[], Claim], ...] = (m1, m2, m3, m4)

MUTANTS: dict[str, Callable[[], Claim]] = {
    "M1: variance off by 9/π²": lambda: m1(variance="3"),
    "M1: scale of the posterior doubled": lambda: m1(scale="2"),
    "M1: preference steeper by a tenth": lambda: m1(slope="11/10"),
    "M2: policy at twice the temperature": lambda: m2(temperature="2"),
    "M2: penalty of the reference weighed by 11/10": lambda: m2(reference_temperature="11/10"),
    "M2: DPO at τ = 2λ/β": lambda: m2(dpo_temperature="2"),
    "M3: squared error a tenth below the variance": lambda: m3(error_factor="9/10"),
    "M3: total variation within tanh(βw/5)": lambda: m3(variation_divisor=5),
    "M3: labels may be biased": lambda: m3(assumed=("bias", "moments")),
    "M3: the inductive bias may be wrong": lambda: m3(assumed=("labels", "moments")),
    "M3: rewards may be rare and huge": lambda: m3(assumed=("labels", "bias")),
    "M3: supremum inside the probability": lambda: m3(supremum="inside"),
    "M4: mean of the error counted half": lambda: m4(mean_coefficient="1/2"),
    "M4: bound with 1/9": lambda: m4(bound="1/9"),
    "M4: inequality turned": lambda: m4(relation=">="),
    "M4: second order with 1/2": lambda: m4(second_order="1/2"),
}
