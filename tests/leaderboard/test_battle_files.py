import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ibn.errors import InputError
from ibn.leaderboard.battle_files import holds_battles, read_battles


@pytest.fixture
def file(tmp_path):
    def write(*records, name="battles.jsonl"):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(x) if isinstance(x, dict) else x for x in records))
        return path

    return write


def battle(winner, **more):
    return {"model_a": "x", "model_b": "y", "winner": winner, **more}


@pytest.mark.parametrize(
    ("winner", "share"),
    [
        ("model_a", 1.0),
        ("B", 0.0),
        ("tie", 0.5),
        ("tie (bothbad)", 0.5),
        ("y", 0.0),
        ("x", 1.0),
        (0.25, 0.25),
        ("0.5", 0.5),
    ],
)
def test_winners_are_read(file, winner, share):
    assert read_battles(file(battle(winner))).battles.outcome[0] == share


@pytest.mark.parametrize("one", [1, "1", 1.0, True])
def test_one_and_nought_are_certain_beside_a_half_alone(file, one):
    beside = read_battles(file(battle(one), battle(0.5), battle(0)))
    assert beside.battles.outcome.tolist() == [1.0, 0.5, 0.0]
    with pytest.raises(InputError, match="not certain which means the first"):
        read_battles(file(battle(one), battle(0)))
    turned = read_battles(file(battle(1), battle(0)), winner={"0": "a", "1": "b"})
    assert turned.battles.outcome.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("winner", ["z", "", None, 2, -1, [1], float("nan")])
def test_other_winners_are_refused_with_their_line(file, winner):
    with pytest.raises(InputError) as error:
        read_battles(file(battle("tie"), battle(winner)))
    assert error.value.line == 2


def test_labels_mean_what_the_user_says_and_nothing_else(file):
    rows = [battle(x) for x in ("won", "lost", "even", "poor", "spam")]
    means = {"won": "a", "lost": "b", "even": "tie", "poor": "both_bad", "spam": "skip"}
    found = read_battles(file(*rows), winner=means)
    assert found.battles.outcome.tolist() == [1.0, 0.0, 0.5, 0.5]
    assert found.battles.both_bad.tolist() == [False, False, False, True]
    assert found.skipped == 1
    for meaning in ("good", "won"):
        with pytest.raises(
            InputError, match=f"--winner won={meaning} .here a meaning is a, b, tie"
        ):
            read_battles(file(*rows), winner={"won": meaning})
    with pytest.raises(InputError, match="no battles: all 5 are left out"):
        read_battles(file(*rows), winner=dict.fromkeys(means, "skip"))


def test_both_bad_is_kept_apart(file):
    found = read_battles(file(battle("tie"), battle("tie (bothbad)"))).battles
    assert_array_equal(found.both_bad, [False, True])


def test_columns_of_all_kinds_are_read(file):
    rows = [
        battle("model_a", weight=2, judge="j", question_id=7, tstamp="2024-05-13", extra=1),
        battle("model_b", weight=0.5, judge="k", question_id=7, tstamp="2024-05-14", extra=1),
    ]
    found = read_battles(file(*rows))
    battles = found.battles
    assert_array_equal(battles.weight, [2.0, 0.5])
    assert battles.keys == {"judge": ["j", "k"], "prompt": ["7"]}
    assert np.diff(battles.times) == 86400
    assert found.unused == ["extra"]
    assert found.columns["time"] == "tstamp"


def test_columns_may_have_other_names(file):
    rows = ["first,second,who,rater", "x,y,x,r"]
    columns = {"model_a": "first", "model_b": "second", "winner": "who", "judge": "rater"}
    found = read_battles(file(*rows, name="b.csv"), columns=columns).battles
    assert found.outcome[0] == 1.0
    assert found.keys["judge"] == ["r"]


def test_covariates_are_contrasts_in_standard_deviations(file):
    rows = [battle("tie", length_a=30, length_b=10), battle("tie", length_a=10, length_b=30)]
    found = read_battles(file(*rows), controls=["length"]).battles.controls["length"]
    assert_array_equal(found, [1.0, -1.0])


def test_preferences_are_battles_of_responses(file):
    found = read_battles(file({"prompt": "p", "chosen": "good", "rejected": "bad"})).battles
    assert list(found.names) == ["good", "bad"]
    assert found.outcome[0] == 1.0


def test_numbers_and_texts_are_the_same_names(file):
    rows = [battle("tie"), {"model_a": 1, "model_b": "1 ", "winner": "tie"}]
    rows.append({"model_a": "1", "model_b": "x", "winner": "tie"})
    assert read_battles(file(*rows)).battles.names == ["x", "y", "1", "1 "]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_a": ""}, "empty name"),
        ({"model_b": None}, "empty name"),
        ({"weight": 0}, "positive"),
        ({"weight": "heavy"}, "not a number"),
        ({"time": "noon"}, "no time"),
        ({"model_a": ["x"]}, "list"),
    ],
)
def test_bad_values_are_refused_with_their_line(file, change, message):
    good = battle("tie", weight=1, time=0)
    with pytest.raises(InputError, match=message) as error:
        read_battles(file(good, good | change))
    assert error.value.line == 2
    assert str(error.value.file).endswith("battles.jsonl")


def test_a_record_without_a_column_is_refused(file):
    with pytest.raises(InputError, match="no winner") as error:
        read_battles(file(battle("tie"), {"model_a": "x", "model_b": "y"}))
    assert error.value.line == 2


def test_battles_are_told_from_preferences(file):
    assert holds_battles(file(battle("tie")))
    assert not holds_battles(file({"prompt": "p", "chosen": "c", "rejected": "r"}))
    answers = {"response_a": "p", "response_b": "q", "model_a": "x", "model_b": "y", "winner": "a"}
    assert not holds_battles(file(answers))
