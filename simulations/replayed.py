"""A plan replayed, in Python: on labels that are hidden, or on labels drawn from a model."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.bias.embeddings import given_embeddings
from ibn.bias.ultrametric import Ultrametric
from ibn.design.planning import KINDS, LANDMARKS, POOL, embedded
from ibn.errors import InputError, unknown_name
from ibn.learner.reward_model import fit
from ibn.preferences.given import each_source, preferences_of
from ibn.preferences.noise import LabelNoise
from ibn.preferences.reading import PreferenceData
from ibn.progress import Tell, telling
from ibn.results import Result, Table, plain
from ibn.simulations.hidden_labels import HiddenLabels, replay_hidden
from ibn.simulations.replay import Problem, Replay, data_problem, unlearnt, world_problem
from ibn.simulations.replay import replay as replay_policies
from ibn.threads import at_most

LABELS = ("real", "simulated")
WORLD_BETA = 1814.0
WORLD_RESPONSES = 256


@dataclass(frozen=True, eq=False, repr=False)
class RealReplay(Result):
    """A replay on the labels that a dataset has.

    Attributes
    ----------
    source : str
        Where the labels are from.
    found : HiddenLabels
        What each method is worth.
    sources : tuple of str
        The files that were read.
    """

    source: str
    found: HiddenLabels
    sources: tuple[str, ...] = ()

    picture = "ibn.simulations.replay_figure:draw_real"

    @property
    def headline(self) -> str:
        """What planned labels are worth."""
        planned = self.found.methods["planned"]
        low, high = planned.interval
        return (
            f"{self.found.splits} splits; {self.found.budget:,} planned labels are worth "
            f"{planned.labels:,.0f} random ones, 95 % interval {low:,.0f} to {high:,.0f}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn replay --json`` prints."""
        return {"source": self.source, **plain(self.found)}

    def tables(self) -> dict[str, Table]:
        """Return a row a method, and the curve of random choice."""
        methods = [
            {
                "method": name,
                "log_loss": one.log_loss.mean,
                "accuracy": one.accuracy.mean,
                "gain": one.gain.mean,
                "gain_stderr": one.gain.stderr,
                "labels": one.labels,
                "low": one.interval[0],
                "high": one.interval[1],
            }
            for name, one in self.found.methods.items()
        ]
        random = [
            {"labels": count, "log_loss": loss.mean, "stderr": loss.stderr}
            for count, loss in zip(self.found.counts, self.found.curve, strict=True)
        ]
        return {"methods": methods, "random": random}

    def _inputs(self) -> tuple[str, ...]:
        return self.sources


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedReplay(Result):
    """A replay on labels drawn from a model.

    Attributes
    ----------
    about : dict
        What was replayed, for the document.
    found : Replay
        The curves of all repetitions.
    instead : str
        Why labels were simulated, where nobody asked for that.
    sources : tuple of str
        The files that were read.
    """

    about: dict[str, Any]
    found: Replay
    instead: str = ""
    sources: tuple[str, ...] = ()

    picture = "ibn.simulations.replay_figure:draw_simulated"

    @property
    def headline(self) -> str:
        """What planning saves at the end."""
        last = len(self.found.labels) - 1
        saving = self.found.saving("planned", last).variance
        low, high = saving.interval()
        return (
            f"{len(self.found.variance['random'])} replays of {self.found.labels[last]:,} "
            f"simulated labels; random choice needs {saving.mean:.2f} times as many as planning, "
            f"95 % interval {low:.2f} to {high:.2f}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn replay --json`` prints."""
        found = self.found
        last = len(found.labels) - 1
        shown = sorted({max(1, last // 4), max(1, last // 2), last})
        document: dict[str, Any] = {**self.about, "repetitions": len(found.variance["random"])}
        document |= {"seed": found.seed, "labels": found.labels.tolist(), "policies": {}}
        for policy, variance in found.variance.items():
            document["policies"][policy] = {
                "variance": variance.mean(axis=0).tolist(),
                "squared_error": found.error[policy].mean(axis=0).tolist(),
                "savings": [
                    _saving(found, policy, k) for k in (shown if policy != "random" else ())
                ],
            }
        return document

    def tables(self) -> dict[str, Table]:
        """Return the curves, a row a policy and number of labels, and what each policy saves."""
        policies = self.to_json()["policies"]
        curves = [
            {"policy": name, "labels": labels, "variance": variance, "squared_error": error}
            for name, one in policies.items()
            for labels, variance, error in zip(
                self.found.labels.tolist(), one["variance"], one["squared_error"], strict=True
            )
        ]
        savings = [
            {"policy": name, **row} for name, one in policies.items() for row in one["savings"]
        ]
        return {"policies": curves, "savings": savings}

    def _inputs(self) -> tuple[str, ...]:
        return self.sources


def replay(
    data: Any,
    budget: int,
    *,
    labels: str | None = None,
    embeddings: NDArray[np.floating] | str | os.PathLike[str] | None = None,
    pairs: str | None = None,
    target: str | None = None,
    kernel: str = "linear",
    beta: float | None = None,
    pool: int = POOL,
    responses: int = WORLD_RESPONSES,
    repetitions: int = 20,
    batches: int = 16,
    seed: int = 0,
    jobs: int | None = None,
    progress: bool | Tell = False,
    **reading: Any,
) -> RealReplay | SimulatedReplay:
    """Replay a plan on labels that are hidden and revealed as they are chosen.

    Real labels are split by prompt; the planner, random choice and simple rules each choose which
    to see, and reward models fitted to them are judged on prompts held out. Simulated ones are
    drawn from a reward model fitted to all, and what is left of its uncertainty is measured.

    Parameters
    ----------
    data : path-like, list of dict, DataFrame, Dataset, Table, PreferenceData or Ultrametric
        What :func:`ibn.read_preferences` reads or has read, or a list of several; or a simulated
        world.
    budget : int
        Labels to choose, K.
    labels : {"real", "simulated"}, optional
        Which; by default real where there are twice as many as ``budget`` to hide.
    embeddings : ndarray, shape (m, p), or path of a ``.npy`` file, optional
        A row a response in order of first appearance; by default TF-IDF with truncated SVD.
    pairs, target : {"within", "any"}, optional
        Of simulated labels: candidates, and pairs that matter; by default within prompts where
        one has two responses.
    kernel, pool
        As for :func:`ibn.plan`.
    beta : float, optional
        Of the labels, per unit of reward; by default 1, and 1814 in a simulated world.
    responses : int
        Drawn from a simulated world.
    repetitions : int
        Of the replay.
    batches : int
        Of simulated labels; the model learns between them.
    seed : int
        Of everything random.
    jobs : int, optional
        Cores used at most; the answer does not depend on it.
    progress : bool or callable
        Whether to tell on standard error what comes next, or what is called with it.
    **reading
        ``columns``, ``winner``, ``score``, ``no_prompt`` and ``strict`` of
        :func:`ibn.read_preferences`.

    Returns
    -------
    RealReplay or SimulatedReplay
        With a short ``repr``; ``to_json()``, ``to_frame()``, ``save(path)`` and ``plot()``.

    Raises
    ------
    InputError
        If the data cannot be read, there are too few labels, or a parameter cannot be used.

    Examples
    --------
    >>> import ibn
    >>> world = ibn.Ultrametric("power", alpha=0.3)
    >>> found = ibn.replay(world, 16, responses=24, repetitions=3, batches=2)
    >>> found.to_frame("savings").columns[:3].tolist()
    ['policy', 'labels', 'ratio']
    """
    for name, given, known in (
        ("labels", labels, LABELS),
        ("pairs", pairs, KINDS),
        ("target", target, KINDS),
    ):
        if given is not None and given not in known:
            raise unknown_name(name, given, known)
    course: dict[str, Any] = {"repetitions": repetitions, "batches": batches, "seed": seed}
    with at_most(jobs), telling(progress) as tell:
        if isinstance(data, Ultrametric):
            return _in_world(data, budget, responses, beta, course, tell)
        read = preferences_of(data, **reading)
        points = embedded(read, given_embeddings(embeddings, len(read.responses)), seed, tell)
        sources = _files((*each_source(data), embeddings))
        instead = ""
        if labels != "simulated":
            try:
                hidden = replay_hidden(
                    points,
                    read.comparisons,
                    read.prompt_of,
                    budget,
                    splits=repetitions,
                    seed=seed,
                    progress=tell,
                )
                return RealReplay(read.source, hidden, sources)
            except InputError as error:
                if labels == "real":
                    raise
                instead = error.problem
        beta = 1.0 if beta is None else beta
        model = fit(
            points,
            read.comparisons,
            kernel=kernel,
            beta=beta,
            own_variance=0.0,
            landmarks=LANDMARKS,
            seed=seed,
            progress=tell,
        )
        shared = "within" if np.bincount(read.prompt_of).max() > 1 else "any"
        kinds = {"pairs": pairs or shared, "target": target or shared}
        draw = _drawing(unlearnt(model), read.prompt_of, kinds, max(pool, 2 * budget))
        about = {
            "source": read.source,
            "responses": len(read.responses),
            "beta": beta,
            "scale": model.scale,
            "features": model.features.shape[1],
            "kernel": kernel,
            **kinds,
        }
        found = replay_policies(draw, budget, progress=tell, **course)
        return SimulatedReplay(about, found, instead, sources)


def _in_world(
    world: Ultrametric,
    budget: int,
    responses: int,
    beta: float | None,
    course: dict[str, Any],
    progress: Tell,
) -> SimulatedReplay:
    """Replay in the ultrametric world."""
    if responses < 3:
        raise InputError(f"the world needs at least 3 responses, not {responses}")
    noise = LabelNoise(WORLD_BETA if beta is None else beta)
    about = {"world": world.family, "alpha": world.alpha, "beta": noise.beta}
    about |= {"responses": responses, "pairs": "any", "target": "any"}
    found = replay_policies(
        lambda rng: world_problem(world, responses, noise, rng),
        budget,
        policies=("planned", "random", "variance"),  # continuous labels have no margin
        progress=progress,
        **course,
    )
    return SimulatedReplay(about, found)


def _drawing(
    prior: Any, prompt_of: NDArray[np.int64], kinds: dict[str, str], pool: int
) -> Callable[[np.random.Generator], Problem]:
    """Return what draws a repetition's problem from a dataset's responses."""
    return lambda rng: data_problem(
        prior,
        prompt_of,
        rng,
        within=kinds["pairs"] == "within",
        target_within=kinds["target"] == "within",
        pool=pool,
    )


def _saving(found: Replay, policy: str, k: int) -> dict[str, Any]:
    """Say what a policy saves after a number of labels."""
    saving = found.saving(policy, k)
    return {
        "labels": saving.labels,
        "ratio": saving.variance.mean,
        "stderr": saving.variance.stderr,
        "interval": list(saving.variance.interval()),
        "error_ratio": saving.error,
        "error_interval": list(saving.error_interval),
    }


def _files(sources: tuple[Any, ...]) -> tuple[str, ...]:
    """List the files among what was given."""
    files = (each.source if isinstance(each, PreferenceData) else each for each in sources)
    return tuple(os.fspath(each) for each in files if isinstance(each, (str, os.PathLike)))
