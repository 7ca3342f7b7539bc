"""Near-duplicates against comparing all pairs, and what merging keeps."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.near_duplicates import (
    find_near_duplicates,
    merge_near_duplicates,
    near_pairs,
    normal_form,
)
from ibn.preferences.reading import PreferenceData

WORDS = "the quick brown fox jumps over lazy dogs and cats with 3 or 7 legs".split()  # noqa: SIM905


def dataset(prompts, responses, pairs, winner=None):
    """Build a dataset from prompts, (prompt, response) pairs and compared positions."""
    a, b = np.array(pairs).T
    return PreferenceData(
        prompts=prompts,
        responses=[text for _, text in responses],
        prompt_of=np.array([prompt for prompt, _ in responses]),
        comparisons=Comparisons(
            np.arange(len(responses)),
            a,
            b,
            winner=np.ones(len(a), np.int8) if winner is None else np.array(winner, np.int8),
        ),
        lines=np.arange(1, len(a) + 1),
        source="s",
    )


def naive_similarity(a, b):
    a, b = normal_form(a).split(), normal_form(b).split()
    if a == b:
        return 1.0 if a else 0.0
    if [w for w in a if not w.isalpha()] != [w for w in b if not w.isalpha()]:
        return 0.0
    one, other = ({tuple(x[i : i + 3]) for i in range(len(x) - 2)} for x in (a, b))
    return len(one & other) / len(one | other) if one | other else 0.0


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_connects_what_all_pairs_connect(seed):
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, 40)) for _ in range(3)]
    for _ in range(6):
        words = texts[rng.integers(len(texts))].split()
        words[rng.integers(len(words))] = str(rng.choice(WORDS))
        texts.append(" ".join(words).upper() if rng.random() < 0.5 else " ".join(words) + "!")
    group = rng.integers(0, 2, len(texts))
    pairs, similarity = near_pairs(texts, group, 0.8, 0)
    for (i, j), value in zip(pairs, similarity, strict=True):
        assert i < j
        assert group[i] == group[j]
        assert naive_similarity(texts[i], texts[j]) == pytest.approx(value)
        assert value >= 0.8
    graph = nx.Graph(pairs.tolist())
    for i, j in combinations(range(len(texts)), 2):
        if group[i] == group[j] and normal_form(texts[i]) == normal_form(texts[j]):
            assert nx.has_path(graph, i, j)


def test_most_pairs_above_the_threshold_are_found():
    rng = np.random.default_rng(0)
    texts = []
    for _ in range(200):
        text = [str(w) for w in rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 80)]
        texts += [" ".join(text), " ".join([*text[:-1], "zz"])]
    pairs, _ = near_pairs(texts, np.zeros(400, int), 0.9, 0)
    assert len({tuple(p) for p in pairs.tolist()} & {(2 * i, 2 * i + 1) for i in range(200)}) >= 198


def test_case_punctuation_and_spaces_make_no_difference():
    assert normal_form(" Yes,  it\nIS. ") == normal_form("yes it is") == "yes it is"
    data = dataset(
        ["What?", "what", "Who?"],
        [(0, "Yes."), (0, "no"), (1, "YES"), (1, "maybe"), (2, "yes"), (2, "no")],
        [(0, 1), (2, 3), (4, 5)],
    )
    found = find_near_duplicates(data)
    assert found.prompt_into.tolist() == [0, 0, 2]
    assert found.response_into.tolist() == [0, 1, 0, 3, 4, 5]
    assert (found.prompts, found.responses, found.compared) == (1, 1, 0)
    merged, kept = merge_near_duplicates(data, found)
    assert kept.tolist() == [0, 1, 3, 4, 5]
    assert merged.prompts == ["What?", "Who?"]
    assert merged.responses == ["Yes.", "no", "maybe", "yes", "no"]
    assert merged.prompt_of.tolist() == [0, 0, 0, 1, 1]
    assert merged.comparisons.a.tolist() == [0, 0, 3]
    assert merged.comparisons.b.tolist() == [1, 2, 4]
    assert merged.comparisons.responses.tolist() == [0, 1, 2, 3, 4]


def test_other_numbers_are_other_answers():
    text = " ".join(WORDS[:8]) + " {} " + " ".join(f"and {w}" for w in WORDS[:8]) + " so on" * 30
    data = dataset(["p"], [(0, text.format(12)), (0, text.format(13))], [(0, 1)])
    assert find_near_duplicates(data, threshold=0.6).responses == 0


def test_what_a_label_told_apart_is_not_merged():
    responses = [(0, "yes"), (0, "Yes!"), (0, "no")]
    told = dataset(["p"], responses, [(0, 1), (0, 2)])
    found = find_near_duplicates(told)
    assert (found.responses, found.compared) == (0, 1)
    tied = dataset(["p"], responses, [(0, 1), (0, 2)], winner=[0, 1])
    found = find_near_duplicates(tied)
    assert (found.responses, found.compared) == (1, 0)
    merged, _ = merge_near_duplicates(tied, found)
    assert (merged.skipped, merged.lines.tolist()) == (1, [2])


def test_texts_without_words_are_not_alike():
    data = dataset(["p"], [(0, "?"), (0, "!"), (0, "a")], [(0, 2), (1, 2)])
    assert find_near_duplicates(data).responses == 0


def test_nothing_left_to_compare():
    data = dataset(["p"], [(0, "yes"), (0, "Yes")], [(0, 1)], winner=[0])
    with pytest.raises(InputError, match="between near-duplicates"):
        merge_near_duplicates(data, find_near_duplicates(data))


@pytest.mark.parametrize("threshold", [0.5, 1.1, float("nan")])
def test_thresholds_out_of_range(threshold):
    data = dataset(["p"], [(0, "yes"), (0, "no")], [(0, 1)])
    with pytest.raises(InputError, match="threshold"):
        find_near_duplicates(data, threshold=threshold)


def test_chinese_is_compared_by_characters():
    text = "我们今天去公园看花因为天气很好而且大家都有时间老师也想去孩子们喜欢在湖边画画"
    same, other = text.replace("湖", "河"), text[::-1]
    near, similarity = near_pairs([text, same, other], np.zeros(3, int), 0.8, 0)
    assert near.tolist() == [[0, 1]]
    assert 0.8 < similarity[0] < 1
    numbered = [f"{text}一共{number}个人" for number in "三四"]
    assert len(near_pairs(numbered, np.zeros(2, int), 0.6, 0)[0]) == 0
    assert normal_form(f"{text}。") == normal_form(f"「{text}」")
