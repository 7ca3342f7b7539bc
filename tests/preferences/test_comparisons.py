import numpy as np
import pytest

from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons


def test_comparisons_count_and_use_responses():
    comparisons = Comparisons(np.array(["w", "x", "y", "z"]), [0, 1, 0], [1, 2, 1])
    assert len(comparisons) == 3
    assert comparisons.uses.tolist() == [2, 3, 1, 0]
    assert comparisons.a.dtype == comparisons.b.dtype == np.int64
    assert comparisons.delta is None
    assert comparisons.winner is None


def test_no_comparisons_are_comparisons_too():
    comparisons = Comparisons(np.arange(3), [], [])
    assert len(comparisons) == 0
    assert comparisons.uses.tolist() == [0, 0, 0]


def test_labels_are_put_on_the_same_comparisons():
    bare = Comparisons(np.arange(3), [0, 1], [1, 2])
    labelled = bare.labelled(delta=np.array([0.5, -1.0]))
    assert labelled.delta.tolist() == [0.5, -1.0]
    assert labelled.a is not None
    assert np.array_equal(labelled.a, bare.a)
    assert bare.delta is None
    assert labelled.labelled(winner=np.array([1, -1], np.int8)).winner.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("a", "b", "problem"),
    [
        ([0, 1], [1], "1 entries for 2"),
        ([0], [3], "outside the list"),
        ([-1], [0], "outside the list"),
        ([0, 2], [1, 2], "comparison 1 compares a response with itself"),
    ],
)
def test_bad_comparisons_are_refused(a, b, problem):
    with pytest.raises(InputError, match=problem):
        Comparisons(np.arange(3), a, b)


@pytest.mark.parametrize("label", ["delta", "winner"])
def test_labels_of_the_wrong_number_are_refused(label):
    with pytest.raises(InputError, match=f"{label} has 2 entries for 1 comparisons"):
        Comparisons(np.arange(3), [0], [1], **{label: np.array([1, -1])})
