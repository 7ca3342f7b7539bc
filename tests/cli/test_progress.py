import pytest

from ibn.cli import progress
from ibn.cli.progress import Display


def test_without_a_terminal_a_plain_line_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 9.0, 30.0, 31.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
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
