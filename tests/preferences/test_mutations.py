import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from preferences.made_up_labels import LABELLED, undecidable
from preferences.made_up_shapes import SHAPES
from preferences.mutations import EMPTY, case, judge, outcome, table, tally, tokens_read, write

import ibn
from ibn.errors import InputError

CASES = [case(1, number) for number in range(400)]
READABLE = [one for one in CASES if not one.refuse and one.duels]


def as_data(duels):
    """Give comparisons as a reader would."""
    texts = [text for one in duels for text in (one.a, one.b)]
    places = np.arange(0, len(texts), 2)
    winner = np.array([np.sign(one.share - 0.5) for one in duels])
    pairs = SimpleNamespace(a=places, b=places + 1, winner=winner)
    prompts = [one.prompt for one in duels]
    owners = np.repeat(np.arange(len(duels)), 2)
    return SimpleNamespace(prompts=prompts, responses=texts, prompt_of=owners, comparisons=pairs)


def turned(duels):
    return [replace(one, share=1 - one.share) for one in duels]


def test_the_truth_is_right():
    assert {judge(one, tokens_read(as_data(one.duels))) for one in READABLE} == {"right"}


def test_the_models_of_battles_are_as_right():
    battles = [one for one in CASES if one.models and not one.refuse]
    assert battles
    assert {judge(one, one.models) for one in battles} == {"right"}


def test_a_label_turned_round_is_wrong():
    decided = [one for one in READABLE if any(duel.share != 0.5 for duel in one.duels)]
    assert {judge(one, turned(one.duels)) for one in decided} == {"WRONG"}


def test_one_label_turned_round_among_all_is_wrong():
    for one in READABLE:
        at = next(k for k, duel in enumerate(one.duels) if duel.share != 0.5)
        read = [*one.duels[:at], *turned(one.duels[at : at + 1]), *one.duels[at + 1 :]]
        assert judge(one, read) == "WRONG"


def test_a_tie_read_as_a_win_is_wrong():
    tied = [one for one in READABLE if any(duel.share == 0.5 for duel in one.duels)]
    assert tied
    won = [[replace(duel, share=max(duel.share, 0.6)) for duel in one.duels] for one in tied]
    assert {judge(one, read) for one, read in zip(tied, won, strict=True)} == {"WRONG"}


@pytest.mark.parametrize(
    "forget",
    [
        lambda duels: duels[1:],
        lambda duels: [replace(one, prompt="") for one in duels],
        lambda duels: [*duels, replace(duels[0], a="r99a")],
    ],
)
def test_what_is_missing_or_added_is_lost(forget):
    assert {judge(one, forget(one.duels)) for one in READABLE} == {"lost"}


def test_a_guess_is_wrong_even_where_it_is_lucky():
    undecided = [one for one in CASES if one.refuse not in ("", EMPTY) and one.duels]
    assert undecided
    assert {judge(one, one.duels) for one in undecided} == {"WRONG"}


def guess(path):
    """Read the first of two texts as the better one where the label is a, A, 1 or true."""
    duels = []
    for record in map(json.loads, path.read_text().splitlines()):
        a, b = (text for text in record.values() if str(text).startswith("r"))
        label = next(label for key, label in record.items() if key in ("label", "winner"))
        duels.append(
            SimpleNamespace(prompt="", a=a, b=b, share=float(label in ("a", "A", 1, True)))
        )
    return as_data(duels)


def test_a_reader_that_guesses_is_caught(tmp_path):
    def refuse(path):
        raise InputError("no")

    caught, refused = Counter(), Counter()
    for one in CASES:
        if one.shape in ("Auto-J", "response_a/b") and one.mutations == ["as it is"]:
            path = write(replace(one, format="jsonl"), tmp_path)
            caught[one.shape, outcome(one, path, guess, InputError)] += 1
            refused[outcome(one, path, refuse, InputError)] += 1
    assert {came for shape, came in caught if shape == "Auto-J"} == {"WRONG"}
    assert set(refused) == {"refused"}


def doubtful(codes, *labels, shape="LLMBar", **changes):
    spec = replace(LABELLED[shape], codes=codes, **changes)
    return bool(undecidable(spec, [{spec.labels[0]: label} for label in labels]))


def test_twins_are_undecidable():
    """Two publishers' codes that give the same file for opposite labels."""
    assert not doubtful("1, 2", 1, 2)
    assert doubtful("0, 1", 0, 1)
    assert doubtful("0, 1, 2 tie", 0, 1, 2)
    assert doubtful("1, 2, 0 tie", 0, 1, 2)
    assert not doubtful("1, 2, 0 tie", 1, 2, None, "", float("nan"))
    assert not doubtful("0, 1", 0, 1, shape="response_0/1")
    assert doubtful("1, 0.5, 0", 0, 1)
    assert not doubtful("1, 0.5, 0", 0, 1, 0.5)
    assert not doubtful("P(first)", 0.3, shape="soft labels")
    assert doubtful("P(first)", 0.3, shape="soft labels", labels=("probability",))


def test_a_model_called_as_a_column_is_undecidable():
    spec = replace(LABELLED["response_a/b"], codes="models A, B")
    row = {"model_a": "A", "model_b": "B", "winner": "A"}
    assert not undecidable(spec, [row])
    assert undecidable(spec, [row, {"model_a": "B", "model_b": "A", "winner": "A"}])


def test_the_same_seed_gives_the_same_files():
    assert case(3, 7) == case(3, 7)
    assert case(3, 7) != case(4, 7)


def test_all_shapes_and_mutations_occur():
    cases = [case(2, number) for number in range(1500)]
    assert {one.shape for one in cases} == {*LABELLED, *SHAPES}
    assert {one.format for one in cases} == {"jsonl", "json", "csv", "jsonl.gz", "parquet"}


def test_the_table_counts_every_file():
    counts, wrong = tally(0, range(50), ibn.read_preferences, InputError)
    whole = sum(
        (n for (how, _, kind), n in counts.items() if (how, kind) == ("alone", "all")), Counter()
    )
    assert sum(whole.values()) == 50
    assert "| all | " + "/".join(str(whole[o]) for o in ("right", "refused")) in table(
        counts, "alone"
    )
    assert len(wrong) >= whole["WRONG"] + whole["crashed"]


@pytest.mark.parametrize(
    ("seed", "files"), [(0, 500), pytest.param(1, 3_000, marks=pytest.mark.slow)]
)
def test_no_label_is_read_the_wrong_way_round(seed, files):
    counts, wrong = tally(seed, range(files), ibn.read_preferences, InputError)
    assert sum(n["right"] for n in counts.values()) > 0
    assert not wrong
