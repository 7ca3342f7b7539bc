"""How much an audit computes: less of what costs most, where there are many responses."""

from __future__ import annotations

from dataclasses import dataclass

LARGE = 20_000  # responses beyond which less is computed


@dataclass(frozen=True)
class Effort:
    """How much of each thing is computed where not all of it is.

    Attributes
    ----------
    probes : int
        Of mean posterior variances, at least.
    samples : int
        Of the posterior, by which single pairs are ranked.
    candidates : int
        Times as many pairs and prompts as are listed are solved for: those that samples rank first.
    solved : int
        Comparisons solved for, for what labels and inductive bias imply.
    distances_within, distances_across : tuple of int
        Pairs whose inference distance is found, at least and at most.
    draws : int
        Of each topology, before the spread between them is believed; 0 for as many as asked for.
    draw_within, draw_across : int
        Pairs whose inference distance is found in one draw of a topology.
    tolerance : float
        Relative error of the energy of a sample of the posterior, but where it tells a mean across
        prompts.
    pair_tolerance : float
        Relative error of the variance of a pair that is solved for.
    shares : tuple of float
        Of the prompts with labels, on the learning curve.
    comparisons : int
        That the reward model is fitted to, at most.
    dimensions : int, optional
        Leading principal components of the embeddings that the reward model is fitted to;
        ``None`` for the embeddings themselves.
    planned : int, optional
        Pairs that ``ibn plan`` is tried with, at most.
    """

    probes: int
    samples: int
    candidates: int
    solved: int
    distances_within: tuple[int, int]
    distances_across: tuple[int, int]
    draws: int
    draw_within: int
    draw_across: int
    tolerance: float
    pair_tolerance: float
    shares: tuple[float, ...]
    comparisons: int
    dimensions: int | None
    planned: int | None


FULL = Effort(
    probes=64,
    samples=64,
    candidates=4,
    solved=64,
    distances_within=(256, 2048),
    distances_across=(256, 2048),
    draws=0,
    draw_within=256,
    draw_across=256,
    tolerance=1e-6,
    pair_tolerance=1e-5,
    shares=(0.125, 0.25, 0.5, 1.0),
    comparisons=8000,
    dimensions=None,
    planned=None,
)
REDUCED = Effort(
    probes=18,  # each tells more of more responses
    samples=16,
    candidates=2,
    solved=16,
    distances_within=(256, 1024),
    distances_across=(64, 128),
    draws=2,
    draw_within=128,
    draw_across=32,
    tolerance=1e-4,
    pair_tolerance=1e-3,
    shares=(0.125, 0.5, 1.0),
    comparisons=4000,
    dimensions=128,
    planned=200,
)


def effort_for(responses: int) -> Effort:
    """Choose by the number of responses: all up to 20,000, less beyond."""
    return FULL if responses <= LARGE else REDUCED
