"""Which comparisons to label next: Bayesian experimental design for linear reward models.

The belief about rewards is Gaussian in features: r = Φ w, w ~ N(μ, Σ), a row of Φ a response.
What a design should make small is the mean posterior variance of the reward differences of
target pairs, tr(Σ C) with C the mean of their (φ - φ')(φ - φ')ᵀ: A-optimality (Chaloner and
Verdinelli 1995). A label on the difference x = φ(a) - φ(b), of noise variance σ², takes
xᵀΣCΣx / (σ² + xᵀΣx) from it, whatever the label says.
"""

from ibn.design.candidates import all_pairs, pairs_within, sample_pairs
from ibn.design.fitted_noise import label_variance
from ibn.design.greedy import Design, choose, choose_at_random, expected_variance
from ibn.design.target import second_moment

__all__ = [
    "Design",
    "all_pairs",
    "choose",
    "choose_at_random",
    "expected_variance",
    "label_variance",
    "pairs_within",
    "sample_pairs",
    "second_moment",
]
