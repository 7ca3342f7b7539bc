import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ibn.plurals import count_of, plural

IBN = Path(__file__).parents[1] / "ibn"


@given(st.integers(0, 10**7))
def test_one_is_one_and_all_others_are_many(number):
    written = count_of(number, "prompt")
    count, noun = written.split(" ")
    assert int(count.replace(",", "")) == number
    assert noun == plural(number, "prompt") == ("prompt" if number == 1 else "prompts")


def test_no_other_place_makes_plurals_of_its_own():
    """A number written before a plural in one piece is wrong where the number is one."""
    fixed = re.compile(r"len\([^{}]*\):,\} [a-z]+s\b|'s'\[|\{'' if [^{}]* == 1 else 's'\}")
    found = [path.name for path in IBN.rglob("*.py") if fixed.search(path.read_text())]
    assert [name for name in found if name != "plurals.py"] == []
