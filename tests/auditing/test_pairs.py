"""Pairs within and across prompts against a list of all."""

import numpy as np
import pytest
from auditing.small_data import all_pairs

from ibn.auditing.pairs import PromptPairs


class TestPairs:
    prompt_of = np.array([2, 0, 2, 1, 0, 2, 2, 3])
    pairs = PromptPairs(prompt_of)

    def test_lists_every_pair_within_a_prompt(self):
        every, same = all_pairs(self.prompt_of)
        listed = np.sort(self.pairs.list_within(100, np.random.default_rng(0)), axis=1)
        assert sorted(map(tuple, listed)) == sorted(map(tuple, every[same]))
        assert (self.pairs.within, self.pairs.across) == (same.sum(), (~same).sum())

    @pytest.mark.parametrize("kind", ["within", "across"])
    def test_samples_are_uniform(self, kind):
        every, same = all_pairs(self.prompt_of)
        wanted = every[same if kind == "within" else ~same]
        draws = getattr(self.pairs, f"sample_{kind}")(20_000, np.random.default_rng(1))
        found, count = np.unique(np.sort(draws, axis=1), axis=0, return_counts=True)
        np.testing.assert_array_equal(found, wanted)
        expected = 20_000 / len(wanted)
        chi2 = ((count - expected) ** 2 / expected).sum()
        assert chi2 < len(wanted) - 1 + 4 * np.sqrt(2 * (len(wanted) - 1))

    def test_lists_no_more_than_asked(self):
        listed = PromptPairs(np.zeros(50, np.int64)).list_within(300, np.random.default_rng(0))
        assert 250 < len(np.unique(np.sort(listed, axis=1), axis=0)) == len(listed) <= 300
