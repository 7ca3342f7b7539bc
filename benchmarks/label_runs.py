"""Runs of labelling on real pools: each method asks for hidden labels, learners are held out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from benchmarks.acquisition import METHODS, Method, State, reward_model
from benchmarks.label_pools import Pool, read_pools
from benchmarks.pool_features import PoolFeatures, embedded_pool
from benchmarks.pool_learners import bayesian, cross_validated
from ibn.design.forecast import forecast

LEARNERS = ("bayesian", "cross_validated")
BATCHES = (32, 64, 128, 256, 512, 1024)  # labels after which a method sees what they said
BUDGETS = (32, 64, 128, 256, 1024)  # labels at which learners are held out
SEEDS = (0, 32, 128)  # random labels before any is chosen
CURVE = (0, 8, 32, 64, 128, 256, 512, 1024, 2048)  # random labels after the initial ones
REPEATS = 3  # random orders behind a split's learning curve, by number of initial labels
HELD_OUT = 0.25  # of the prompts
MOST_CANDIDATES = 2048
LARGEST_SHARE = 0.6  # of the candidates, a budget may take
RANDOM_CURVE = "curve"  # units of work that are no method
FORECAST = "forecast"
FORECAST_BUDGETS = (64, 256)
FORECAST_DRAWS = 50
FORECAST_SPLITS = 10


@dataclass(frozen=True)
class Job:
    """A unit of work: one method on one split of one set."""

    pool: str
    features: str
    split: int
    method: str


@dataclass(frozen=True)
class Place:
    """Where pools and embeddings are."""

    data: Path
    cache: Path | None
    seed: int = 0
    extra: dict[str, Method] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True, eq=False)
class Task:
    """A split of a pool: candidates with hidden labels, and what is held out."""

    pool: Pool
    seen: PoolFeatures
    candidates: NDArray[np.int64]  # positions in pool.pairs, in random order
    x: NDArray[np.float64]  # of the candidates
    sign: NDArray[np.float64]  # of the candidates: hidden
    held_x: NDArray[np.float64]  # turned so that the first is preferred
    held: NDArray[np.int64]  # responses of held-out prompts, prompt by prompt

    @classmethod
    def of(cls, pool: Pool, seen: PoolFeatures, rng: np.random.Generator) -> Task:
        """Hold out a quarter of the prompts that have pairs."""
        used = np.unique(pool.prompt_of[pool.pairs[:, 0]])
        out = rng.permutation(used)[: max(1, int(HELD_OUT * len(used)))]
        held = np.isin(pool.prompt_of[pool.pairs[:, 0]], out)
        candidates = rng.permutation(np.flatnonzero(~held))[:MOST_CANDIDATES]
        x = seen.responses[pool.pairs[:, 0]] - seen.responses[pool.pairs[:, 1]]
        sign = pool.label.astype(float)
        responses = np.flatnonzero(np.isin(pool.prompt_of, out))
        responses = responses[np.argsort(pool.prompt_of[responses], kind="stable")]
        turned = (x * sign[:, None])[held]
        return cls(pool, seen, candidates, x[candidates], sign[candidates], turned, responses)

    def measure(
        self, chosen: NDArray[np.int64], rng: np.random.Generator, learners: int = len(LEARNERS)
    ) -> list[list[float]]:
        """Fit learners to chosen candidates; log loss, accuracy and regret held out."""
        x = self.x[chosen] * self.sign[chosen, None]
        belief = bayesian(x)
        chance = np.clip(belief.chance(self.held_x), 1e-9, 1.0)
        found = [[-float(np.log(chance).mean()), *self.scores(belief.mean)]]
        if learners == 1:
            return found
        weights = cross_validated(x, rng)
        loss = -float(log_expit(self.held_x @ weights).mean())
        return [*found, [loss, *self.scores(weights)]]

    def scores(self, weights: NDArray[np.float64]) -> list[float]:
        """Held-out pair accuracy, and best-of-N regret over that of a random pick."""
        right = self.held_x @ weights
        accuracy = float(np.mean(right > 0) + 0.5 * np.mean(right == 0))
        if self.pool.score is None:
            return [accuracy, np.nan]
        prompt, score = self.pool.prompt_of[self.held], self.pool.score[self.held]
        start = np.flatnonzero(np.diff(prompt, prepend=-1))
        best = np.maximum.reduceat(score, start)
        size = np.diff(np.append(start, len(prompt)))
        mean = np.add.reduceat(score, start) / size
        reward = self.seen.responses[self.held] @ weights
        top = np.repeat(np.maximum.reduceat(reward, start), size) == reward
        picked = np.add.reduceat(np.where(top, score, 0.0), start) / np.add.reduceat(top, start)
        return [accuracy, float((best - picked).sum() / (best - mean).sum())]


def budgets(candidates: int, seed_labels: int = 0) -> list[int]:
    """Budgets that leave a choice; the smallest only where no other does."""
    most = LARGEST_SHARE * candidates - seed_labels
    return [k for k in BUDGETS if k <= most and (k > BUDGETS[0] or most < BUDGETS[1])]


def run_method(
    task: Task, method: Method, seeds: Sequence[int], rng: np.random.Generator
) -> list[list[float]]:
    """Let a method choose, batch by batch; rows of (seed labels, K, learner, scores …)."""
    rows: list[list[float]] = []
    first = np.random.default_rng(rng.integers(2**63))
    for seed in seeds:
        wanted = budgets(len(task.x), seed)
        if not wanted:
            continue
        labelled = np.arange(seed)  # candidates are in random order, the same for all methods
        done = 0
        for batch in [k for k in BATCHES if k <= wanted[-1]]:
            chosen = method(_state(task, labelled), batch - done, first)
            if len(np.unique(chosen)) != batch - done or np.isin(chosen, labelled).any():
                raise ValueError(f"{batch - done} distinct new candidates were asked for")
            labelled, done = np.append(labelled, chosen), batch
            if batch in wanted:
                for number, scores in enumerate(task.measure(labelled, rng)):
                    rows.append([seed, batch, number, *scores])
    return rows


def _state(task: Task, labelled: NDArray[np.int64]) -> State:
    is_open = np.ones(len(task.x), bool)
    is_open[labelled] = False
    sign = task.sign[labelled]
    return State(
        task.seen.responses,
        task.pool.prompt_of,
        task.seen.prompts,
        task.pool.pairs[task.candidates],
        task.x,
        is_open,
        labelled,
        sign,
        bayesian(task.x[labelled] * sign[:, None]),
    )


def run_curve(task: Task, seeds: Sequence[int], rng: np.random.Generator) -> list[list[float]]:
    """Add random labels to the initial ones, in several orders; rows of (s, n, learner, …)."""
    rows: list[list[float]] = []
    size = len(task.x)
    for seed in seeds:
        counts = sorted({*(n for n in CURVE if n + seed < size), size - seed})
        for repeat in range(REPEATS if budgets(size, seed) else 0):
            order = np.append(np.arange(seed), seed + rng.permutation(size - seed))
            for n in counts:
                same = n in (0, size - seed)  # in every order
                if n + seed == 0 or (same and repeat):
                    continue
                learners = 1 if repeat else len(LEARNERS)  # scikit-learn's takes its time
                for number, scores in enumerate(task.measure(order[: n + seed], rng, learners)):
                    rows.append([seed, n, number, *scores])
    return rows


def run_forecasts(task: Task, seeds: Sequence[int], rng: np.random.Generator) -> list[list[float]]:
    """Plan one batch, forecast its gain over random labels, and reveal both.

    Rows of (s, K, forecast gain with its interval, realised gain; of log loss, then of accuracy).
    """
    rows: list[list[float]] = []
    for seed in seeds:
        for k in (k for k in budgets(len(task.x), seed) if k in FORECAST_BUDGETS):
            labelled = np.arange(seed)
            state = _state(task, labelled)
            open_places = np.flatnonzero(state.open)
            chosen = METHODS["ours"](state, k, rng)

            def draw(
                rng: np.random.Generator, places: NDArray[np.int64] = open_places, k: int = k
            ) -> NDArray[np.int64]:
                return task.pool.pairs[task.candidates[rng.choice(places, k, replace=False)]]

            found = forecast(
                reward_model(state),
                state.pairs[chosen],
                draw,
                state.pairs,
                rng,
                draws=FORECAST_DRAWS,
                corrected=False,
            )
            others = rng.choice(open_places, k, replace=False)
            scores = []
            for some in (chosen, others):
                places = np.append(labelled, some)
                belief = bayesian(task.x[places] * task.sign[places, None])
                chance = np.clip(belief.chance(task.held_x), 1e-9, 1.0)
                scores.append((-np.log(chance).mean(), task.scores(belief.mean)[0]))
            gains = (scores[1][0] - scores[0][0], scores[0][1] - scores[1][1])
            row: list[float] = [seed, k]
            for one, real in zip((found.log_loss, found.accuracy), gains, strict=True):
                row += [one.mean, one.low, one.high, float(real)]
            rows.append(row)
    return rows


@lru_cache(maxsize=4)
def _loaded(place: Place, name: str, features: str) -> tuple[Pool, PoolFeatures]:
    (pool,) = read_pools(place.data, (name,))
    return pool, embedded_pool(pool, features, place.cache, place.seed)


def run_job(place: Place, job: Job, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Do one unit of work; a record for the store."""
    pool, seen = _loaded(place, job.pool, job.features)
    split = np.random.SeedSequence(place.seed, spawn_key=(crc32(job.pool.encode()), job.split))
    task = Task.of(pool, seen, np.random.default_rng(split))
    own = np.random.SeedSequence(
        place.seed, spawn_key=(*split.spawn_key, crc32(job.method.encode()))
    )
    rng = np.random.default_rng(own)
    if job.method == RANDOM_CURVE:
        rows = run_curve(task, seeds, rng)
    elif job.method == FORECAST:
        rows = run_forecasts(task, seeds, rng)
    else:
        method = place.extra.get(job.method) or METHODS[job.method]
        rows = run_method(task, method, seeds, rng)
    return {**vars(job), "candidates": len(task.x), "rows": rows}


def read_store(path: Path) -> list[dict[str, Any]]:
    """Read the records kept so far; a line cut off by an interruption is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def run_all(
    place: Place, jobs: Sequence[Job], store: Path, processes: int
) -> Iterator[dict[str, Any]]:
    """Do the work that the store does not hold yet, adding each record to it."""
    kept = {
        tuple(record[name] for name in Job.__dataclass_fields__) for record in read_store(store)
    }
    left = [job for job in jobs if tuple(vars(job).values()) not in kept]
    with open(store, "a") as file:

        def keep(record: dict[str, Any]) -> dict[str, Any]:
            file.write(json.dumps(record) + "\n")
            file.flush()
            return record

        if processes <= 1:
            for job in left:
                yield keep(run_job(place, job))
            return
        with ProcessPoolExecutor(processes) as workers:
            waiting = [workers.submit(run_job, place, job) for job in left]
            for done in as_completed(waiting):
                yield keep(done.result())
