"""Embeddings of responses by language models: sentence encoders, and last hidden states."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibn.bias.embeddings import embed_texts, load_embeddings
from ibn.errors import MissingExtra
from ibn.outputs import writing
from ibn.pretrained import load_pretrained

KINDS = ("tfidf", "text", "llm")
LONGEST = 2048  # tokens, where a model names no bound of its own

Progress = Callable[[int, int], None]
"""Called with how many texts are done, of how many."""


def _silent(done: int, total: int) -> None:
    """Say nothing."""


def embed(
    prompts: Sequence[str],
    responses: Sequence[str],
    prompt_of: NDArray[np.int64],
    embedder: str = "tfidf",
    *,
    cache: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> NDArray[np.floating]:
    """Embed responses by whatever embedder is named.

    Parameters
    ----------
    prompts, responses, prompt_of
        As ``ibn.bias.embeddings.embed_texts`` has them.
    embedder : str
        ``tfidf``; a sentence-transformers model by local path or name, with or without ``text:``
        before it (:func:`embed_by_sentence_model`); or ``llm:`` and a transformers model by local
        path or name (:func:`embed_hidden_states`).
    cache : path-like, optional
        A ``.npy`` file: read if it is there, else written. It must be of these responses and
        this embedder; only the number of its rows is checked.
    seed : int
        Of the randomised SVD behind TF-IDF.
    progress : callable, optional
        ``progress(done, total)`` counts texts.

    Raises
    ------
    InputError
        If the model cannot be loaded, an extra is missing or the cache does not fit.
    """
    if cache is not None and Path(cache).exists():
        return load_embeddings(cache, len(responses))
    kind, colon, name = embedder.partition(":")
    if embedder == "tfidf":
        found: NDArray[np.floating] = embed_texts(prompts, responses, prompt_of, seed=seed)
    elif colon and kind == "llm":
        found = embed_hidden_states(prompts, responses, prompt_of, name, progress=progress)
    else:
        name = name if colon and kind == "text" else embedder
        found = embed_by_sentence_model(prompts, responses, prompt_of, name, progress=progress)
    if cache is not None:
        with writing(cache) as file:
            np.save(file, found)
    return found


def embed_by_sentence_model(
    prompts: Sequence[str],
    responses: Sequence[str],
    prompt_of: NDArray[np.int64],
    model: str,
    *,
    batch: int = 32,
    progress: Progress = _silent,
) -> NDArray[np.float32]:
    """Embed responses by a sentence-transformers model.

    A row is that of the prompt beside that of the response, each of length 1, as for TF-IDF;
    prompts that are all the same are left out. Texts longer than the model reads are cut there.

    ``prompts``, ``responses``, ``prompt_of``: as for :func:`embed`; ``model``: local path or name;
    ``batch``: texts at a time. Raises MissingExtra if sentence-transformers is not installed.
    Raises InputError if the model cannot be loaded.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtra("sentence-transformers", "text", "a sentence embedder") from None
    encoder = load_pretrained(SentenceTransformer, model, model)
    alone = len(prompts) == 1
    texts = list(responses) if alone else [*responses, *prompts]
    order = np.argsort([-len(text) for text in texts], kind="stable")  # like lengths pad little
    rows: NDArray[np.float32] | None = None
    for low in range(0, len(texts), batch):
        some = order[low : low + batch]
        found = encoder.encode(
            [texts[i] for i in some],
            batch_size=batch,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        if rows is None:
            rows = np.empty((len(texts), found.shape[1]), np.float32)
        rows[some] = found
        progress(low + len(some), len(texts))
    assert rows is not None
    if alone:
        return rows
    return np.hstack([rows[len(responses) :][prompt_of], rows[: len(responses)]])


def embed_hidden_states(
    prompts: Sequence[str],
    responses: Sequence[str],
    prompt_of: NDArray[np.int64],
    model: str,
    *,
    batch: int = 8,
    longest: int = LONGEST,
    progress: Progress = _silent,
) -> NDArray[np.float32]:
    """Embed responses by a transformer's last layer at their last token.

    Of a reward model, a sequence-classification checkpoint, these are the features that its
    reward is linear in; a causal language model's do too.

    ``prompts``, ``responses``, ``prompt_of``: as for :func:`embed`. A prompt and its response are
    read as one text. ``model``: local path or name; ``batch``: texts at a time; ``longest``: tokens
    read at most, fewer where the model takes fewer; the beginning of longer texts is left out.
    Returns shape (m, hidden size). Raises MissingExtra if torch or transformers is not installed.
    Raises InputError if the model cannot be loaded.
    """
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise MissingExtra("torch and transformers", "llm", "a model's hidden states") from None
    tokenizer = load_pretrained(AutoTokenizer.from_pretrained, model, model)
    network = load_pretrained(AutoModel.from_pretrained, model, model, weights_only=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = network.to(device).eval()
    tokenizer.truncation_side, tokenizer.padding_side = "left", "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    bound = getattr(network.config, "max_position_embeddings", None) or longest
    longest = min(longest, int(bound), int(tokenizer.model_max_length))
    texts = [joined(prompts[p], r) for p, r in zip(prompt_of, responses, strict=True)]
    order = np.argsort([-len(text) for text in texts], kind="stable")
    rows = np.empty((len(texts), network.config.hidden_size), np.float32)
    for low in range(0, len(texts), batch):
        some = order[low : low + batch]
        read = tokenizer(
            [texts[i] for i in some],
            padding=True,
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        ).to(device)
        with torch.inference_mode():
            state = network(
                input_ids=read["input_ids"], attention_mask=read["attention_mask"]
            ).last_hidden_state
        last = read["attention_mask"].sum(dim=1) - 1
        rows[some] = state[torch.arange(len(some)), last].float().cpu().numpy()
        progress(low + len(some), len(texts))
    return rows


def joined(prompt: str, response: str) -> str:
    """One text of prompt and response, on lines of their own where nothing else parts them."""
    if not prompt or prompt[-1].isspace() or response[:1].isspace():
        return prompt + response
    return f"{prompt}\n{response}"
