import pytest

from ibn.errors import InputError, MissingExtra, unknown_name


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({}, "bad"),
        ({"file": "a.csv"}, "a.csv: bad"),
        ({"file": "a.csv", "line": 3}, "a.csv:3: bad"),
        ({"file": "a.csv", "line": 3, "fix": "fix it"}, "a.csv:3: bad (fix it)"),
        ({"fix": "fix it"}, "bad (fix it)"),
    ],
)
def test_an_input_error_is_one_line_that_says_where(where, text):
    error = InputError("bad", **where)
    assert str(error) == text
    assert error.problem == "bad"
    assert (error.file, error.line, error.fix) == tuple(
        where.get(name) for name in ("file", "line", "fix")
    )
    assert isinstance(error, ValueError)


def test_a_missing_extra_names_what_to_install():
    error = MissingExtra("pyarrow", "parquet", "reading Parquet")
    assert isinstance(error, InputError)
    assert str(error) == "reading Parquet needs the package pyarrow (pip install 'ibn[parquet]')"


@pytest.mark.parametrize(
    ("name", "nearest"), [("chian", "chain"), ("tre", "tree"), ("Star", "star"), ("stars", "star")]
)
def test_an_unknown_name_suggests_the_nearest(name, nearest):
    error = unknown_name("topology", name, ("tree", "star", "chain"))
    assert str(error) == f"unknown topology {name!r} (did you mean {nearest!r}?)"


def test_a_name_near_none_gets_the_list():
    error = unknown_name("topology", "qqq", iter(["tree", "chain"]))
    assert str(error) == "unknown topology 'qqq' (known: chain, tree)"
