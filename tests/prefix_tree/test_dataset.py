import json

import numpy as np
import pytest
from prefix_tree.generators import Babbler, Failing, Interrupted, Silent, Together

from ibn.errors import InputError
from ibn.preferences.files import read_records
from ibn.preferences.reading import read_preferences
from ibn.preferences.writing import write_records
from ibn.prefix_tree.dataset import DatasetPlan, grow_dataset, with_filled_in, write_dataset
from ibn.prefix_tree.generator import Continuation
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.journal import Journal
from ibn.prefix_tree.judging import ByScore, PairVerdict
from ibn.prefix_tree.prompts import Prompt, read_prompts

PROMPTS = [Prompt(f"Say {i}", {"prompt": f"Say {i}"}, i + 1) for i in range(6)]
GROWTH = Growth(depth=2, branching=2, tokens=24)


def by_length(prompt, responses):
    return [float(len(response)) for response in responses]


JUDGE = ByScore(by_length)


def grow(path, generator=None, judge=JUDGE, prompts=PROMPTS, **plan):
    plan = DatasetPlan(**{"growth": GROWTH, "pairs": 3, **plan})
    return grow_dataset(prompts, generator or Babbler(), judge, plan, path)


@pytest.mark.parametrize("topology", ["tree", "chain"])
def test_a_dataset_reads_back_as_preferences(tmp_path, topology):
    dataset = grow(tmp_path / "j", topology=topology)
    write_dataset(tmp_path / "prefs.jsonl", dataset)
    data = read_preferences(tmp_path / "prefs.jsonl")
    assert len(data.comparisons) == len(dataset.records) <= 3 * len(PROMPTS)
    for record in dataset.records:
        assert len(record["chosen"]) > len(record["rejected"])
        shared = record["common_prefix"]
        assert record["chosen"][:shared] == record["rejected"][:shared]
        assert (shared == 0) or topology == "tree"
    assert dataset.read <= dataset.read_whole
    uses = data.comparisons.uses
    assert (uses.max() == 1) == (topology == "chain")


def test_an_annotator_of_a_tree_reads_less_and_it_adds_up(tmp_path):
    dataset = grow(tmp_path / "j", judge=None)
    shared = sum(record["common_prefix_tokens"] for record in dataset.records)
    assert shared > 0
    assert dataset.read == dataset.read_whole - 2 * shared


@pytest.mark.parametrize("at", range(1, 13))
def test_an_interrupted_run_goes_on_to_the_same_dataset(tmp_path, at):
    whole = grow(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path / "j", Interrupted(at))
    second = Babbler()
    assert grow(tmp_path / "j", second) == whole
    first_calls = 12
    assert second.calls < first_calls or at <= 2  # what was grown is not grown again


def test_prompts_side_by_side_give_the_same_dataset(tmp_path):
    together = Together()
    assert grow(tmp_path / "together", together) == grow(tmp_path / "alone")
    assert together.rounds < together.calls / 2


class Dying(Together):
    """Gives nothing at first, then grows, and dies where told."""

    def __init__(self, silent, at=10**9):
        super().__init__()
        self.silent, self.at = silent, at

    def extend_all(self, asked):
        if self.calls >= self.at:
            raise KeyboardInterrupt
        if self.silent:
            return [
                [[Continuation("", 0, False, "down")] * r.count for r in requests]
                for _, requests in asked
            ]
        return super().extend_all(asked)


class Killed:
    """A judge that dies."""

    def judge(self, prompt, pairs):
        raise KeyboardInterrupt


def test_what_failed_first_and_was_killed_when_grown_again_goes_on(tmp_path):
    whole = grow(tmp_path / "whole", Together())
    grow(tmp_path / "j", Dying(silent=True))
    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path / "j", Together(), judge=Killed())
    assert grow(tmp_path / "j", Together()) == whole


@pytest.mark.parametrize("at", [1, 5, 9])
def test_a_run_interrupted_within_a_block_goes_on_to_the_same_dataset(tmp_path, at):
    whole = grow(tmp_path / "whole", Together())
    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path / "j", Dying(silent=False, at=at))
    assert grow(tmp_path / "j", Together()) == whole


def test_a_file_of_others_is_left_as_it_is(tmp_path):
    for content in (b"my notes, one line", b"my notes\nin two", b'{"format": "other"}\nhalf'):
        path = tmp_path / "j"
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a line of a growth journal"):
            grow(path)
        assert path.read_bytes() == content


