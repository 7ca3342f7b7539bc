"""From a pool's texts to the numbers that the cells work on, kept in the run's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibn.bias.text_models import embed
from ibn.errors import InputError
from ibn.simulations.pools.measuring import Prepared, load_prepared
from ibn.simulations.pools.scored_pool import Pool
from ibn.simulations.pools.seen import Floats, seen

PROCESS, PLAIN = "-gp", "plain"
GIVEN = "given"


def prepare(
    pool: Pool,
    features: tuple[str, ...],
    folder: Path,
    embedders: Mapping[str, str],
    given: NDArray[np.floating] | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> Prepared:
    """Embed a pool's texts and make the features of every response.

    Parameters
    ----------
    pool : Pool
    features : tuple of str
        ``tfidf``, ``given`` or a name of ``embedders``, with ``-gp`` behind it for a Gaussian
        process; or ``plain``: the counts alone, siblings compared by TF-IDF.
    folder : Path
        Where embeddings are kept, and ``prepared.npz``; of one pool only.
    embedders : mapping of str to str
        What each further name stands for, as ``ibn.bias.text_models.embed`` has it.
    given : ndarray, optional
        Embeddings of the responses in the pool's order.

    Raises
    ------
    InputError
        If the folder belongs to another pool, a name is unknown or embeddings cannot be made.
    """
    digest = _digest(pool)
    path = folder / "prepared.npz"
    old: dict[str, Floats] = {}
    if path.exists():
        there = load_prepared(str(path.resolve()))
        if not there.digest.startswith(digest[:16]):
            raise InputError("begun with another pool", file=folder, fix="give another --out")
        old = there.features
        if set(features) <= set(old):
            return there
    found = dict(old)
    for name in features:
        if name in found:
            continue
        base = "tfidf" if name == PLAIN else name.removesuffix(PROCESS)
        kind = "plain" if name == PLAIN else "process" if name.endswith(PROCESS) else "both"
        progress(f"features {name} of {len(pool.responses)} responses")
        if base == GIVEN:
            if given is None:
                raise InputError("features given, but none are", fix="--embeddings E.npy")
            rows = given
        elif base == "tfidf" or base in embedders:
            rows = embed(
                pool.prompts,
                pool.responses,
                pool.prompt_of,
                embedders.get(base, base),
                cache=folder / f"embeddings-{base}.npy",
            )
        else:
            raise InputError(f"unknown features {base!r}", fix="tfidf, given or NAME=MODEL")
        found[name] = seen(pool, rows, kind)
    ready = Prepared(
        pool.prompt_of,
        pool.score,
        pool.ratings,
        pool.rated,
        np.array([len(text.split()) for text in pool.responses]),
        np.array([len(text.split()) for text in pool.prompts]),
        found,
        digest,
    )
    ready.save(path)
    load_prepared.cache_clear()
    return ready


def _digest(pool: Pool) -> str:
    found = hashlib.sha256()
    for texts in (pool.prompts, pool.responses):
        found.update("\0".join(texts).encode("utf-8", "surrogatepass"))
    for numbers in (pool.prompt_of, pool.score, pool.ratings):
        found.update(numbers.tobytes())
    return found.hexdigest()
