"""Small datasets, and the pairs of their responses."""

import numpy as np

from ibn.auditing.pairs import PromptPairs
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.reading import PreferenceData


def dataset(sizes, n, rng, *, across=False):
    """Prompts with these numbers of responses, and n random comparisons, one a line."""
    prompt_of = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    pairs = PromptPairs(prompt_of)
    a, b = (pairs.sample_across if across else pairs.sample_within)(n, rng).T
    m = len(prompt_of)
    return PreferenceData(
        prompts=[f"prompt {p}" for p in range(len(sizes))],
        responses=[f"response {i}" for i in range(m)],
        prompt_of=prompt_of,
        comparisons=Comparisons(np.arange(m), a, b, winner=np.ones(n, np.int8)),
        lines=np.arange(1, n + 1),
        source="small.jsonl",
        shape="prompt/chosen/rejected texts",
    )


def all_pairs(prompt_of):
    i, j = np.triu_indices(len(prompt_of), 1)
    same = prompt_of[i] == prompt_of[j]
    return np.stack([i, j], axis=1), same