def test_a_journal_torn_at_any_byte_loses_only_its_last_entry(tmp_path):
    whole = grow(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    rng = np.random.default_rng(0)
    for cut in [*rng.integers(0, len(data), 12), 0, 1, len(data) - 1]:
        torn = tmp_path / f"torn{cut}"
        torn.write_bytes(data[:cut])
        assert grow(torn) == whole


def test_other_settings_and_other_files_are_refused(tmp_path):
    grow(tmp_path / "j")
    with pytest.raises(InputError, match="begun with pairs = 3, not 2"):
        grow(tmp_path / "j", pairs=2)
    assert grow(tmp_path / "j", ties="random")  # ties are dealt with afterwards
    (tmp_path / "other").write_text("prompt,chosen\n")
    before = (tmp_path / "other").read_bytes()
    with pytest.raises(InputError, match=r"other:1: not a line of a growth journal"):
        grow(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == before


def test_two_runs_cannot_write_one_journal(tmp_path):
    with Journal(tmp_path / "j", {}), pytest.raises(InputError, match="another run"):
        Journal(tmp_path / "j", {}).__enter__()


def test_a_failing_generator_is_recorded_and_the_rest_is_kept(tmp_path):
    dataset = grow(tmp_path / "j", Failing(0.3))
    assert dataset.problems["timed out"] > 0
    assert dataset.dropped["failed"] > 0
    assert dataset.records
    silent = grow(tmp_path / "silent", Silent())
    assert not silent.records
    with pytest.raises(InputError, match="no comparison came out of it"):
        write_dataset(tmp_path / "none.jsonl", silent)


def test_prompts_that_the_generator_failed_at_are_tried_again(tmp_path):
    assert not grow(tmp_path / "j", Silent()).records
    assert grow(tmp_path / "j") == grow(tmp_path / "fresh")


def test_trees_cut_off_by_an_outage_grow_on_in_the_next_run(tmp_path):
    class Out(Together):
        def extend_all(self, asked):
            if self.calls >= 8:  # within the second level of the first block
                self.silent = True
            if getattr(self, "silent", False):
                return Dying(silent=True).extend_all(asked)
            return super().extend_all(asked)

    whole = grow(tmp_path / "whole", Together())
    cut = grow(tmp_path / "j", Out())
    assert cut.problems["down"]
    assert cut.incomplete > 0
    assert len(cut.records) < len(whole.records)
    assert not any(
        r["chosen_path"].count("/") < 1 and not r["chosen_finished"] for r in cut.records
    )
    generator = Together()
    mended = grow(tmp_path / "j", generator)
    assert not mended.problems
    assert not mended.incomplete
    assert mended.responses >= whole.responses - 2
    assert mended.tokens >= cut.tokens
    assert any(request.prefix for request in generator.asked[:1])  # goes on from what there is


def test_a_generator_that_is_gone_is_not_asked_for_ever(tmp_path):
    prompts = [Prompt(f"Say {i}", {}, i + 1) for i in range(60)]
    with pytest.raises(InputError, match="failed at 24 prompts in a row: timed out"):
        grow(tmp_path / "j", Failing(1.0), prompts=prompts)
    assert len(grow(tmp_path / "j", Together(), prompts=prompts).records) > 60


def test_a_prompt_longer_than_the_context_is_told_and_the_others_grown(tmp_path):
    prompts = [*PROMPTS, Prompt("word " * 100, {}, 7)]
    dataset = grow(tmp_path / "j", Babbler(context=100), prompts=prompts)
    assert sum("leaves room for" in problem for problem in dataset.problems) == 1
    assert {record["prompt"] for record in dataset.records} == {p.text for p in PROMPTS}


class Nonsense:
    """Answers every other question with nonsense."""

    def judge(self, prompt, pairs):
        return [
            PairVerdict(1) if i % 2 else PairVerdict(None, problem="the judge said 'banana'")
            for i in range(len(pairs))
        ]


def test_a_judge_that_answers_nonsense_costs_only_those_pairs_and_is_asked_again(tmp_path):
    dataset = grow(tmp_path / "j", judge=Nonsense())
    assert dataset.problems["the judge said 'banana'"] == dataset.dropped["not judged"]
    assert len(dataset.records) == dataset.comparisons - dataset.dropped["not judged"]
    assert grow(tmp_path / "j") == grow(tmp_path / "fresh")


def test_a_corrected_reference_is_judged_again(tmp_path):
    class ByReference:
        def judge(self, prompt, pairs):
            return [PairVerdict(prompt.record["sign"]) for _ in pairs]

    def prompts(sign):
        return [Prompt(f"Say {i}", {"sign": sign if i == 2 else 1}, i + 1) for i in range(4)]

    first = grow(tmp_path / "j", judge=ByReference(), prompts=prompts(1))
    again = grow(tmp_path / "j", judge=ByReference(), prompts=prompts(-1))
    turned = [
        one["prompt"]
        for one, other in zip(first.records, again.records, strict=True)
        if one["chosen"] == other["rejected"]
    ]
    assert set(turned) == {"Say 2"}


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_what_people_filled_in_survives_another_run(tmp_path, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"pairs.{ending}"
    write_dataset(path, grow(tmp_path / "j", judge=None, prompts=PROMPTS[:3]))
    rows = [dict(row) for _, row in read_records(str(path))]
    for i, row in enumerate(rows):
        row["winner"] = "ab"[i % 2] if i else ""  # the first is not labelled
        row["annotator"] = f"person {i}"
    write_records(path, rows)
    write_dataset(path, with_filled_in(path, grow(tmp_path / "j", judge=None)))
    again = [dict(row) for _, row in read_records(str(path))]
    for name in ("prompt", "response_a", "winner", "annotator"):
        assert [row[name] for row in again[: len(rows)]] == [row[name] for row in rows]
    assert len(again) > len(rows)
    # Other responses now: what has a label stays.
    other = with_filled_in(path, grow(tmp_path / "k", judge=None, prompts=PROMPTS[:1], seed=1))
    labelled = [row for row in again if row["winner"]]
    assert [row["winner"] for row in other.records[-len(labelled) :]] == [
        row["winner"] for row in labelled
    ]


@pytest.mark.parametrize("ties", ["drop", "keep", "random"])
def test_ties(tmp_path, ties):
    dataset = grow(tmp_path / "j", judge=ByScore(lambda prompt, r: [1.0] * len(r)), ties=ties)
    if ties == "drop":
        assert dataset.dropped["tie"] == dataset.comparisons
        return
    write_dataset(tmp_path / "p.jsonl", dataset)
    winner = read_preferences(tmp_path / "p.jsonl").comparisons.winner
    assert set(winner.tolist()) == ({0} if ties == "keep" else {1})
    assert len(winner) == dataset.comparisons


def test_without_a_judge_the_pairs_are_for_people_to_label(tmp_path):
    dataset = grow(tmp_path / "j", judge=None)
    write_dataset(tmp_path / "p.jsonl", dataset)
    with pytest.raises(InputError):
        read_preferences(tmp_path / "p.jsonl")
    assert len(read_preferences(tmp_path / "p.jsonl", labelled=False).comparisons) == 18
    lines = (tmp_path / "p.jsonl").read_text().splitlines()
    (tmp_path / "done.jsonl").write_text(
        "\n".join(json.dumps({**json.loads(line), "winner": "b"}) for line in lines)
    )
    done = read_preferences(tmp_path / "done.jsonl")
    assert (set(done.comparisons.winner.tolist()), set(done.swapped.tolist())) == ({1}, {True})


def test_the_order_and_number_of_prompts_do_not_change_what_is_grown(tmp_path):
    few = grow(tmp_path / "few", prompts=PROMPTS[3:5])
    many = grow(tmp_path / "many")
    texts = {record["prompt"] for record in few.records}
    assert few.records == [record for record in many.records if record["prompt"] in texts]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"topology": "treee"}, "did you mean 'tree'"),
        ({"ties": "dropp"}, "did you mean 'drop'"),
        ({"pairs": 0}, "at least 1"),
        ({"pairs": 7}, "4 leaves have no 7 pairs"),
    ],
)
def test_a_plan_out_of_range_is_refused(wrong, match):
    with pytest.raises(InputError, match=match):
        DatasetPlan(**{"growth": GROWTH, **wrong})


def test_prompts_are_read_once_each_with_their_records(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"question": "1+1?", "answer": "2"}\n{"question": "1+1?"}\n{"question": "2?"}')
    prompts = read_prompts(path)
    assert [p.text for p in prompts] == ["1+1?", "2?"]
    assert prompts[0].record["answer"] == "2"
    (shown, *_) = read_prompts(path, template="Q: {{ question }} A:", most=1)
    assert shown.text == "Q: 1+1? A:"
    with pytest.raises(InputError, match=r"p.jsonl:1: the template does not fit"):
        read_prompts(path, template="{{ nothing }}")
    path.write_text('{"text": "x"}')
    with pytest.raises(InputError, match=r"p.jsonl:1: no prompt among the fields text"):
        read_prompts(path)
    path.write_text('{"prompt": 3}')
    with pytest.raises(InputError, match=r"p.jsonl:1: prompt is no text"):
        read_prompts(path)
