"""One cell of the grid: split a pool, lay every topology, label, fit, and measure what follows.

A cell is a seed, a number of labels, an agreement and features; all its topologies and learners
share the split and stand in one file of the store, so that what is paired stays together.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.outputs import writing
from ibn.preferences.comparisons import Comparisons
from ibn.simulations.pools import marking
from ibn.simulations.pools.choosing import MEASURES, outcomes
from ibn.simulations.pools.foreseen import NAMES, foresee
from ibn.simulations.pools.laying import lay
from ibn.simulations.pools.penalties import ceiling, choices
from ibn.simulations.pools.seen import centred

RESULTS = 1
"""Raised when a change alters what a cell's answer is."""
TESTED = 0.25  # of the prompts
CEILING = ("ceiling",)
STATED = 0.75  # agreement by which the ceiling's rewards are turned to log-odds

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """One seed of one setting; ``topologies`` of ``("ceiling",)`` is the fit to true scores."""

    features: str  # their name in the prepared pool
    n: int
    agreement: float | str  # or own: the raters'
    topologies: tuple[str, ...]
    learners: tuple[str, ...]
    seed: int
    foreseen: bool = False  # whether to score layouts before labels, too
    graphs: bool = False  # along the neighbour graph as well

    @property
    def setting(self) -> Cell:
        """The same without its seed."""
        return replace(self, seed=-1)

    def name(self, digest: str) -> str:
        """Name its file; ``digest`` tells the pool."""
        key = json.dumps([RESULTS, digest, asdict(self)], sort_keys=True)
        return hashlib.sha256(key.encode()).hexdigest()[:20] + ".npz"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A pool as the cells need it: numbers only."""

    prompt_of: Ids
    score: Floats
    ratings: Floats
    rated: Ids
    words: Ids  # of each response
    prompt_words: Ids  # of each prompt
    features: dict[str, Floats]
    digest: str

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        parts = {name: value for name, value in vars(self).items() if name != "features"}
        parts |= {f"features:{name}": value for name, value in self.features.items()}
        write_arrays(path, {**parts, "digest": np.array(self.digest)})


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays into a file, whole or not at all."""
    with writing(path) as file:
        np.savez_compressed(file, **arrays)


def _read_arrays(path: str | Path) -> dict[str, Any]:
    """Read what :func:`write_arrays` wrote."""
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, TypeError, EOFError, BadZipFile, zlib.error):
        raise _damaged(path) from None


def _damaged(path: str | Path) -> InputError:
    return InputError("a damaged file", file=path, fix="remove it, and run this again")


@lru_cache(maxsize=2)
def load_prepared(path: str) -> Prepared:
    """Read what :meth:`Prepared.save` wrote."""
    parts = _read_arrays(path)
    features = {
        name.partition(":")[2]: parts.pop(name) for name in list(parts) if name.startswith("feat")
    }
    try:
        return Prepared(**{**parts, "digest": str(parts["digest"])}, features=features)
    except (KeyError, TypeError):
        raise _damaged(path) from None


@lru_cache(maxsize=16)
def temperature(path: str, agreement: float | str) -> float:
    """β of labels, per unit of score; of the raters' own, that of as much agreement."""
    pool = load_prepared(path)
    if isinstance(agreement, str):
        agreement = marking.own_agreement(pool.score, pool.ratings, pool.rated, pool.prompt_of)
        agreement = min(agreement, 0.999)
    return marking.inverse_temperature(agreement, marking.gaps(pool.score, pool.prompt_of))


def stream(*purpose: object) -> np.random.Generator:
    """Return the random stream of a purpose, whatever else is run."""
    return np.random.default_rng([zlib.crc32(repr(part).encode()) for part in purpose])


def split(prompts: int, seed: int) -> NDArray[np.bool_]:
    """Say which prompts are held out, by seed alone."""
    out = np.zeros(prompts, bool)
    order = stream("split", seed).permutation(prompts)
    out[order[: max(2, round(TESTED * prompts))]] = True
    return out


def measure(path: str, cell: Cell) -> dict[str, NDArray]:
    """Run a cell.

    Parameters
    ----------
    path : str
        Of the prepared pool.
    cell : Cell

    Returns
    -------
    dict of ndarray
        ``prompts``: those held out; ``outcomes``, shape (topologies, learners, measures, prompts);
        ``layouts``, shape (topologies, 3): distinct responses, prompts, and words read where an
        annotator reads each prompt and each response once; ``foreseen``, shape (topologies, rules).
    """
    pool = load_prepared(path)
    features = pool.features[cell.features]
    out = split(pool.prompt_of[-1] + 1, cell.seed)
    test = np.flatnonzero(out[pool.prompt_of])
    if cell.topologies == CEILING:
        rewards = ceiling(
            features, centred(pool.score, pool.prompt_of), pool.prompt_of, ~out[pool.prompt_of]
        )
        beta = temperature(path, STATED)
        models = [[beta * rewards[test]]]
        found = _outcomes(pool, test, models, beta)
        return {"prompts": np.flatnonzero(out), "outcomes": found.astype(np.float32)}
    beta = temperature(path, cell.agreement)
    raters = (pool.ratings, pool.rated) if cell.agreement == marking.OWN else None
    ends = marking.bounds(pool.prompt_of)
    groups = [np.arange(*ends[g]) for g in np.flatnonzero(~out)]
    held = _held_out_pairs(ends[out])
    truth = _loss_of(pool.score, beta, pool.prompt_of, test, held)
    models, layouts, foreseen = [], [], []
    for name in cell.topologies:
        pairs = lay(name, groups, cell.n, stream("layout", cell.seed, cell.n, name))
        marked = stream("labels", cell.seed, cell.n, name, cell.agreement)
        winner = marking.labels(pairs, pool.score, beta, marked, raters)
        used, place = np.unique(pairs, return_inverse=True)
        place = place.reshape(pairs.shape)
        layout = Comparisons(used, place[:, 0], place[:, 1], winner=winner)
        chosen = choices(
            features[used], layout, pool.prompt_of[used], features[test], truth, cell.learners
        )
        models.append(list(chosen.values()))
        prompts = np.unique(pool.prompt_of[used])
        read = pool.words[used].sum() + pool.prompt_words[prompts].sum()
        layouts.append([len(used), len(prompts), float(read)])
        if cell.foreseen:
            rng = stream("foreseen", cell.seed)
            foreseen.append(
                foresee(features, pool.prompt_of, pairs, held, name, rng, graphs=cell.graphs)
            )
    return {
        "prompts": np.flatnonzero(out),
        "outcomes": _outcomes(pool, test, models, beta).astype(np.float32),
        "layouts": np.array(layouts),
        "foreseen": np.array(foreseen).reshape(-1, len(NAMES)),
    }


