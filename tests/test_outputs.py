"""A file is written whole or not at all, and no input is lost."""

import os
import stat
import subprocess
import sys

import pytest

from ibn.errors import InputError
from ibn.outputs import keep_inputs, write_text, writing


def test_what_was_there_stays_until_all_is_written(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("good")

    def torn():
        with writing(path) as file:
            file.write(b"half")
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        torn()
    assert path.read_text() == "good"
    assert os.listdir(tmp_path) == ["report.html"]


def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "real.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_text(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_new_files_obey_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "new.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == 0o640


def test_no_output_replaces_an_input(tmp_path):
    path, link, hard = (tmp_path / name for name in ("prefs.jsonl", "link", "hard"))
    path.write_text("labels")
    link.symlink_to(path)
    os.link(path, hard)
    for out in (path, link, hard, tmp_path / "." / "prefs.jsonl"):
        with pytest.raises(InputError, match="replace an input"):
            keep_inputs(out, [tmp_path / "other", path])
    keep_inputs(tmp_path / "next.jsonl", [path])


def test_odd_texts_devices_and_folders(tmp_path):
    write_text(tmp_path / "odd", "half a pair: \udc80")
    assert (tmp_path / "odd").read_text() == "half a pair: \\udc80"
    write_text("/dev/null", "gone")
    with pytest.raises(InputError, match="no such directory"):
        write_text(tmp_path / "none" / "x", "x")


def test_a_terminated_process_leaves_nothing_behind(tmp_path):
    code = (
        "import sys, time\nfrom ibn.cli import main\nfrom ibn.outputs import writing\n"
        "import ibn.cli as c\nc.end_on_signals()\n"
        "with writing('out.txt') as file:\n"
        "    file.write(b'half'); print('begun', flush=True); time.sleep(60)\n"
    )
    for signal in ("TERM", "HUP", "INT"):
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        process.stdout.readline()
        subprocess.run(["kill", f"-{signal}", str(process.pid)], check=True)
        assert process.wait(20) != 0
        assert os.listdir(tmp_path) == []
