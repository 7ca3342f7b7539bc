"""Every file format gives the same records, and every broken file one error with its place."""

from __future__ import annotations

import builtins
import gzip
import json
from pathlib import Path

import pytest

from ibn.errors import InputError, MissingExtra
from ibn.preferences import files, tables
from ibn.preferences.files import read_records
from ibn.preferences.reading import read_preferences
from ibn.preferences.writing import write_records

RECORDS = [
    {"prompt": "p", "chosen": "x, “quoted”\r\nand more", "rejected": "y"},
    {"prompt": "p\n", "chosen": "", "rejected": '"'},
]
FORMATS = ["jsonl", "json", "csv", "parquet", "jsonl.gz", "json.gz", "csv.gz", "parquet.gz"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_formats(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    write_records(path, RECORDS)
    assert [record for _, record in read_records(path)] == RECORDS
    assert len(read_preferences(path).comparisons) == 2


def test_gzip_is_known_by_its_first_bytes(tmp_path):
    write_records(tmp_path / "p.jsonl.gz", RECORDS)
    path = (tmp_path / "p.jsonl.gz").rename(tmp_path / "p.jsonl")
    assert len(read_preferences(path).comparisons) == 2


LINE = json.dumps(RECORDS[0])
TWO = f"{LINE}\n{json.dumps(RECORDS[1])}"


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("p.jsonl", f"\n{LINE}\n  \r\n{LINE}", [2, 4]),
        ("p.jsonl", f"\ufeff{LINE}\n", [1]),
        ("p.ndjson", f"{LINE}\r\n{LINE}\r\n", [1, 2]),
        ("p.json", f"[{LINE},\n\n{LINE}\n]\n", [1, 3]),
        ("p.json", f'\ufeff{{"data":\n[{LINE}, {LINE}], "version": 1}}', [2, 2]),
        ("p.json", f'{{"version": {{"a": [1, 2]}}, "data": [\n{LINE}]}}', [2]),
        ("p.json", TWO, [1, 2]),
        ("p.json", json.dumps(RECORDS[0], indent=2) + "\n" + LINE, [1, 6]),
        ("p.csv", 'prompt,chosen,rejected\np,"x\n\ny",z\n\np,a,b\n', [2, 6]),
        ("P.CSV", "\ufeffprompt,chosen,rejected\r\np,x,y\r\n", [2]),
    ],
)
def test_lines(tmp_path, name, content, lines):
    path = tmp_path / name
    path.write_bytes(content.encode())
    assert read_preferences(path).lines.tolist() == lines


def test_json_longer_than_a_chunk(tmp_path):
    records = [{"prompt": f"p{i}", "chosen": "é" * 900 * i, "rejected": "y"} for i in range(1, 150)]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    assert [record for _, record in read_records(path)] == records