def _held_out_pairs(ends: Ids) -> Ids:
    return np.concatenate(
        [low + np.stack(np.triu_indices(high - low, 1), axis=1) for low, high in ends]
    )


def _loss_of(
    score: Floats, beta: float, prompt_of: Ids, test: Ids, held: Ids
) -> Callable[[Floats], float]:
    """Make the oracle's loss: the log loss of held-out pairs, each prompt of equal weight."""
    from scipy.special import expit, log_expit

    first, second = np.searchsorted(test, held).T
    probability = expit(beta * (score[held[:, 0]] - score[held[:, 1]]))
    weight = 1.0 / np.bincount(prompt_of[held[:, 0]])[prompt_of[held[:, 0]]]

    def loss(said: Floats) -> float:
        gap = said[first] - said[second]
        return -float(weight @ (log_expit(-gap) + probability * gap)) / float(weight.sum())

    return loss


def _outcomes(
    pool: Prepared, test: Ids, models: Sequence[Sequence[Floats]], beta: float
) -> NDArray[np.float64]:
    """Outcomes of all topologies and learners, prompts of equal size together."""
    own = pool.prompt_of[test]
    _, place, size = np.unique(own, return_inverse=True, return_counts=True)
    shape = (len(models), len(models[0]), len(MEASURES), len(size))
    found = np.full(shape, np.nan)
    for k in np.unique(size):
        rows = np.flatnonzero(size[place] == k).reshape(-1, k)
        each = [one[rows] for learners in models for one in learners]
        rivals = [one[rows] for _ in models for one in models[0]]
        block = outcomes(each, pool.score[test][rows], beta, rivals)
        found[:, :, :, size == k] = block.reshape(*shape[:3], -1)
    return found


def run(
    cells: Sequence[Cell],
    folder: Path,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Any = None,
) -> None:
    """Run the cells that the folder lacks, the longest first; each is kept as it ends.

    Parameters
    ----------
    cells : sequence of Cell
    folder : Path
        With ``prepared.npz``; workers of a cluster must see it, too.
    jobs, cluster, progress
        As for ``ibn.simulations.sweeping.sweep.run``.

    Raises
    ------
    InputError
        If a cell fails.
    KeyboardInterrupt
        When interrupted, saying how to go on.
    """
    from ibn.simulations.sweeping.executors import cluster as on_cluster
    from ibn.simulations.sweeping.executors import in_process, processes

    path = str((folder / "prepared.npz").resolve())
    digest = load_prepared(path).digest
    missing = [one for one in dict.fromkeys(cells) if not (folder / one.name(digest)).exists()]
    missing.sort(key=cost, reverse=True)
    total, worked = sum(map(cost, missing)), 0.0
    if cluster is not None and missing:
        execute = on_cluster(cluster)
    else:
        execute = in_process if min(jobs, len(missing)) <= 1 else processes(jobs)
    ended = 0
    try:
        for cell in execute(partial(_kept, path), missing):
            ended, worked = ended + 1, worked + cost(cell)
            if progress is not None:
                progress(ended, len(missing), worked / total)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: {len(cells) - len(missing) + ended} of {len(cells)} cells are in "
            f"{folder}; the same command runs the rest"
        ) from None


def _kept(path: str, cell: Cell) -> Cell:
    try:
        found = measure(path, cell)
    except InputError as error:
        raise InputError(f"{cell.features}, n = {cell.n}, seed {cell.seed}: {error}") from None
    write_arrays(Path(path).with_name(cell.name(load_prepared(path).digest)), found)
    return cell


def cost(cell: Cell) -> float:
    """Guess how long a cell takes, in arbitrary units."""
    fits = len({"own", "own-cv"} & set(cell.learners)) * 6.0 + 1.0 + 2.0 * ("cv" in cell.learners)
    looks = 2000.0 * cell.foreseen + 8000.0 * cell.graphs
    return len(cell.topologies) * (fits * (500.0 + cell.n) + looks)


def read(cells: Sequence[Cell], folder: Path) -> list[dict[str, NDArray]]:
    """Read the answers of cells that were run."""
    digest = load_prepared(str((folder / "prepared.npz").resolve())).digest
    return [_read_arrays(folder / cell.name(digest)) for cell in cells]
