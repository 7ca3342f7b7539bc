import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ibn.cli import main
from ibn.leaderboard.names import shown


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("gpt-4[2024]", "gpt-4[2024]"),
        (":smile:", ":smile:"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc", r"a\nb\tc"),
        ("abc\u202edef", r"abc\u202edef"),
        ("\u200e\u2066x", r"\u200e\u2066x"),
        ("模型-é-🤖", "模型-é-🤖"),
        ("\u2028", r"\u2028"),
    ],
)
def test_names_are_as_they_are_and_harmless(name, seen):
    assert shown(name) == seen


@given(st.text())
def test_nothing_that_controls_a_terminal_is_shown(name):
    assert all(x.isprintable() or x == "\u200d" for x in shown(name) if x < "\ue000")
    assert "\n" not in shown(name)


def test_names_are_harmless_on_the_terminal_and_on_the_page(tmp_path):
    # The last has a letter that no font of the figures has: no warning says so.
    names = ["[b]x[/b]", "\x1b[2J$x_1$", "<script>alert(1)</script>", "\u202eevil", "🙂"]
    rows = [
        json.dumps({"model_a": x, "model_b": y, "winner": w})
        for x in names
        for y in names
        for w in ("model_a", "model_b", "tie")
        if x != y
    ]
    file, page = tmp_path / "b.jsonl", tmp_path / "b.html"
    file.write_text("\n".join(rows))
    printed = CliRunner().invoke(main, ["rank", str(file), "--probes", "--out", str(page)]).stdout
    for text in (printed, page.read_text()):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "[b]x[/b]" in printed
    assert "<script>alert" not in page.read_text()
    document = json.loads(CliRunner().invoke(main, ["rank", str(file), "--json"]).stdout)
    assert {row["name"] for row in document["items"]} == set(names)
