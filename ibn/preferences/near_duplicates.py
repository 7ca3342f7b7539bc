"""Near-duplicates: prompts and responses that differ in letter case, punctuation or a few words."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ibn.errors import InputError
from ibn.kernels.minhash import least_hashes
from ibn.preferences.reading import PreferenceData
from ibn.preferences.tokens import SIGN, tokenise

THRESHOLD = 0.9
SHINGLE = 3  # words
BANDS, ROWS = 8, 5  # P(a pair at similarity s is looked at) = 1 - (1 - s^5)^8: 0.999 at 0.9
LISTED = 10
MIX = np.uint64(0x9E3779B97F4A7C15)
SPACED = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}


@dataclass(frozen=True)
class NearPair:
    """Two texts that say nearly the same.

    Attributes
    ----------
    kind : {"prompts", "responses"}
    texts : tuple of int
        Positions in ``PreferenceData.prompts`` or ``responses``.
    similarity : float
        Jaccard similarity of their sets of three words in a row; 1 also where they differ only
        in case, punctuation and white space.
    """

    kind: str
    texts: tuple[int, int]
    similarity: float


@dataclass(frozen=True, eq=False)
class NearDuplicates:
    """Near-duplicates in a dataset.

    Attributes
    ----------
    prompt_into, response_into : ndarray of int
        For each prompt and response the first of its group: itself where it has no duplicate.
        Responses are grouped within a prompt, or among prompts that are near-duplicates.
    prompts, responses : int
        How many merging would take away.
    compared : int
        Near-duplicate responses that a label told apart: they are not grouped.
    threshold : float
        Similarity from which on texts count as near-duplicates.
    examples : tuple of NearPair
        The least similar first: where to look whether the threshold is right.
    """

    prompt_into: NDArray[np.int64]
    response_into: NDArray[np.int64]
    prompts: int
    responses: int
    compared: int
    threshold: float
    examples: tuple[NearPair, ...]


def normal_form(text: str) -> str:
    """Words of a text in lower case, without punctuation, one space apart.

    >>> normal_form("Not good!"), normal_form("不好！")
    ('not good', '不 不好 好')
    """
    if text.isascii():  # the same, several times as fast
        return " ".join(text.lower().translate(SPACED).split())
    words = tokenise(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(word for word in words if not SIGN.fullmatch(word))


def find_near_duplicates(
    data: PreferenceData, *, threshold: float = THRESHOLD, seed: int = 0
) -> NearDuplicates:
    """Find prompts, and responses to one prompt, that are nearly the same text.

    Texts are near-duplicates where their words are the same, or where the Jaccard similarity of
    their sets of three words in a row reaches a threshold and they hold the same numbers, one
    after another. Candidates come from banded MinHash (Broder 1997; Leskovec, Rajaraman and
    Ullman, *Mining of Massive Datasets*, ch. 3) and are then compared for real, so that none is
    reported wrongly and few are missed.

    Parameters
    ----------
    data : PreferenceData
    threshold : float
        Above 0.5 and at most 1.
    seed : int
        Of the hash functions.

    Raises
    ------
    InputError
        If the threshold is out of range.
    """
    if not 0.5 < threshold <= 1:
        raise InputError(f"a threshold of similarity is above 0.5 and at most 1, not {threshold}")
    p, m = len(data.prompts), len(data.responses)
    prompt_pairs, prompt_similarity = near_pairs(
        data.prompts, np.zeros(p, np.int64), threshold, seed
    )
    prompt_into = _first_of_group(p, prompt_pairs)
    pairs, similarity = near_pairs(data.responses, prompt_into[data.prompt_of], threshold, seed)
    a, b = data.comparisons.a, data.comparisons.b
    winner = data.comparisons.winner
    told = np.ones(len(a), bool) if winner is None else winner != 0
    apart = np.unique(np.minimum(a, b)[told] * m + np.maximum(a, b)[told])
    compared = np.isin(pairs[:, 0] * m + pairs[:, 1], apart)
    response_into = _first_of_group(m, pairs[~compared])
    examples = [
        NearPair(kind, (int(i), int(j)), float(s))
        for kind, found, values in (
            ("prompts", prompt_pairs, prompt_similarity),
            ("responses", pairs[~compared], similarity[~compared]),
        )
        for (i, j), s in zip(found, values, strict=True)
    ]
    return NearDuplicates(
        prompt_into=prompt_into,
        response_into=response_into,
        prompts=int(np.count_nonzero(prompt_into != np.arange(p))),
        responses=int(np.count_nonzero(response_into != np.arange(m))),
        compared=int(np.count_nonzero(compared)),
        threshold=threshold,
        examples=tuple(sorted(examples, key=lambda one: one.similarity)[:LISTED]),
    )


def near_pairs(
    texts: Sequence[str], group: NDArray[np.int64], threshold: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find pairs of texts of one group that are nearly the same.

    Of many texts that are all alike, each is paired with one of them rather than with all.

    Parameters
    ----------
    texts : sequence of str
    group : ndarray of int
        Only texts of the same group are compared.
    threshold : float
        Least Jaccard similarity.
    seed : int
        Of the hash functions.

    Returns
    -------
    pairs : ndarray of int, shape (k, 2)
        Positions, the smaller first, each pair once, in order.
    similarity : ndarray, shape (k,)
    """
    company = np.bincount(group)[group] > 1
    forms = {i: normal_form(texts[i]) for i in np.flatnonzero(company).tolist()}
    first: dict[tuple[int, str], int] = {}
    found: dict[tuple[int, int], float] = {}
    for i, form in forms.items():
        same = first.setdefault((int(group[i]), form), i)
        if same != i and form:
            found[same, i] = 1.0
    distinct = np.array([i for i in first.values() if forms[i]], dtype=np.int64)
    if threshold < 1 and len(distinct) > 1:
        sets = _Sets.of([forms[i] for i in distinct.tolist()])
        numbers: dict[int, tuple[str, ...]] = {}
        for x, y in _candidates(sets, group[distinct], seed):
            value = sets.jaccard(x, y)
            if value < threshold:
                continue
            i, j = sorted((int(distinct[x]), int(distinct[y])))
            for k in (i, j):
                numbers.setdefault(k, _numbers_in(forms[k]))
            if numbers[i] == numbers[j]:  # 12 apples are not 13 apples
                found[i, j] = value
    pairs = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return pairs, np.array([found[i, j] for i, j in pairs.tolist()])


