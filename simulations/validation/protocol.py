"""One protocol for all tasks: the same budget as chain and as tree, and what comes of each.

Data of both topologies are grown on the same prompts, labelled by the gold measure, and a Bayesian
reward model is fitted to each on the generator's own last hidden layer. On prompts that neither
has seen the best of N fresh responses by each reward model is held against the other's, and
against a first draw of the base model, by the gold measure. Best-of-N is also what
rejection-sampling fine-tuning imitates; training the generator itself is not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.bias.neighbours import NeighbourGraph
from ibn.distance import inference_distance
from ibn.errors import InputError
from ibn.network import build_network
from ibn.posterior import resistance
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.prefix_tree.dataset import Plan, grow_dataset
from ibn.prefix_tree.generator import Generator
from ibn.prefix_tree.growing import Growth, grow_chain
from ibn.prefix_tree.journal import Journal
from ibn.prefix_tree.judging import ByScore
from ibn.prefix_tree.prompts import Prompt
from ibn.prefix_tree.tree import Grown
from ibn.reward_model import RewardModel, fit
from simulations.validation.tasks import Task, split

TOPOLOGIES = ("chain", "tree")
BUDGETS = ("comparisons", "tokens")
HELD_OUT_PAIRS = 400


@dataclass(frozen=True)
class Profile:
    """How much to spend.

    Attributes
    ----------
    training, test : int
        Prompts to grow data on, and to compare policies on.
    growth : Growth
        Of the tree; the chain has the same budget of tokens a response.
    pairs : int
        Comparisons a prompt.
    draws : tuple of int
        N of best-of-N, rising.
    seeds : int
        Whole repetitions.
    """

    training: int
    test: int
    growth: Growth
    pairs: int
    draws: tuple[int, ...]
    seeds: int


PROFILES = {
    "tiny": Profile(6, 4, Growth(depth=2, branching=2, tokens=16), 2, (2, 4), 2),
    "cpu": Profile(24, 24, Growth(depth=3, branching=2, tokens=96), 4, (2, 4, 8), 3),
    "gpu": Profile(500, 200, Growth(depth=4, branching=2, tokens=256), 8, (4, 16, 64), 3),
}


@dataclass(frozen=True)
class Trained:
    """One reward model and what is known of it.

    Attributes
    ----------
    topology, budget : str
        What it was trained on: at equal ``comparisons`` or at equal ``tokens`` generated.
    seed : int
        Of the repetition.
    comparisons, tokens, read : int
        Labels, tokens generated for them, and tokens that annotators read.
    accuracy : float
        Share of held-out gold preferences that it gets right, ties of the gold left out.
    error : float
        Mean squared error of held-out reward differences, in units of the gold's variance, after
        the best scaling of the model's.
    distance, variance : float
        Mean inference distance and mean posterior variance over the same held-out pairs, on the
        neighbour graph of the responses' features: what is to predict ``error``.
    """

    topology: str
    budget: str
    seed: int
    comparisons: int
    tokens: int
    read: int
    accuracy: float
    error: float
    distance: float
    variance: float


@dataclass(frozen=True, eq=False)
class Repetition:
    """One seed's outcome.

    Attributes
    ----------
    seed : int
        Of everything random.
    models : list of Trained
        One a topology and budget.
    scores : dict
        Gold scores of the chosen responses on the test prompts, shape (test,), by
        (topology, budget, N); of the base model's first draw under ``("base", "", 1)``.
    """

    seed: int
    models: list[Trained] = field(default_factory=list)
    scores: dict[tuple[str, str, int], NDArray[np.float64]] = field(default_factory=dict)


class HiddenStates:
    """Embeds responses by the mean of a language model's last hidden layer over their tokens.

    Parameters
    ----------
    generator
        An :class:`ibn.prefix_tree.local.LocalModel`.
    """

    def __init__(self, generator: Any) -> None:
        self.generator = generator

    def __call__(self, prompt: str, responses: Sequence[str]) -> NDArray[np.float64]:
        """Embed responses to a prompt, shape (k, d)."""
        model = self.generator
        opening = model.opening(prompt)
        start = len(model.encode(opening))
        rows = []
        for response in responses:
            ids = model.encode(opening + response)
            with model.torch.inference_mode():
                seen = model.torch.tensor([ids], device=model.model.device)
                states = model.model(input_ids=seen, output_hidden_states=True).hidden_states[-1]
            rows.append(states[0, min(start, len(ids) - 1) :].float().mean(dim=0).cpu().numpy())
        return np.array(rows, dtype=np.float64)


def repeat(
    task: Task,
    generator: Generator,
    embed: Any,
    profile: Profile,
    folder: Path,
    seed: int,
    settings: dict[str, Any],
    progress: Any = lambda message: None,
) -> Repetition:
    """Run the whole protocol once.

    Parameters
    ----------
    task : Task
        Prompts and gold measure.
    generator : Generator
        The base model.
    embed : callable
        ``embed(prompt, responses)`` gives features, shape (k, d).
    profile : Profile
        How much to spend.
    folder : Path
        Where journals are kept, so that an interrupted run goes on.
    seed : int
        Of everything random.
    settings : dict
        What the journals depend on besides.
    progress : callable
        Told what goes on.
    """
    rng = np.random.default_rng(seed)
    training, test = split(task.prompts, profile.training, profile.test, rng)
    most = max(profile.draws)
    pool = _pool(test, generator, profile, most, folder / f"pool-{seed}.journal", seed, settings)
    features = [embed(p.text, texts) for p, texts in zip(test, pool, strict=True)]
    gold = [np.array(task.gold(p, texts)) for p, texts in zip(test, pool, strict=True)]
    result = Repetition(seed)
    result.scores["base", "", 1] = np.array([scores[0] for scores in gold])
    grown = {}
    for topology in TOPOLOGIES:
        progress(f"seed {seed}: growing as {topology}")
        plan = Plan(topology, profile.growth, profile.pairs, "random", seed)
        journal = folder / f"{topology}-{seed}.journal"
        grown[topology] = grow_dataset(
            training, generator, ByScore(task.gold), plan, journal, settings=settings
        )
    budget = min(dataset.tokens for dataset in grown.values())
    for topology, dataset in grown.items():
        for kind in BUDGETS:
            records = dataset.records
            if kind == "tokens":  # as many comparisons as the cheaper topology's tokens pay for
                records = records[: max(2, round(len(records) * budget / dataset.tokens))]
            progress(f"seed {seed}: reward model, {topology}, equal {kind}")
            model, laid = _train(records, embed)
            share = len(records) / max(1, len(dataset.records))
            result.models.append(
                _examine(
                    model,
                    laid,
                    features,
                    gold,
                    rng,
                    Trained(
                        topology,
                        kind,
                        seed,
                        len(records),
                        round(dataset.tokens * share),
                        round(dataset.read * share),
                        *[float("nan")] * 4,
                    ),
                )
            )
            for draws in profile.draws:
                chosen = []
                for rows, scores in zip(features, gold, strict=True):
                    rewards = model.at(rows[:draws]).rewards()
                    chosen.append(scores[int(np.argmax(rewards))])
                result.scores[topology, kind, draws] = np.array(chosen)
    return result


def _pool(
    prompts: Sequence[Prompt],
    generator: Generator,
    profile: Profile,
    count: int,
    journal: Path,
    seed: int,
    settings: dict[str, Any],
) -> list[list[str]]:
    """Draw fresh responses of the base model to the test prompts, repeats allowed."""
    with Journal(journal, {**settings, "count": count, "seed": seed}) as book:
        have = {entry["prompt"]: Grown.of_record(entry) for entry in book.entries}
        for i, prompt in enumerate(prompts):
            if prompt.text not in have:
                rng = np.random.default_rng([seed, i])
                growth = replace(profile.growth, attempts=1, alike=1.0)
                have[prompt.text] = grow_chain(prompt.text, count, generator, growth, rng)
                book.append(have[prompt.text].record())
    pool = []
    for prompt in prompts:
        texts = [leaf.text for leaf in have[prompt.text].leaves()]
        if not texts:
            raise InputError(f"the base model has no answer to a test prompt (line {prompt.line})")
        pool.append(texts)
    return pool


@dataclass(frozen=True, eq=False)
class _Laid:
    """Training comparisons over features."""

    features: NDArray[np.float64]
    comparisons: Comparisons


def _train(records: Sequence[dict[str, Any]], embed: Any) -> tuple[RewardModel, _Laid]:
    place: dict[tuple[str, str], int] = {}
    for record in records:
        for side in ("chosen", "rejected"):
            place.setdefault((record["prompt"], record[side]), len(place))
    by_prompt: dict[str, list[str]] = {}
    for prompt, response in place:
        by_prompt.setdefault(prompt, []).append(response)
    rows: dict[tuple[str, str], NDArray[np.float64]] = {}
    for prompt, responses in by_prompt.items():
        for response, row in zip(responses, embed(prompt, responses), strict=True):
            rows[prompt, response] = row
    features = np.array([rows[key] for key in place])
    a = np.array([place[record["prompt"], record["chosen"]] for record in records])
    b = np.array([place[record["prompt"], record["rejected"]] for record in records])
    comparisons = Comparisons(np.arange(len(place)), a, b, winner=np.ones(len(a), np.int8))
    return fit(features, comparisons), _Laid(features, comparisons)


def _examine(
    model: RewardModel,
    laid: _Laid,
    features: Sequence[NDArray[np.float64]],
    gold: Sequence[NDArray[np.float64]],
    rng: np.random.Generator,
    trained: Trained,
) -> Trained:
    """Hold a reward model against the gold on pairs of responses to unseen prompts."""
    offset = np.cumsum([0, *map(len, features)])
    pairs = np.concatenate(
        [
            low + np.stack(np.triu_indices(len(rows), 1), axis=1)
            for low, rows in zip(offset, features, strict=False)
        ]
    )
    pairs = rng.permutation(pairs)[:HELD_OUT_PAIRS]
    rows, scores = np.concatenate(features), np.concatenate(gold)
    rewards = model.at(rows).rewards()
    said, true = (values[pairs[:, 0]] - values[pairs[:, 1]] for values in (rewards, scores))
    told = true != 0
    right = np.where(said == 0, 0.5, np.sign(said) == np.sign(true))[told]
    slope = float(said @ true / (said @ said)) if said.any() else 0.0
    spread = float(np.mean(true**2))
    everything = np.concatenate([laid.features, rows])
    shifted = pairs + len(laid.features)
    compared = Comparisons(np.arange(len(everything)), laid.comparisons.a, laid.comparisons.b)
    graph = NeighbourGraph(everything)
    unit = float(np.mean(resistance(_network(graph, _none(everything)), shifted)))
    if unit > 0:  # before any label, a held-out difference has variance 2
        graph = replace(graph, scale=2.0 / unit)
    network = _network(graph, compared)
    return replace(
        trained,
        accuracy=float(right.mean()) if told.any() else float("nan"),
        error=float(np.mean((slope * said - true) ** 2) / spread) if spread else float("nan"),
        distance=float(np.mean(inference_distance(network, shifted))),
        variance=float(np.mean(resistance(network, shifted))),
    )


def _none(rows: NDArray[np.float64]) -> Comparisons:
    empty = np.empty(0, np.int64)
    return Comparisons(np.arange(len(rows)), empty, empty)


def _network(graph: NeighbourGraph, comparisons: Comparisons) -> Any:
    return build_network(graph, comparisons, LabelNoise(1.0, "bradley-terry").variance())
