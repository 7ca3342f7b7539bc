"""One protocol for all tasks: the same budget as chain and as tree, and what comes of each.

Data of both topologies are grown on the same prompts, labelled by the gold measure, and a Bayesian
reward model is fitted to each on the generator's own last hidden layer. On prompts that neither
has seen, responses are decoded from each reward model and held against the other's, and against
the base model's, by the gold measure: the best of N fresh draws, and one draw of the generator
fine-tuned on the best responses to the training prompts (rejection-sampling fine-tuning) or
optimised against the reward model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ibn.prefix_tree.dataset import BLOCK, Dataset, DatasetPlan, grow_dataset
from ibn.prefix_tree.generator import Generator, Request, extend_all
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.journal import Journal
from ibn.prefix_tree.judging import ByScore
from ibn.prefix_tree.prompts import Prompt
from ibn.simulations.validation.repetition import BASE, ModelResult, Policy, Repetition
from ibn.simulations.validation.reward import (
    Embed,
    Learner,
    Trained,
    examine,
    fit_head,
    train_language_model,
)
from ibn.simulations.validation.tasks import LanguageTask, split
from ibn.simulations.validation.training import Tuning, imitate, optimise

if TYPE_CHECKING:
    from ibn.prefix_tree.local import LocalModel

TOPOLOGIES = ("chain", "tree")
BUDGETS = ("comparisons", "tokens")
SHARES = (1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)
BASE_DRAWS = 2  # of the base model, that no policy chooses among


@dataclass(frozen=True)
class Profile:
    """How much to spend."""

    # prompts to grow data on, and to compare policies on
    training: int
    test: int
    growth: Growth  # of the tree; the chain has the same budget of tokens a response
    pairs: int  # comparisons a prompt
    draws: tuple[int, ...]  # N of best-of-N, each a divisor of the largest
    tuning: Tuning  # of the generator
    seeds: int  # whole repetitions
    # a Bayesian head on the generator's features as they are, or a language model trained as a
    # reward model, tuned as the generator is
    reward: str = "head"
    # of the comparisons, rising to 1: reward models to learn how errors fall
    shares: tuple[float, ...] = SHARES
    steps: int = 0  # updates of policy optimisation; 0 leaves that decoder out

    def learner(self, model: str, seed: int) -> Learner:
        """Return what makes a reward model of comparisons."""
        if self.reward == "head":
            return fit_head
        return partial(train_language_model, model, self.tuning, seed)


PROFILES = {
    "tiny": Profile(
        6, 4, Growth(depth=2, branching=2, tokens=16), 2, (2, 4), Tuning(layers=1, epochs=1), 2
    ),
    "cpu": Profile(12, 20, Growth(depth=3, branching=2, tokens=96), 6, (2, 4, 8), Tuning(), 3),
    "gpu": Profile(
        500,
        200,
        Growth(depth=4, branching=2, tokens=256),
        8,
        (4, 16, 64),
        Tuning(batch=8, lora=16),
        3,
        reward="model",
        shares=(1 / 4, 1 / 2, 1.0),
        steps=200,
    ),
}


def repeat(
    task: LanguageTask,
    generator: LocalModel,
    embed: Embed,
    profile: Profile,
    folder: Path,  # where journals are kept, so that an interrupted run goes on
    seed: int,
    settings: dict[str, Any],  # what the journals depend on besides
    model: str = "",  # what a reward model is trained from, where the profile trains one
    progress: Callable[[str], None] = lambda message: None,
) -> Repetition:
    """Run the whole protocol once."""
    rng = np.random.default_rng(seed)
    training, test = split(
        task.prompts,
        profile.training,
        profile.test,
        rng,
        fits=lambda prompt: generator.room(prompt.text) >= profile.growth.tokens,
    )
    progress(f"seed {seed}: responses to the test prompts")
    most = max(profile.draws)
    journal = folder / f"pool-{seed}.journal"
    drawn = _respond(test, lambda: generator, most + BASE_DRAWS, profile, journal, settings, seed)
    gold = [np.array(task.gold(p, said)) for p, said in zip(test, drawn, strict=True)]
    asked = [prompt.text for prompt in test]
    texts = [said[:most] for said in drawn]
    result = Repetition(seed)
    result.scores[BASE] = np.array([scores[most:] for scores in gold])
    pool = [scores[:most] for scores in gold]
    grown: dict[str, Dataset] = {}
    for topology in TOPOLOGIES:
        progress(f"seed {seed}: growing as {topology}")
        plan = DatasetPlan(topology, profile.growth, profile.pairs, "keep", seed)
        journal = folder / f"{topology}-{seed}.journal"
        grown[topology] = grow_dataset(
            training, generator, ByScore(task.gold), plan, journal, settings=settings
        )
    affordable = min(dataset.tokens for dataset in grown.values())
    fewest = min(len(dataset.records) for dataset in grown.values())
    progress(f"seed {seed}: responses to choose from for fine-tuning")
    journal = folder / f"candidates-{seed}.journal"
    fresh = _respond(  # that neither reward model was trained on
        training, lambda: generator, most, profile, journal, settings, seed
    )
    candidates = dict(zip((prompt.text for prompt in training), fresh, strict=True))
    which = int(rng.integers(2**31))  # the held-out pairs, the same for all models
    learn = profile.learner(model, seed)
    for topology, dataset in grown.items():
        progress(f"seed {seed}: reward models of the {topology}")
        records = [dataset.records[i] for i in rng.permutation(len(dataset.records))]
        for budget in BUDGETS:
            afforded = fewest  # a tree whose responses end early has fewer pairs
            if budget == "tokens":  # as many comparisons as the cheaper topology's tokens pay for
                afforded = max(2, round(len(records) * affordable / dataset.tokens))
            for share in profile.shares if budget == "comparisons" else (1.0,):
                part = records[: max(2, round(afforded * share))]
                trained = learn(part, embed)
                stream = np.random.default_rng(which)
                examined = examine(trained, asked, texts, pool, embed, stream)
                paid = len(part) / len(records)
                result.models.append(
                    ModelResult(
                        topology,
                        budget,
                        share,
                        seed,
                        len(part),
                        round(dataset.tokens * paid),
                        dataset.read / dataset.comparisons,
                        dataset.read_whole / dataset.comparisons,
                        **asdict(examined),
                    )
                )
            for draws in profile.draws:  # of the model of the whole budget, the last one trained
                policy = Policy(topology, "best-of-n", budget, draws)
                result.scores[policy] = _best_of(trained, asked, texts, pool, draws)
            if budget == "comparisons":
                for name, make, known in _decoders(trained, candidates, generator, profile, seed):
                    journal = folder / f"{name}-{topology}-{seed}.journal"
                    said = _respond(
                        test, make, BASE_DRAWS, profile, journal, {**settings, **known}, seed
                    )
                    policy = Policy(topology, name, budget, most)
                    result.scores[policy] = np.array(
                        [task.gold(p, each) for p, each in zip(test, said, strict=True)]
                    )
    return result


def _respond(
    prompts: Sequence[Prompt],
    writer: Callable[[], Generator],
    count: int,
    profile: Profile,
    journal: Path,
    settings: dict[str, Any],
    seed: int,
) -> list[list[str]]:
    """Draw responses to prompts, repeats allowed.

    What the journal has is not drawn again; the writer is made only if something is lacking.
    """
    growth = profile.growth
    known = {**settings, "count": count, "seed": seed, "tokens": growth.tokens}
    with Journal(journal, {**known, "temperature": growth.temperature}) as book:
        have: dict[str, list[str]] = {one["prompt"]: one["texts"] for one in book.entries}
        lacking = [(i, p.text) for i, p in enumerate(prompts) if p.text not in have]
        generator = writer() if lacking else None
        for first in range(0, len(lacking), BLOCK):
            assert generator is not None
            block = lacking[first : first + BLOCK]
            asked = [
                (text, [Request("", count, growth.tokens, growth.temperature, seed * 10**6 + i)])
                for i, text in block
            ]
            for (_, text), (drawn,) in zip(block, extend_all(generator, asked), strict=True):
                have[text] = [one.text for one in drawn]
                book.append({"prompt": text, "texts": have[text]})
    return [have[prompt.text] for prompt in prompts]


def _best_of(
    trained: Trained,
    prompts: Sequence[str],
    texts: Sequence[Sequence[str]],
    gold: Sequence[NDArray[np.float64]],
    draws: int,
) -> NDArray[np.float64]:
    """Gold scores of the best of each ``draws`` responses in a row, shape (prompts, times)."""
    chosen = []
    for prompt, said, scores in zip(prompts, texts, gold, strict=True):
        best = np.argmax(_scored(trained, prompt, said).reshape(-1, draws), axis=1)
        chosen.append(scores.reshape(-1, draws)[np.arange(len(best)), best])
    return np.array(chosen)


def _scored(trained: Trained, prompt: str, responses: Sequence[str]) -> NDArray[np.float64]:
    """Rewards by which one is chosen: never one that is too long for the reward model."""
    return np.nan_to_num(trained.rewards(prompt, responses), nan=-np.inf)


def _decoders(
    trained: Trained,
    candidates: dict[str, list[str]],
    generator: LocalModel,
    profile: Profile,
    seed: int,
) -> Iterator[tuple[str, Callable[[], LocalModel], dict[str, Any]]]:
    """Name each decoder that trains the generator; how to train; and what that depends on."""
    known = asdict(profile.tuning)
    chosen = [
        (prompt, texts[int(np.argmax(_scored(trained, prompt, texts)))])
        for prompt, texts in candidates.items()
    ]
    yield "rft", lambda: imitate(generator, chosen, profile.tuning, seed), known
    if profile.steps:
        tuned = partial(
            optimise,
            generator,
            list(candidates),
            trained.rewards,
            profile.tuning,
            seed,
            steps=profile.steps,
            tokens=profile.growth.tokens,
        )
        yield "policy-optimisation", tuned, {**known, "steps": profile.steps}