def _numbers_in(form: str) -> tuple[str, ...]:
    """List the words with a digit, or a numeral of another script, in order."""
    return tuple(word for word in form.split() if any(map(str.isnumeric, word)))


@dataclass(frozen=True, eq=False)
class _Sets:
    """Sets of word triples, hashed: those of text i are ``values[start[i] : start[i + 1]]``."""

    start: NDArray[np.int64]
    values: NDArray[np.uint64]

    @classmethod
    def of(cls, forms: list[str]) -> _Sets:
        number: defaultdict[str, int] = defaultdict()
        number.default_factory = number.__len__  # words are counted as they come
        words = chain.from_iterable(form.split(" ") for form in forms)
        word = np.fromiter(map(number.__getitem__, words), np.uint64)
        length = np.fromiter((form.count(" ") + 1 for form in forms), np.int64, len(forms))
        mixed = word.copy()
        for ahead in range(1, SHINGLE):  # runs over the ends of texts, which are left out below
            mixed[:-ahead] = mixed[:-ahead] * MIX + word[ahead:]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * MIX
        triples = np.maximum(length - SHINGLE + 1, 0)
        start = np.append(0, np.cumsum(triples))
        inside = np.arange(start[-1]) + np.repeat(np.cumsum(length) - length - start[:-1], triples)
        return cls(start, (mixed ^ (mixed >> np.uint64(32)))[inside])

    def jaccard(self, x: int, y: int) -> float:
        """Jaccard similarity of two of the sets."""
        one, other = (np.unique(self.values[self.start[k] : self.start[k + 1]]) for k in (x, y))
        both = len(np.intersect1d(one, other, assume_unique=True))
        return both / (len(one) + len(other) - both)


