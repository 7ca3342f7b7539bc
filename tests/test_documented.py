"""What the pages of the documentation show in Python runs, and gives what they say."""

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "{doctest}" in path.read_text("utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_says_what_python_gives(path):
    blocks = re.findall(r"```\{doctest\}\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, path.stem, str(path), 0)
    assert len(test.examples) > 2
    said = []
    doctest.DocTestRunner().run(test, out=said.append)
    assert not said, "".join(said)


def test_there_are_such_pages():
    assert {"seams", "python", "gate"} <= {path.stem for path in PAGES}
