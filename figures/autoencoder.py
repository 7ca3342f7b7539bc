"""RLHF as an autoencoder: one human distribution, encoded in comparisons and decoded again."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.figures.report_tables import Cell, Table
from ibn.inference.gaussian import posterior_mean
from ibn.report.style import BLUE, COLUMN, VERMILION
from ibn.simulations.consistency import encode
from ibn.theory import autoencoder
from ibn.topology import build

TITLE = "RLHF as an autoencoder: a distribution in, a distribution out"
CLAIMS = ("M1", "M2", "M3")
DIGITS, BETA, SEED = 5, 2.0, 3
WORLD = Ultrametric("power", 0.5, 1.0, 2, DIGITS)
SIZES = (10, 100, 3000)


class Decoded(NamedTuple):
    """What one number of comparisons makes of the human distribution."""

    n: int
    log_policy: NDArray[np.float64]
    loss: float


@cache
def example() -> tuple[NDArray[np.float64], list[Decoded]]:
    """Draw a reward, label chains of growing size and decode a policy from each."""
    rng = np.random.default_rng(SEED)
    reward = WORLD.rewards(np.arange(2**DIGITS, dtype=np.uint64), rng)
    human = autoencoder.gibbs(reward, BETA)
    found = []
    for n in SIZES:
        drawn = build("chain", WORLD, n, rng)
        network, labelled = encode(WORLD, drawn, reward, BETA, rng)
        policy = autoencoder.gibbs(posterior_mean(network, labelled), BETA)
        found.append(Decoded(n, policy, autoencoder.kl_divergence(human, policy)))
    return human, found


def draw() -> Figure:
    """Draw the human distribution and the policy, a panel for each number of comparisons."""
    human, found = example()
    figure = Figure(figsize=(COLUMN, 3.6), layout="constrained")
    places = np.arange(len(human))
    for axes, one in zip(figure.subplots(len(found), sharex=True, sharey=True), found, strict=True):
        axes.bar(places, np.exp(human), 0.9, color=VERMILION, alpha=0.45, label="human, $p_H$")
        policy = np.exp(one.log_policy)
        axes.plot(places, policy, "o-", color=BLUE, ms=2.2, lw=0.8, label=r"policy, $p_{LM}$")
        axes.set_title(f"$n$ = {one.n:,}:  KL = {one.loss:.3f} nats")
        axes.grid(axis="x", visible=False)
    axes.set_xticks([])
    axes.set_xlabel(f"the {len(human)} responses, alike ones side by side")
    figure.supylabel("probability", fontsize=8)
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower left", ncols=2)
    return figure


def caption() -> str:
    """Say what is drawn."""
    losses = ", ".join(f"{one.loss:.3f}" for one in example()[1])
    return (
        "An example, not a measurement. A human reward makes p_H; n comparisons are labelled by "
        "it, a reward model is fitted to the labels, and p_LM is the policy that it makes optimal. "
        f"What is lost on the way is KL(p_H‖p_LM), here {losses} nats for n = "
        f"{', '.join(f'{n:,}' for n in SIZES)}: with more comparisons the distribution that comes "
        "out is the one that went in."
    )


def tables() -> list[Table]:
    """Tabulate the loss."""
    rows = [[Cell(f"{one.n:,}"), Cell(f"{one.loss:.4f}")] for one in example()[1]]
    return [Table(f"One example, seed {SEED}", ("n", "KL(p_H‖p_LM), nats"), rows)]
