import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefix_tree.generators import Babbler, Failing, Silent, grow_alone

from ibn.errors import InputError
from ibn.prefix_tree.generator import Continuation
from ibn.prefix_tree.growing import (
    chain_growing,
    grow_together,
    tree_growing,
)
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.pairing import chain_pairs, tree_pairs
from ibn.prefix_tree.tree import Grown, shared_prefix


def common_prefix(a: str, b: str) -> int:
    """Characters in common, one by one: the naive twin of ``shared_prefix``."""
    k = 0
    while k < min(len(a), len(b)) and a[k] == b[k]:
        k += 1
    return k


def grow(generator=None, seed=0, **growth):
    generator = generator or Babbler()
    return grow_alone("Say", generator, Growth(**growth), np.random.default_rng(seed))


@settings(max_examples=40, deadline=None)
@given(
    depth=st.integers(1, 4),
    branching=st.integers(2, 4),
    tokens=st.integers(4, 60),
    ending=st.floats(0.0, 0.3),
    seed=st.integers(0, 2**16),
)
def test_leaves_are_distinct_share_what_their_paths_share_and_keep_to_the_budget(
    depth, branching, tokens, ending, seed
):
    grown = grow(Babbler(ending), seed, depth=depth, branching=branching, tokens=tokens)
    leaves = list(grown.leaves())
    assert len(leaves) <= branching**depth
    assert len({leaf.text for leaf in leaves}) == len(leaves)
    for leaf in leaves:
        assert leaf.tokens <= tokens
        assert len(leaf.text.split()) <= tokens
        assert leaf.finished or len(leaf.path) == depth
    for a in leaves[:8]:
        for b in leaves[:8]:
            characters, tokens = shared_prefix(a, b)
            assert characters <= common_prefix(a.text, b.text)
            assert tokens == len(a.text[:characters].split())
            if a is not b and a.path[:1] == b.path[:1]:
                assert shared_prefix(a, b)[0] > 0
    assert Grown.of_record(grown.record()) == grown


def test_a_tree_that_never_ends_by_itself_has_all_its_leaves():
    leaves = list(grow(Babbler(0.0), depth=3, branching=3, tokens=60).leaves())
    assert len(leaves) == 27
    assert not any(leaf.finished for leaf in leaves)


def test_segments_end_at_separators_where_there_are_some():
    words = ["a", "b", "c", "d", "e", "f", "g", "h", "stop.\n"]
    options = {"depth": 2, "branching": 2, "tokens": 160, "separators": (".\n",)}
    grown = grow(Babbler(0.0, words), temperature=1.0, **options)
    first = [node for node in grown.nodes if len(node.path) == 1]
    assert all(node.text.endswith(".") for node in first)  # no blank, which the next word begins
    assert all(node.tokens == len(node.text.split()) for node in first)


def test_siblings_that_come_out_alike_are_drawn_again_warmer():
    babbler = Babbler(0.0, ["same", "same", "same", "other", "third", "fourth"])
    grown = grow(babbler, depth=1, branching=4, tokens=3, temperature=0.5, alike=1.0)
    assert max(request.temperature for request in babbler.asked) > 0.5
    assert len({leaf.text for leaf in grown.leaves()}) > 1
    assert grown.dropped["duplicate"] > 0


def test_failures_and_empty_texts_warm_nothing():
    for generator in (Failing(0.5), Silent()):
        grow(generator, depth=3, branching=2, tokens=30, alike=1.0)
        assert {request.temperature for request in generator.asked} == {0.8}


@pytest.mark.parametrize("topology", ["chain", "tree"])
def test_children_that_failed_are_drawn_by_the_next_run(topology):
    class OneAtATime(Babbler):
        def extend(self, prompt, requests):
            drawn = super().extend(prompt, requests)
            lost = Continuation("", 0, False, "down")
            return [family[:1] + [lost] * (len(family) - 1) for family in drawn]

    def step(generator, seed, begun=None):
        growth = Growth(depth=2, branching=3, tokens=24, attempts=1)
        rng = np.random.default_rng(seed)
        if topology == "chain":
            growing = chain_growing("Say", 5, generator, growth, rng, begun)
        else:
            growing = tree_growing("Say", generator, growth, rng, begun)
        return grow_together(["Say"], [growing], generator)[0]

    cut = step(OneAtATime(0.0), 1)
    assert cut.lacking
    assert len(list(cut.leaves())) == 1
    grown = step(Babbler(0.0), 2, cut)
    assert not grown.incomplete
    assert len(list(grown.leaves())) == {"chain": 5, "tree": 9}[topology]
    assert set(cut.nodes) < set(grown.nodes)
    assert len({node.path for node in grown.nodes}) == len(grown.nodes)


def test_what_fails_to_be_extended_and_a_budget_cut_are_told():
    class Weak(Babbler):
        def say(self, rng, request):
            if len(request.prefix.split()) == 24:
                return Continuation("", 0, False, "down")
            return super().say(rng, request)

    grown = grow(Weak(0.0), depth=1, branching=2, tokens=24, unfinished="extend")
    assert grown.problems == ("down",)
    assert grown.dropped["failed"] == 2
    assert not list(grown.leaves())
    growth = Growth(depth=1, branching=2, tokens=24, unfinished="extend")
    growing = tree_growing("Say", Babbler(0.0), growth, np.random.default_rng(9), grown)
    (whole,) = grow_together(["Say"], [growing], Babbler(0.0))
    assert [leaf.tokens for leaf in whole.leaves()] == [36, 36]
    assert not whole.incomplete
    short = grow(Babbler(0.0, context=17), depth=2, branching=2, tokens=32)
    assert short.problems == ("the prompt left room for 16 of 32 tokens",)


