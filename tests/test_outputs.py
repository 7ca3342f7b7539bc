"""A file is written whole or not at all, and no input is lost."""

import os
import stat
import subprocess
import sys
import time

import pytest

from ibn.errors import InputError
from ibn.outputs import check_file, keep_inputs, making, write_text, writing
from ibn.preferences.replacing import keep_labels


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


def test_a_pipe_that_nobody_reads_is_refused_and_one_that_is_read_gets_all(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="nobody reads this pipe"):
        write_text(pipe, "gone")
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    text = "x" * 5_000  # fits into a pipe
    for _ in range(200):  # the reader starts
        try:
            write_text(pipe, text)
            break
        except InputError:
            time.sleep(0.02)
    assert reader.communicate(timeout=20)[0] == text.encode()


def test_a_full_device_and_a_folder_are_named_in_the_error(tmp_path):
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device: '.*full'"):
        write_text(link, "gone")
    with pytest.raises(OSError, match="Is a directory"):
        write_text(tmp_path, "gone")


def test_a_file_that_may_not_grow_leaves_the_earlier_one(tmp_path):
    (tmp_path / "out.txt").write_text("earlier")
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))\n"
        "from ibn.outputs import write_text\nwrite_text('out.txt', 'x' * 1000)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert "File too large: 'out.txt'" in found.stderr
    assert (tmp_path / "out.txt").read_text() == "earlier"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_name_need_not_be_utf_8(tmp_path):
    path = os.fsencode(tmp_path) + b"/odd-\xff.txt"
    write_text(os.fsdecode(path), "x")
    write_text(os.fsdecode(path), "y")
    assert os.listdir(os.fsencode(tmp_path)) == [b"odd-\xff.txt"]
    with open(path) as file:
        assert file.read() == "y"


def test_what_is_in_an_input_folder_is_kept_and_two_outputs_are_two(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "data.jsonl").write_text("labels")
    with pytest.raises(InputError, match="replace an input"):
        keep_inputs(tmp_path / "saved" / "data.jsonl", [tmp_path / "saved"])
    keep_inputs(tmp_path / "saved" / "new.jsonl", [tmp_path / "saved", None])
    with pytest.raises(InputError, match="replace an input"):
        keep_inputs(tmp_path / "new", [tmp_path / "." / "new"])
    with pytest.raises(InputError, match="no name of a file"):
        check_file("-")


def test_a_folder_is_made_whole_or_not_at_all(tmp_path):
    def torn():
        with making(tmp_path / "model") as folder:
            (folder / "config.json").write_text("{}")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        torn()
    assert os.listdir(tmp_path) == []
    with making(tmp_path / "model") as folder:
        (folder / "config.json").write_text("{}")
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "in.jsonl", "--out", "OUT"),
        ("audit", "in.jsonl", "--recheck", "OUT"),
        ("audit", "in.jsonl", "--embeddings", "OUT", "--out", "OUT"),
        ("plan", "in.jsonl", "--budget", 2, "--out", "OUT"),
        ("plan", "in.jsonl", "in.jsonl", "--budget", 2, "--out", "n.jsonl", "--prompts", "OUT"),
        ("plan", "in.jsonl", "--budget", 2, "--out", "n.jsonl", "--prompts", "n.jsonl"),
        ("plan", "in.jsonl", "--budget", 2, "--candidates", "OUT", "--out", "OUT"),
        ("convert", "in.jsonl", "--out", "OUT"),
        ("embed", "in.jsonl", "--out", "OUT"),
        ("rank", "in.jsonl", "--out", "OUT"),
        ("replay", "in.jsonl", "--budget", 2, "--figure", "OUT"),
        ("grow", "in.jsonl", "--model", "m", "--out", "OUT"),
        ("check", "P2", "--page", "claims-graph.svg"),
    ],
)
def test_no_verb_writes_over_what_it_reads(ibn, tmp_path, monkeypatch, arguments, link):
    monkeypatch.chdir(tmp_path)
    text = '{"prompt": "P", "chosen": "good", "rejected": "bad"}\n'
    (tmp_path / "in.jsonl").write_text(text)
    out = "in.jsonl"
    if link:
        out = {"embed": "l.npy", "rank": "l.html", "replay": "l.svg"}.get(arguments[0], "l.jsonl")
        os.link("in.jsonl", out)
    status, said, err = ibn(*(out if one == "OUT" else one for one in arguments))
    assert (status, said) == (2, "")
    assert err.strip().splitlines()[-1].startswith("ibn: ")
    assert (tmp_path / "in.jsonl").read_text() == text
    assert sorted(os.listdir()) == sorted({"in.jsonl", out})


LABELLED = '{"prompt": "P", "response_a": "x", "response_b": "y", "winner": "a"}\n'


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (LABELLED, "1 label there would be lost"),
        (LABELLED.replace('"a"', '"left, I think"'), "1 label there would be lost"),
        (LABELLED.replace(', "winner": "a"', ""), "something other than planned pairs"),
        ('{"prompt": "P", "chosen": "x", "rejected": "y"}\n', "something other than planned"),
        ("notes of mine\n", "a file stands there that cannot be read"),
        (LABELLED.replace('"a"', '""'), None),
        ("", None),
    ],
)
def test_plans_replace_only_plans_without_labels(tmp_path, held, message):
    path = tmp_path / "next.jsonl"
    path.write_text(held)
    if message is None:
        keep_labels(str(path))
    else:
        with pytest.raises(InputError, match=message):
            keep_labels(str(path))


def test_convert_loses_no_label(ibn, tmp_path):
    path, other, out = (tmp_path / f"{name}.jsonl" for name in ("in", "other", "out"))
    path.write_text('{"prompt": "P", "chosen": "x", "rejected": "y"}\n')
    other.write_text(path.read_text() + '{"prompt": "Q", "chosen": "u", "rejected": "v"}\n')
    for source in (path, path, other, other):  # each has all that stood there
        assert ibn("convert", source, "--out", out)[0] == 0
    before = out.read_bytes()
    status, _, err = ibn("convert", path, "--out", out)
    assert status == 2
    assert "1 label there would be lost" in err
    assert out.read_bytes() == before
