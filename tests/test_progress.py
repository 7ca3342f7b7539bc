import io
import re
import sys

import pytest

from ibn import progress
from ibn.progress import Display, Stages, telling


@pytest.fixture
def clock(monkeypatch):
    """Set what the clock shows, reading by reading."""

    def show(*seconds):
        left = iter(seconds)
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(left))

    return show


def test_without_a_terminal_a_plain_line_now_and_then(capsys, clock):
    clock(0.0, 1.0, 9.0, 30.0, 31.0)
    with Display() as display:
        for ended in range(4):  # told only of the third, 30 seconds in
            display(ended, 4, ended / 4)
    assert capsys.readouterr() == ("", "2 of 4 tasks, about 30 s left\n")
    assert display.total == 4


@pytest.mark.parametrize(
    ("seconds", "told"), [(59.4, "59 s"), (60, "1 min"), (3599, "59 min"), (7300, "2 h 1 min")]
)
def test_durations(seconds, told):
    assert progress._duration(seconds) == told


SHARES = {"embedding": 0.1, "tying": 0.2, "prior": 0.3, "layouts": 0.7}
MESSAGES = (
    *("embedding", "tying 9", "prior"),
    *("layouts, draw 1 of 3", "layouts, draw 2 of 3", "layouts, draw 3 of 3"),
)


def test_a_stage_is_a_line_with_the_time_left(capsys, clock):
    clock(0.0, 5.0, 20.0, 35.0, 91.0, 95.0, 102.0)
    with Stages(SHARES) as tell:
        for message in MESSAGES:
            tell(message)
    # Of nine tenths from the first stage on, one was done after 15 seconds; the second of three
    # draws came within ten seconds of a line, the third did not.
    assert capsys.readouterr().err.splitlines() == [
        "   5.0 s  embedding",
        "  20.0 s  tying 9, about 2 min left",
        "  35.0 s  prior, about 1 min left",
        "  91.0 s  layouts, draw 1 of 3, about 43 s left",
        " 102.0 s  layouts, draw 3 of 3, about 12 s left",
    ]


@pytest.mark.parametrize(("level", "lines"), [("quiet", 0), ("usual", 4), ("verbose", 6)])
def test_how_much_is_told(capsys, level, lines):
    with Stages(SHARES, level) as tell:
        for message in MESSAGES:
            tell(message)
        tell.say("report in x.html")
    err = capsys.readouterr().err.splitlines()
    assert len(err) == lines + (level != "quiet")
    assert (err[-1:] == ["report in x.html"]) == (level != "quiet")


def test_steps_that_are_numbered_say_the_time_left_of_their_stage(capsys, clock):
    clock(0.0, 0.0, 30.0, 40.0, 60.0)
    with Stages(level="verbose") as tell:
        for message in ("fitting", "choosing", "comparison 17 of 33", "comparison 33 of 33"):
            tell(message)
    assert [line[10:] for line in capsys.readouterr().err.splitlines()] == [
        "fitting",
        "choosing",
        "comparison 17 of 33, about 11 s left",
        "comparison 33 of 33, about 1 s left",
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("no_color", [False, True])
def test_on_a_terminal_one_line_changes_and_is_wiped_off(monkeypatch, no_color):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("NO_COLOR", "1" if no_color else "")
    with Stages(SHARES) as tell:
        for message in MESSAGES:
            tell(message)
        tell.say("[bold]report[/] in x.html")
    drawn = stream.getvalue()
    assert "layouts, draw 3 of 3" in drawn
    assert "\x1b[2K" in drawn  # lines are wiped
    assert "[bold]report[/] in x.html\n" in drawn
    assert drawn.count("\n") < len(MESSAGES)
    assert bool(re.search(r"\x1b\[(3[0-8]|9[0-7])[;m]", drawn)) != no_color


def test_what_a_function_is_given_as_progress(capsys):
    heard = []
    for given in (False, True, heard.append):
        with telling(given) as tell:
            tell("fitting")
    assert heard == ["fitting"]
    assert capsys.readouterr().err == "   0.0 s  fitting\n"