def test_a_generator_that_repeats_itself_gives_one_leaf_and_says_what_was_dropped():
    grown = grow(Babbler(0.0, ["same"]), depth=2, branching=3, tokens=8)
    assert len(list(grown.leaves())) == 1
    assert grown.dropped["duplicate"] >= 2


def test_a_silent_generator_gives_no_leaves():
    grown = grow(Silent(), depth=2, branching=2, tokens=8)
    assert not grown.nodes
    assert grown.dropped["empty"] > 0


def test_failures_are_drawn_again_and_told():
    grown = grow(Failing(0.4), depth=2, branching=2, tokens=20)
    assert len(list(grown.leaves())) >= 2
    assert grown.dropped["failed"] > 0
    assert grown.problems == ("timed out",)


@pytest.mark.parametrize("unfinished", ["keep", "drop", "extend"])
@pytest.mark.parametrize("level", [1, 2])
def test_what_an_outage_cut_off_is_no_response_and_grows_on_from_there(level, unfinished):
    class Out(Babbler):
        def say(self, rng, request):
            if len(request.prefix.split()) == 8 * level:
                return Continuation("", 0, False, "down")
            return super().say(rng, request)

    def step(generator, seed, begun=None):
        growth = Growth(depth=3, branching=2, tokens=24, alike=1.0, unfinished=unfinished)
        growing = tree_growing("Say", generator, growth, np.random.default_rng(seed), begun)
        return grow_together(["Say"], [growing], generator)[0]

    words = "abcdefghij"  # no separators: every segment has its 8 words
    cut = step(Out(0.02, words), 4)
    assert cut.problems == ("down",)
    assert {(len(path), count) for path, count in cut.lacking} == {(level, 2)}
    assert all(leaf.finished for leaf in cut.leaves())  # those that ended before the outage
    assert Grown.of_record(json.loads(json.dumps(cut.record()))) == cut
    generator = Babbler(0.02, words)
    grown = step(generator, 5, cut)
    assert not grown.incomplete
    assert not grown.problems
    if unfinished == "drop":
        assert all(leaf.finished for leaf in grown.leaves())
    else:
        assert set(cut.nodes) < set(grown.nodes)
        assert len(list(grown.leaves())) > len(list(cut.leaves()))
    assert all(len(one.prefix.split()) >= 8 * level for one in generator.asked)  # none anew


@pytest.mark.parametrize("unfinished", ["keep", "drop", "extend"])
def test_unfinished_leaves(unfinished):
    grown = grow(Babbler(0.03), depth=2, branching=3, tokens=24, unfinished=unfinished, seed=3)
    leaves = list(grown.leaves())
    kept = list(grow(Babbler(0.03), depth=2, branching=3, tokens=24, seed=3).leaves())
    cut = [leaf for leaf in kept if not leaf.finished]
    assert cut
    if unfinished == "keep":
        assert leaves == kept
    elif unfinished == "drop":
        assert [leaf for leaf in kept if leaf.finished] == leaves
        assert grown.dropped["unfinished"] == len(cut)
    else:
        longer = {leaf.path: leaf.text for leaf in leaves}
        assert all(longer[leaf.path].startswith(leaf.text) for leaf in cut)
        assert any(len(longer[leaf.path]) > len(leaf.text) for leaf in cut)


def test_the_budget_shrinks_to_the_room_there_is_and_too_little_is_an_error():
    grown = grow(Babbler(0.0, context=17), depth=2, branching=2, tokens=32)
    assert max(leaf.tokens for leaf in grown.leaves()) <= 16
    nothing = grow(Babbler(0.0, context=5), depth=2, branching=2, tokens=32)
    assert not nothing.nodes
    assert "room for 4 tokens" in nothing.problems[0]


def test_the_same_seed_grows_the_same():
    assert grow(seed=5) == grow(seed=5)
    assert grow(seed=5) != grow(seed=6)


@given(seed=st.integers(0, 1000), count=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_chain_pairs_use_each_response_once(seed, count):
    rng = np.random.default_rng(seed)
    growing = chain_growing("Say", 2 * count, Babbler(0.1), Growth(tokens=20), rng)
    (grown,) = grow_together(["Say"], [growing], Babbler(0.1))
    pairs = chain_pairs(grown, count, rng)
    used = [leaf.path for pair in pairs for leaf in (pair.a, pair.b)]
    assert len(set(used)) == len(used)
    assert all(pair.shared == 0 for pair in pairs)


def test_tree_pairs_are_uniform_over_the_pairs_of_leaves():
    grown = grow(Babbler(0.0), depth=2, branching=2, tokens=40)
    rng = np.random.default_rng(0)
    counts: dict[frozenset, int] = {}
    for _ in range(3000):
        (pair,) = tree_pairs(grown, 1, rng)
        key = frozenset((pair.a.path, pair.b.path))
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 6
    expected = 500.0
    chi2 = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi2 < 20.5  # the 99.9 % point at 5 degrees of freedom


def test_suffixes_follow_the_common_prefix():
    grown = grow(Babbler(0.0), depth=3, branching=2, tokens=40)
    for pair in tree_pairs(grown, 20, np.random.default_rng(0)):
        assert pair.b.text[: pair.shared] == pair.a.text[: pair.shared]
        assert pair.a.text[pair.shared :] != pair.b.text[pair.shared :]


@pytest.mark.parametrize(
    "wrong",
    [
        {"depth": 0},
        {"branching": 1},
        {"tokens": 2, "depth": 3},
        {"temperature": -1.0},
        {"temperature": 2.0},
        {"warming": 0.5},
        {"alike": 0.0},
        {"unfinished": "forget"},
        {"attempts": 0},
    ],
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        Growth(**wrong)
