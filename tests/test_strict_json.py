import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.strict_json import dumps, loads

numbers = st.floats() | st.integers() | st.booleans() | st.none() | st.text()
documents = st.recursive(
    numbers, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner)
)


def refuse(constant):
    raise ValueError(constant)


@given(documents)
def test_every_reader_of_json_reads_what_is_written(document):
    found = json.loads(dumps(document), parse_constant=refuse)
    assert found == json.loads(json.dumps(document), parse_constant=lambda constant: None)


def test_options_are_those_of_json():
    assert dumps({"b": float("nan"), "a": "é"}, sort_keys=True, ensure_ascii=False) == (
        '{"a": "é", "b": null}'
    )
    with pytest.raises(TypeError):
        dumps({"a": object()})


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "1" * 5_000, b"\xff"])
def test_whatever_is_wrong_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        loads(text)
