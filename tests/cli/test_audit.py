"""``ibn audit`` end to end: figures, report, exit status and errors."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

from ibn.cli import main

WORDS = ["red", "green", "blue", "warm", "cold", "sweet", "sour", "bitter", "loud", "calm"]


@pytest.fixture(scope="module")
def prefs(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("audit") / "prefs.jsonl"
    with path.open("w") as file:
        for i in range(30):
            chosen, rejected = (" ".join(rng.choice(WORDS, 6)) for _ in range(2))
            record = {"prompt": f"<b>Question</b> {i // 2}?", "chosen": chosen}
            file.write(json.dumps({**record, "rejected": rejected}) + "\n")
    return path


class Page(HTMLParser):
    """Tables, text, images and links of a page."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.text, self.images, self.tags = [], "", [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "img":
            self.images.append(dict(attributes))

    def handle_data(self, data):
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def audited(prefs, tmp_path_factory):
    """Audit once; return the page and what was written on standard output and error."""
    report = tmp_path_factory.mktemp("report") / "report.html"
    arguments = ["audit", str(prefs), "--replicates", "2", "--json", "--out", str(report)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.stderr
    return report, done.stdout, done.stderr


def test_report_document_and_terminal_agree(ibn, prefs, audited):
    report, out, err = audited
    found = json.loads(out)
    assert (found["comparisons"], found["prompts"], found["responses"]) == (30, 15, 60)
    assert found["reuse"] == {"mean": 1.0, "responses_by_uses": {"1": 60}}
    assert found["components"]["comparisons"] == 30
    assert "report in" in err

    page = Page(report.read_text())
    cells = {row[0].strip(): row[1:] for row in page.rows if row}
    within = found["uncertainty"]["after_labels"]["within_prompt"]
    across = found["uncertainty"]["after_labels"]["across_prompts"]
    shown = [float(cell) for cell in cells["this data"]]
    means = [pairs[what]["mean"] for what in ("variance", "distance") for pairs in (within, across)]
    np.testing.assert_allclose(shown, means, atol=5e-3)
    for name, left in found["topologies"].items():
        mean, error = map(float, cells[name][0].split("±"))
        assert mean == pytest.approx(left["within_prompt"]["variance"]["mean"], abs=6e-4)
        assert error == pytest.approx(left["within_prompt"]["variance"]["stderr"], abs=6e-4)

    status, out, _ = ibn("audit", prefs, "--replicates", 2)
    assert status == 0
    text = " ".join(out.split())
    assert "30 comparisons of 60 responses to 15 prompts" in text
    assert f"{within['variance']['mean']:.3f}" in text
    assert "Question" not in text


def test_report_is_self_contained(audited):
    page = Page(audited[0].read_text())
    assert len(page.images) == 9
    for image in page.images:
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        drawing = base64.b64decode(data).decode()
        assert "<svg" in drawing
        assert not re.search(r'(href|src)="(?!#|data:)', drawing)
        assert image["alt"]
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "link") or attributes.get("rel") == "icon"
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    assert "Question" not in page.text  # texts may offend; none is quoted unasked


@pytest.mark.parametrize("records", ["one prompt", "two prompts a record"])
def test_report_of_unusual_shapes(ibn, tmp_path, records):
    path, report = tmp_path / "prefs.jsonl", tmp_path / "report.html"
    with path.open("w") as file:
        for i in range(4):
            record = {"response_a": f"yes {i}", "response_b": f"no {i}", "winner": "tie"}
            prompts = {"prompt_a": f"what is {i}?", "prompt_b": f"who is {i}?"}
            if records == "one prompt":
                prompts = {"prompt": "what?"}
            file.write(json.dumps({**prompts, **record}) + "\n")
    status, out, _ = ibn("audit", path, "--replicates", 2, "--show-texts", "--out", report)
    assert status == 0
    assert "–" in out
    page = Page(report.read_text())
    assert len(page.images) == 6
    assert "(4 ties)" in page.text


def test_texts_are_quoted_on_request_and_escaped(ibn, prefs, tmp_path):
    report = tmp_path / "report.html"
    status, out, _ = ibn("audit", prefs, "--replicates", 2, "--show-texts", "--out", report)
    assert status == 0
    assert "<b>Question</b>" in out
    page = Page(report.read_text())
    assert "<b>Question</b>" in page.text
    assert "<b>Question" not in report.read_text()


def test_same_seed_same_document(ibn, prefs):
    first, second = (
        json.loads(ibn("audit", prefs, "--replicates", 2, "--seed", 7, "--json")[1])
        for _ in range(2)
    )
    assert {**first, "seconds": 0} == {**second, "seconds": 0}
    other = json.loads(ibn("audit", prefs, "--replicates", 2, "--seed", 8, "--json")[1])
    assert first["topologies"] != other["topologies"]


def test_gate(ibn, prefs):
    status, out, err = ibn("audit", prefs, "--replicates", 2, "--json", "--max-variance", 0.1)
    gate = json.loads(out)["gate"]
    assert status == 1
    assert gate["passed"] is False
    assert "is above 0.1" in err.splitlines()[-1]
    above = gate["variance"] * 1.001
    assert ibn("audit", prefs, "--replicates", 2, "--max-variance", above)[0] == 0


def test_the_gate_looks_where_it_is_told(ibn, prefs, tmp_path):
    arguments = ("audit", prefs, "--replicates", 2, "--json", "--max-variance", 100)
    status, out, _ = ibn(*arguments, "--max-variance-of", "across")
    document = json.loads(out)
    across = document["uncertainty"]["after_labels"]["across_prompts"]["variance"]["mean"]
    assert status == 0
    assert document["gate"] == {
        "max_variance": 100.0,
        "of": "across",
        "variance": across,
        "stderr": 0.0,
        "passed": True,
    }
    status, _, err = ibn("audit", prefs, "--max-variance-of", "across")
    assert (status, "give a limit" in err) == (2, True)
    one = tmp_path / "one.jsonl"
    one.write_text(GOOD)
    status, _, err = ibn("audit", one, "--max-variance", 1, "--max-variance-of", "across")
    assert (status, "no two responses are across prompts" in err) == (2, True)