def test_json_in_csv_cells(tmp_path):
    path = tmp_path / "p.csv"
    talk = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "x"}]
    other = [talk[0], {"role": "assistant", "content": "y"}]
    write_records(path, [{"chosen": talk, "rejected": other}])
    assert read_preferences(path).responses == ["x", "y"]
    write_records(path, [{"prompt": "p", "responses": ["x", "y"], "scores": [1, 2.5]}])
    assert read_preferences(path).responses == ["y", "x"]


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("p.jsonl", b"", None, "the file is empty"),
        ("p.jsonl", b"\n \n", None, "no records"),
        ("p.jsonl.gz", gzip.compress(b"", mtime=0), None, "no records"),
        ("p.csv", b"chosen,rejected\n", None, "no records"),
        ("p.json", b"[]", None, "no records"),
        ("p.json", b" ", None, "no records"),
        ("p.json", b'{"data": []}', None, "no records"),
        ("p.txt", b"x", None, "unknown file format"),
        ("p", b"x", None, "unknown file format"),
        ("p.jsonl", TWO[:-9].encode(), 2, "JSON is cut off"),
        ("p.jsonl", TWO[:-1].encode(), 2, "JSON is cut off"),
        ("p.jsonl", LINE.replace(":", ";", 1).encode(), 1, "malformed JSON.*at column 10"),
        ("p.jsonl", f"{LINE} {LINE}".encode(), 1, "malformed JSON: Extra data"),
        ("p.jsonl", b"[" * 10**5, 1, "nested too deeply"),
        ("p.jsonl", b'{"a": ' + b"9" * 5000 + b"}", 1, "malformed JSON"),
        ("p.jsonl", f"{LINE}\n\xe9".encode("latin-1", "replace"), 2, "not UTF-8 text: byte 0xe9"),
        ("p.jsonl", LINE.encode("utf-16"), 1, "not UTF-8"),
        ("p.jsonl.gz", LINE.encode(), None, "named .gz and is not gzipped"),
        ("p.json", f"[{LINE},\n{LINE}".encode(), 2, "JSON is cut off"),
        ("p.json", f"[{LINE},\n{LINE[:-5]}".encode(), 2, "JSON is cut off"),
        ("p.json", f"[{LINE}\n{LINE}]".encode(), 2, "malformed JSON: '{' instead of"),
        ("p.json", f"[{LINE}]\n[".encode(), 2, r"'\[' after the end of the document"),
        ("p.json", f"[{LINE},\n3]".encode(), 2, "no JSON object"),
        ("p.json", f"[{LINE},\n\xff]".encode("latin-1", "replace"), 2, "not UTF-8"),
        ("p.json", b'[{"chosen": "x",\n\n"rejected": y}]', 3, "malformed JSON: Expecting value"),
        ("p.json", b'{"data": [' + b"[" * 10**5, 1, "nested too deeply"),
        ("p.json", b"{" * 3, 1, "malformed JSON"),
        ("p.json", b'{"a"', 1, "JSON is cut off"),
        ("p.json", b'"text"', 1, "no JSON object"),
        ("p.csv", b"chosen,rejected\nx,y\nx,y,z\n", 3, "3 fields under 2 columns"),
        ("p.csv", b"chosen,rejected\n\nx\n", 3, "1 fields under 2 columns"),
        ("p.csv", b'chosen,rejected\nx,y\n"x,y\nz\n', 3, "malformed CSV"),
        ("p.csv", b'chosen,rejected\n"x"x,y\n', 2, "malformed CSV"),
        ("p.csv", b"chosen,chosen\nx,y\n", 1, "2 columns are named 'chosen'"),
        ("p.csv", b"chosen;rejected\nx;y\n", 2, "no preferences in the columns 'chosen;rejected'"),
        ("p.csv", b"chosen,rejected\nx,\xff\n", 2, "not UTF-8"),
        ("p.parquet", b"PAR1", None, "unreadable Parquet"),
        ("p.parquet", b"PAR1" + b"\0" * 99 + b"PAR1", None, "unreadable Parquet"),
    ],
)
def test_a_broken_file(tmp_path, name, content, line, problem):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        read_preferences(path)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", FORMATS[4:])
def test_broken_gzip(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    write_records(path, RECORDS * 50)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="the gzip stream is cut off"):
        read_preferences(path)
    path.write_bytes(whole[:40] + bytes([whole[40] ^ 255]) + whole[41:])
    with pytest.raises(InputError, match=f"{suffix}.*: "):
        read_preferences(path)
    path.write_bytes(whole[:-8] + b"checksum")
    with pytest.raises(InputError, match="the gzip stream is corrupt"):
        read_preferences(path)


def test_paths_that_are_no_files(tmp_path):
    for path, problem in [
        (tmp_path / "none.jsonl", "no such file"),
        (tmp_path, "a directory"),
        ("/dev/null", "not a regular file"),
        (tmp_path / ("x" * 300 + ".jsonl"), "cannot be read: file name too long"),
        ("a\0b.jsonl", "cannot be read"),
        ("data/none.jsonl", "no such file"),  # not taken for a name on the hub
    ]:
        with pytest.raises(InputError, match=problem):
            read_preferences(path)