def _candidates(sets: _Sets, group: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Pair sets of one group that agree in all MinHashes of a band."""
    rows = np.flatnonzero(np.diff(sets.start))
    rng = np.random.default_rng(seed)
    factor, shift = rng.integers(0, 2**32, (2, BANDS * ROWS), dtype=np.uint32)
    signature = least_hashes(sets.start, sets.values.astype(np.uint32), factor | 1, shift)
    found = [np.empty((0, 2), np.int64)]
    for band in signature[:, rows].reshape(BANDS, ROWS, len(rows)):
        key = group[rows].astype(np.uint64)
        for least in band:
            key = key * MIX + least
        order = np.argsort(key, kind="stable")
        head = np.append(True, key[order][1:] != key[order][:-1])[: len(order)]
        of = order[np.maximum.accumulate(np.where(head, np.arange(len(order)), 0))]
        met = rows[np.stack([of[~head], order[~head]], axis=1)]
        found.append(met[group[met[:, 0]] == group[met[:, 1]]])
    return np.unique(np.concatenate(found), axis=0)


def _first_of_group(size: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each position the first one that chains of pairs reach from it."""
    graph = coo_array((np.ones(len(pairs), np.int8), pairs.T), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    _, first = np.unique(label, return_index=True)
    return first[label]


def merge_near_duplicates(
    data: PreferenceData, found: NearDuplicates
) -> tuple[PreferenceData, NDArray[np.int64]]:
    """Merge near-duplicates into the first of each group.

    Comparisons are kept, over the merged responses; those that become comparisons of a response
    with itself are left out and counted in ``skipped``.

    Parameters
    ----------
    data : PreferenceData
    found : NearDuplicates
        Of these data.

    Returns
    -------
    merged : PreferenceData
    kept : ndarray of int
        The responses that are left, as rows of an embedding matrix of ``data``.

    Raises
    ------
    InputError
        If no comparison is left.
    """
    old = data.comparisons
    a, b = found.response_into[old.a], found.response_into[old.b]
    stay = a != b
    if not stay.any():
        raise InputError("all comparisons are between near-duplicates", file=data.source)
    kept, ends = np.unique(np.concatenate([a[stay], b[stay]]), return_inverse=True)
    prompts, prompt_of = np.unique(found.prompt_into[data.prompt_of[kept]], return_inverse=True)
    n = int(stay.sum())
    comparisons = replace(old.select(stay), responses=np.arange(len(kept)), a=ends[:n], b=ends[n:])
    merged_away = {"near-duplicates of each other": tuple(data.lines[~stay].tolist())}
    report = replace(
        data.report,
        comparisons=n,
        prompts=len(prompts),
        responses=len(kept),
        skipped={**data.report.skipped, **(merged_away if len(stay) > n else {})},
    )
    merged = replace(
        data,
        prompts=[data.prompts[i] for i in prompts],
        responses=[data.responses[i] for i in kept],
        prompt_of=prompt_of.astype(np.int64),
        comparisons=comparisons,
        lines=data.lines[stay],
        swapped=None if data.swapped is None else data.swapped[stay],
        annotators=_pick(data.annotators, np.flatnonzero(stay)),
        row_of=None if data.row_of is None else data.row_of[stay],
        report=report,
        prompt_messages=_pick(data.prompt_messages, prompts),
        response_messages=_pick(data.response_messages, kept),
    )
    return merged, kept


def _pick(items: list | None, which: NDArray[np.int64]) -> list | None:
    return None if items is None else [items[i] for i in which]
