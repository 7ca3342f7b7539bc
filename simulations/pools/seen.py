"""What a learner sees of a pool's responses: directions of their embedding, and plain counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ibn.learner.features import rbf_features
from ibn.simulations.pools.scored_pool import Pool

DIRECTIONS = 64  # of the embedding, by variance within prompts
LANDMARKS = 96  # of the Gaussian process (Nyström)
BULLETS = ("\n-", "\n*", "\n1.", "\n2.")
MARKS = ("\n", "**", "#", "!", "?")

Floats = NDArray[np.float64]


def centred(values: Floats, prompt_of: NDArray[np.int64]) -> Floats:
    """Take the mean of its prompt away from each row."""
    count = np.bincount(prompt_of)[:, None]
    rows = values.reshape(len(values), -1)
    means = np.stack([np.bincount(prompt_of, column) for column in rows.T], axis=1) / count
    return (rows - means[prompt_of]).reshape(values.shape)


def plain(pool: Pool, own: Floats, of_prompt: Floats) -> Floats:
    """Count what needs no model, and compare each response with its prompt and its siblings.

    ``own``, ``of_prompt``: unit embeddings of each response and of its prompt, where there is one.

    The last columns are the mean similarity to the other responses to the prompt, and to the
    prompt: what sampling several responses and taking the most central (minimum Bayes risk) sees.
    """
    counts = [
        [
            len(text),
            len(text.split()),
            *(text.count(mark) for mark in MARKS),
            sum(text.count(bullet) for bullet in BULLETS),
            sum(map(str.isdigit, text)),
            text.rstrip()[-1:] in tuple(".!?\"')"),
        ]
        for text in pool.responses
    ]
    size = np.bincount(pool.prompt_of)[pool.prompt_of]
    total = np.stack([np.bincount(pool.prompt_of, column) for column in own.T], axis=1)
    others = np.einsum("ij,ij->i", total[pool.prompt_of] - own, own) / (size - 1)
    found = [np.log1p(np.array(counts, float)), others[:, None]]
    if of_prompt.shape == own.shape:
        found.append(np.einsum("ij,ij->i", own, of_prompt)[:, None])
    return np.hstack(found)


def seen(pool: Pool, embeddings: NDArray[np.floating], kind: str = "both") -> Floats:
    """Make the features of every response, the same for all topologies and learners.

    The leading directions of the embedding's variation within prompts, and plain counts; each of
    the two blocks is scaled so that the squared difference of two responses to a prompt averages
    one half. No score is looked at.

    Parameters
    ----------
    pool : Pool
    embeddings : ndarray, shape (m, p)
        As ``ibn.bias.text_models.embed`` makes them: the prompt's beside the response's; or any
        others, taken as of the response alone where the first half is not the same in a prompt.
    kind : {"both", "plain", "process"}
        Both blocks; the counts alone, scaled to 1; or, for a Gaussian process, features of an RBF
        kernel on both.

    Returns
    -------
    ndarray of float, shape (m, d)
    """
    rows = np.asarray(embeddings, float)
    half = rows.shape[1] // 2
    paired = rows.shape[1] % 2 == 0 and np.allclose(centred(rows[:, :half], pool.prompt_of), 0.0)
    of_prompt, own = (rows[:, :half], rows[:, half:]) if paired else (rows[:, :0], rows)
    own = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    within = centred(own, pool.prompt_of)
    _, vectors = np.linalg.eigh(within.T @ within)
    directions = within @ vectors[:, ::-1][:, :DIRECTIONS]
    counts = centred(plain(pool, own, of_prompt), pool.prompt_of)
    spread = counts.std(axis=0)
    counts = counts[:, spread > 1e-9] / spread[spread > 1e-9]
    if kind == "plain":
        return np.sqrt(2.0) * _scaled(counts, pool)
    found = np.hstack([_scaled(directions, pool), _scaled(counts, pool)])
    if kind == "both":
        return found
    mapped = rbf_features(found, landmarks=LANDMARKS).features(found)
    return np.sqrt(2.0) * _scaled(centred(mapped, pool.prompt_of), pool)


def _scaled(rows: Floats, pool: Pool) -> Floats:
    """Scale rows centred by prompt so that squared differences within prompts average a half."""
    size = np.bincount(pool.prompt_of)[pool.prompt_of]
    square = 2.0 * np.mean(np.sum(rows**2, axis=1) * size / (size - 1))
    return rows / np.sqrt(2.0 * square)
