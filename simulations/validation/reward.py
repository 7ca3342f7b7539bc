"""Reward models of grown comparisons, held against the gold on prompts they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.bias.neighbours import NeighbourGraph
from ibn.errors import InputError
from ibn.inference.gaussian import resistance
from ibn.inference.paths import inference_distance
from ibn.learner.reward_model import fit, posterior
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.prefix_tree.prompts import Prompt
from ibn.simulations.validation.training import Tuning, train_reward_model

HELD_OUT_PAIRS = 400
NOISE = LabelNoise(1.0, "bradley-terry").variance()

Embed = Callable[[str, Sequence[str]], NDArray[np.float64]]
"""``embed(prompt, responses)`` gives features of responses to a prompt, shape (k, d)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A reward model and what it was trained on."""

    # rewards(prompt, responses), shape (k,)
    rewards: Callable[[str, Sequence[str]], NDArray[np.float64]]
    features: NDArray[np.float64]  # shape (m, d): of the training responses
    comparisons: Comparisons  # over them, labelled


Learner = Callable[[Sequence[dict[str, Any]], Embed], Trained]
"""Makes a reward model of the records of a grown dataset in which ties are kept."""


def fit_head(records: Sequence[dict[str, Any]], embed: Embed) -> Trained:
    """Fit the Bayesian reward model on the features as they are.

    Without own parts of responses: a chain cannot tell them from noise, and the learner is to be
    the same for both topologies.
    """
    features, comparisons = _lay_out(records, embed)
    model = fit(features, comparisons, own_variance=0.0)
    return Trained(lambda p, texts: model.at(embed(p, texts)).rewards(), features, comparisons)


def train_language_model(
    name: str, tuning: Tuning, seed: int, records: Sequence[dict[str, Any]], embed: Embed
) -> Trained:
    """Train a language model with a head of its own, by TRL; ties teach it nothing.

    The features are there for what predicts the errors.
    """
    sides = {"a": ("response_a", "response_b"), "b": ("response_b", "response_a")}
    pairs = [
        {"prompt": one["prompt"], "chosen": one[better], "rejected": one[worse]}
        for one in records
        if one["winner"] in sides
        for better, worse in [sides[one["winner"]]]
    ]
    if not pairs:
        raise InputError("the gold measure calls every pair a tie: nothing to train on")
    score = train_reward_model(name, pairs, tuning, seed)

    def rewards(prompt: str, responses: Sequence[str]) -> NDArray[np.float64]:
        return np.array(score(Prompt(prompt, {}, 0), responses))

    return Trained(rewards, *_lay_out(records, embed))


def _lay_out(
    records: Sequence[dict[str, Any]], embed: Embed
) -> tuple[NDArray[np.float64], Comparisons]:
    """Features of the responses and the comparisons between them."""
    sides = ("response_a", "response_b")
    place: dict[tuple[str, str], int] = {}
    by_prompt: dict[str, list[str]] = {}
    for record in records:
        for side in sides:
            if place.setdefault((record["prompt"], record[side]), len(place)) == len(place) - 1:
                by_prompt.setdefault(record["prompt"], []).append(record[side])
    rows = {
        (prompt, response): row
        for prompt, responses in by_prompt.items()
        for response, row in zip(responses, embed(prompt, responses), strict=True)
    }
    features = np.array([rows[key] for key in place])
    a, b = (np.array([place[one["prompt"], one[side]] for one in records]) for side in sides)
    winner = np.array([{"a": 1, "b": -1, "tie": 0}[one["winner"]] for one in records], np.int8)
    return features, Comparisons(np.arange(len(place)), a, b, winner=winner)


@dataclass(frozen=True)
class Examined:
    """How a reward model does on held-out pairs, and what was to predict it."""

    accuracy: float  # share of the gold's preferences that it gets right, the gold's ties left out
    # mean squared error of reward differences, in units of the gold's variance, after the best
    # scaling of the model's by a number that is not negative
    error: float
    # mean inference distance and mean posterior variance over the same pairs, on the neighbour
    # graph of all features; before any label the variance is 2
    distance: float
    variance: float
    # the same of a reward that is linear in the features, every label of equal worth: the posterior
    # of the Bayesian head itself, but for the scale that it fits
    kernel_variance: float


def examine(
    trained: Trained,
    prompts: Sequence[str],  # that it has not seen
    texts: Sequence[Sequence[str]],
    gold: Sequence[NDArray[np.float64]],
    embed: Embed,
    rng: np.random.Generator,  # chooses the pairs; the same for all models that are to be compared
) -> Examined:
    """Hold a reward model against the gold on pairs of responses to unseen prompts.

    ``texts``, ``gold``: responses to each prompt, and their gold scores.
    """
    offset = np.cumsum([0, *map(len, texts)])
    pairs = np.concatenate(
        [
            low + np.stack(np.triu_indices(len(said), 1), axis=1)
            for low, said in zip(offset, texts, strict=False)
        ]
    )
    pairs = rng.permutation(pairs)[:HELD_OUT_PAIRS]
    each = list(zip(prompts, texts, strict=True))
    rows, rewards = (np.concatenate([f(*one) for one in each]) for f in (embed, trained.rewards))
    scores = np.concatenate(gold)
    said, true = (values[pairs[:, 0]] - values[pairs[:, 1]] for values in (rewards, scores))
    decided = true != 0
    right = np.where(said == 0, 0.5, np.sign(said) == np.sign(true))[decided]
    # A model that ranks backwards is not scaled right: it knows nothing.
    slope = max(float(said @ true / (said @ said)), 0.0) if said.any() else 0.0
    spread = float(np.mean(true**2))
    distance, variance = _predictions(trained, rows, pairs)
    return Examined(
        accuracy=float(right.mean()) if decided.any() else float("nan"),
        error=float(np.mean((slope * said - true) ** 2) / spread) if spread else float("nan"),
        distance=distance,
        variance=variance,
        kernel_variance=kernel_variance(trained.features, trained.comparisons, rows, pairs),
    )


def kernel_variance(
    features: NDArray[np.float64],  # shape (m, d): of the responses compared
    comparisons: Comparisons,
    rows: NDArray[np.float64],  # shape (k, d): features of other responses
    pairs: NDArray[np.int64],
) -> float:
    """Mean posterior variance of reward differences that are linear in features.

    ``pairs``: shape (p, 2): rows of them. The weights' prior variance is such that the mean before
    any label is 2.
    """
    unit = float(np.mean(np.sum((rows[pairs[:, 0]] - rows[pairs[:, 1]]) ** 2, axis=1)))
    if unit == 0:
        return 0.0
    counted = comparisons.labelled(delta=np.zeros(len(comparisons)))  # what they say is no matter
    model = posterior(features, counted, scale=2.0 / unit, labels="gaussian", noise_variance=NOISE)
    return float(np.mean(replace(model, features=rows).difference(*pairs.T)[1]))


def _predictions(
    trained: Trained, rows: NDArray[np.float64], pairs: NDArray[np.int64]
) -> tuple[float, float]:
    everything = np.concatenate([trained.features, rows])
    shifted = pairs + len(trained.features)
    everyone, empty = np.arange(len(everything)), np.empty(0, np.int64)
    graph = NeighbourGraph(everything)
    unlabelled = _network(graph, Comparisons(everyone, empty, empty))
    unit = float(np.mean(resistance(unlabelled, shifted)))
    if unit > 0:
        graph = replace(graph, scale=2.0 / unit)
    network = _network(graph, Comparisons(everyone, trained.comparisons.a, trained.comparisons.b))
    distance = float(np.mean(inference_distance(network, shifted)))
    return distance, float(np.mean(resistance(network, shifted)))


def _network(graph: NeighbourGraph, comparisons: Comparisons) -> Network:
    return build_network(graph, comparisons, NOISE)