def test_missing_packages_are_named(tmp_path, monkeypatch):
    real_import = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in {"pyarrow", "datasets"}:
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    (tmp_path / "state.json").write_text("{}")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"Parquet needs the package pyarrow.*ibn\[parquet\]"):
        read_preferences(tmp_path / "p.parquet")
    with pytest.raises(MissingExtra, match="needs the package pyarrow"):
        write_records(tmp_path / "q.parquet", RECORDS)
    for name in (tmp_path, "owner/name", "owner/name:test"):
        with pytest.raises(MissingExtra, match=r"needs the package datasets.*ibn\[datasets\]"):
            read_preferences(name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.parquet", "state.json"]


def test_saved_datasets(tmp_path):
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_list(RECORDS)
    table.save_to_disk(tmp_path / "one")
    datasets.DatasetDict(train=table, test=table).save_to_disk(tmp_path / "two")
    assert [record for _, record in read_records(tmp_path / "one")] == RECORDS
    assert [record for _, record in read_records(tmp_path / "two" / "test")] == RECORDS
    with pytest.raises(InputError, match=r"several splits.*two/train or .*two/test"):
        read_preferences(tmp_path / "two")


def test_times_are_passed_over(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.Table.from_pylist(RECORDS)
    times = pyarrow.array([1, 2], pyarrow.timestamp("ns"))  # Python's own have no nanoseconds
    parquet.write_table(table.append_column("at", times), tmp_path / "p.parquet")
    assert [record for _, record in read_records(tmp_path / "p.parquet")] == RECORDS


@pytest.mark.parametrize(
    ("name", "start", "repeated"),
    [
        ("p.jsonl.gz", b'{"chosen": "', b"x" * 2**16),
        ("p.json.gz", b'[{"chosen": "', b"x" * 2**16),
        ("p.json.gz", b'{"version": "', b"x" * 2**16),
        ("p.csv.gz", b'chosen,rejected\n"', b"x" * 2**16),
        ("p.csv.gz", b'chosen,rejected\n"', b"x\n" * 2**15),
        ("p.csv.gz", b"chosen,rejected\n", b'"x\n",' * 2**13),
    ],
)
def test_memory_is_bounded(tmp_path, monkeypatch, name, start, repeated):
    """A small file that unpacks to a record without end is given up, wherever the end might be."""
    monkeypatch.setattr(files, "MAX_RECORD", 2**20)
    monkeypatch.setattr("ibn.preferences.json_stream.MAX_RECORD", 2**20)
    monkeypatch.setattr("ibn.preferences.source.MAX_RECORD", 2**20)
    path = tmp_path / name
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(start)
        for _ in range(64):
            stream.write(repeated)
    with pytest.raises(InputError, match="of more than 1 MiB"):
        read_preferences(path)


def test_reading_stops_at_the_first_error_without_reading_on(tmp_path):
    path: Path = tmp_path / "p.jsonl"
    path.write_text(f"{LINE}\nnot JSON\n" + "also not\n" * 10**5)
    records = read_records(path)
    assert next(records)[0] == 1
    with pytest.raises(InputError, match=":2: "):
        next(records)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.jsonl.gz", b"\n" * 2**21),
        ("p.jsonl", LINE.encode() + b"\n" * 2**21),
        ("p.csv.gz", b"prompt,chosen,rejected\n" + b"\n" * 2**21),
    ],
)
def test_blank_lines_are_not_read_for_ever(tmp_path, monkeypatch, name, content):
    monkeypatch.setattr(files, "MAX_RECORD", 2**20)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(InputError, match="more than 1 MiB of blank lines in a row"):
        read_preferences(path)


def test_a_gzipped_file_unpacks_to_so_much_and_no_more(tmp_path, monkeypatch):
    path = tmp_path / "p.jsonl.gz"
    line = f"{LINE}\n".encode()
    path.write_bytes(gzip.compress(line * 100))
    monkeypatch.setattr("ibn.preferences.source.MAX_UNPACKED", 100 * len(line))
    assert len(list(read_records(path))) == 100
    monkeypatch.setattr("ibn.preferences.source.MAX_UNPACKED", 100 * len(line) - 1)
    with pytest.raises(InputError, match=r":100: unpacks to more than .*unpack it first"):
        list(read_records(path))


def test_few_rows_of_a_repeated_long_text_are_unpacked_at_once(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "p.parquet"
    text = pyarrow.array(["word " * 2**16])
    chosen = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 128, pyarrow.int32()), text)
    parquet.write_table(pyarrow.table({"chosen": chosen, "rejected": ["no"] * 128}), path)
    monkeypatch.setattr(tables, "MAX_BATCH", 2**20)
    sizes, to_rows = [], tables.table_rows

    def watched(batches, *names):
        return to_rows((sizes.append(batch.nbytes) or batch for batch in batches), *names)

    monkeypatch.setattr(tables, "table_rows", watched)
    assert len(list(read_records(path))) == 128
    assert max(sizes) <= 2**20
    monkeypatch.setattr(tables, "MAX_GROUP", 2**18)
    with pytest.raises(InputError, match="write the file with smaller row groups"):
        list(read_records(path))


def test_a_name_nearly_right_is_suggested(tmp_path):
    (tmp_path / "pairs.jsonl").touch()
    with pytest.raises(InputError, match=r"no such file \(did you mean '.*pairs.jsonl'\?\)"):
        list(read_records(tmp_path / "pairs.json"))
    with pytest.raises(InputError, match=r"no such file$"):
        list(read_records(tmp_path / "nowhere" / "pairs.json"))