def test_near_duplicates_are_merged_on_request(ibn, tmp_path):
    path = tmp_path / "prefs.jsonl"
    pairs = [("Yes.", "no"), ("YES", "maybe"), ("never", "no!")]
    records = [{"prompt": "p", "chosen": x, "rejected": y} for x, y in pairs]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    np.save(tmp_path / "e.npy", np.random.default_rng(0).normal(size=(6, 3)))
    arguments = ("audit", path, "--replicates", 2, "--json", "--embeddings", tmp_path / "e.npy")
    apart = json.loads(ibn(*arguments)[1])
    merged = json.loads(ibn(*arguments, "--merge-near-duplicates")[1])
    assert (apart["responses"], apart["near_duplicates"]["responses"]) == (6, 2)
    assert (merged["responses"], merged["near_duplicates"]["responses"]) == (4, 0)
    assert merged["components"]["comparisons"] == 1


def test_embeddings_decide_who_is_similar(ibn, prefs, tmp_path):
    path = tmp_path / "e.npy"
    np.save(path, np.random.default_rng(0).normal(size=(60, 5)))
    status, out, _ = ibn(
        "audit", prefs, "--embeddings", path, "--replicates", 2, "--neighbours", 4, "--json"
    )
    assert status == 0
    assumptions = json.loads(out)["assumptions"]
    assert assumptions["embedding"] == "e.npy"
    assert (assumptions["dimensions"], assumptions["neighbours"]) == (5, 4)


def truncated_gzip(path):
    with gzip.open(path, "wt") as file:
        for i in range(400):
            file.write(json.dumps({"chosen": f"yes {i}", "rejected": f"no {i * i}"}) + "\n")
    path.write_bytes(path.read_bytes()[:300])


GOOD = '{"prompt": "p", "chosen": "yes", "rejected": "no"}\n'


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("empty.jsonl", "", "empty.jsonl"),
        ("cut.jsonl", GOOD + '{"prompt": "p", "cho', "cut.jsonl:2"),
        ("missing.jsonl", GOOD + '{"prompt": "p", "chosen": "yes"}\n', "missing.jsonl:2"),
        ("self.jsonl", GOOD + GOOD.replace("no", "yes"), "self.jsonl:2"),
        ("cut.jsonl.gz", truncated_gzip, "cut.jsonl.gz:"),
        ("none.jsonl", None, "none.jsonl"),
    ],
)
def test_bad_files(ibn, tmp_path, name, content, place):
    path = tmp_path / name
    if callable(content):
        content(path)
    elif content is not None:
        path.write_text(content)
    status, out, err = ibn("audit", path, "--strict")
    assert (status, out) == (2, "")
    assert err.startswith("ibn: ")
    assert err.count("\n") == 1
    assert place in err


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        (np.zeros((59, 3)), "e.npy: 59 rows of embeddings for 60 distinct responses"),
        (np.full((60, 3), np.nan), "e.npy: row 0"),
        (np.zeros(60), "e.npy: embeddings of shape (60,)"),
    ],
)
def test_bad_embeddings(ibn, prefs, tmp_path, matrix, problem):
    path = tmp_path / "e.npy"
    np.save(path, matrix)
    status, out, err = ibn("audit", prefs, "--embeddings", path)
    assert (status, out) == (2, "")
    told = [line for line in err.splitlines() if line.startswith("ibn: ")]
    assert len(told) == 1
    assert problem in told[0]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--beta", 0], "beta must be positive"),
        (["--bias-scale", "nan"], "bias scale must be positive"),
        (["--noise", "logistik"], "did you mean 'logistic'?"),
        (["--neighbours", 0], "--neighbours"),
        (["--seed", -1], "--seed"),
        (["--metric", "cosin"], "did you mean 'cosine'?"),
        (["--replicates", 1], "1 is not in the range 2<=x<=1000"),
        (["--max-variance", -1], "must not be negative"),
        (["--column", "prompt"], "NAME=THEIRS"),
        (["--column", "promt=x"], "did you mean 'prompt'?"),
        (["--out", "no/such/place/report.html"], "no such directory"),
    ],
)
def test_bad_options(ibn, prefs, options, problem):
    status, out, err = ibn("audit", prefs, *options)
    assert (status, out) == (2, "")
    told = [line for line in err.splitlines() if line.startswith("ibn: ")]
    assert len(told) == 1
    assert problem in told[0]


def test_skipping_comparisons_of_a_response_with_itself(ibn, tmp_path):
    path = tmp_path / "self.jsonl"
    path.write_text(GOOD + GOOD.replace("no", "yes"))
    status, out, _ = ibn("audit", path, "--replicates", 2, "--json")
    assert status == 0
    assert json.loads(out)["comparisons"] == 1


def test_help_shows_examples_a_line_each(ibn):
    _, out, _ = ibn("audit", "--help")
    assert "  ibn audit preferences.jsonl --out report.html\n" in out


def test_the_report_never_replaces_an_input(ibn, prefs, tmp_path):
    before = prefs.read_bytes()
    link = tmp_path / "report.html"
    link.symlink_to(prefs)
    for out in (prefs, link):
        status, _, err = ibn("audit", prefs, "--out", out)
        assert status == 2
        assert "would replace an input" in err
    assert prefs.read_bytes() == before
