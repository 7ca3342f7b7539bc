import re
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import stats

import ibn.figures.gallery
from ibn.figures import ratio
from ibn.figures.bottom_line import bottom_line
from ibn.figures.formulas import formula_image
from ibn.figures.gallery import NAMES, draw
from ibn.figures.measurements import read, worlds
from ibn.figures.report import Provenance, finding, render, summary
from ibn.figures.typeset import plus_minus
from ibn.proofs_check import ledger

MADE = Provenance("ibn reproduce --out 'a <b>'", "sweep.csv", "2026-01-01")


class Page(HTMLParser):
    """Collects what a page refers to, and checks that its tags nest."""

    void = ("meta", "link", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.sources, self.open, self.text = [], [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        self.open += [tag] if tag not in self.void else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch):
    """Write empty pictures: drawing is the gallery's, and slow."""

    def empty(figure, name, printing):
        return dict.fromkeys(("svg", "png"), b"<svg/>")

    monkeypatch.setattr(ibn.figures.gallery, "printed", empty)


@pytest.fixture
def page(sweep, tmp_path):
    def make(*tables, claims=(), on_record=None):
        rows = np.concatenate([read(sweep(**values)) for values in tables])
        pictures = draw((), rows, tmp_path / "figures", claims)
        return rows, render(pictures, rows, MADE, claims, on_record)

    return make


def test_the_page_needs_nothing_else_and_leads_to_every_row(page, evidence, records):
    rows, text = page({}, claims=evidence, on_record={"P9": "fails"})
    found = Page(text)
    assert len(found.sources) == len(NAMES) - len(re.findall("not drawn, for", text))
    assert all(source.startswith("data:image/svg+xml;base64,") for source in found.sources)
    assert {link for link in found.links if not link.startswith(("#", "data:"))} == {
        "https://arxiv.org/abs/2402.10184"
    }
    assert "url(" not in text
    assert "<script" not in text
    assert len(found.ids) == len(set(found.ids))
    assert set(rows["task"]) <= set(found.ids)
    inner = [link[1:] for link in found.links if link.startswith("#")]
    assert set(inner) <= set(found.ids)
    # Topologies, sizes and inferences in the tables of curves alone.
    assert len(set(inner) & set(rows["task"])) >= 4 * 3 * 2
    assert {"P5", "M3", "record-validation-hh"} <= set(inner)


def test_numbers_are_those_of_the_rows(page):
    rows, text = page({})
    chosen = rows[
        (rows["topology"] == "tree") & (rows["n"] == 1000) & (rows["inference"] == "path")
    ]
    margin = stats.t.ppf(0.975, 1) * chosen["mean"].std(ddof=1) / np.sqrt(2)
    expected = plus_minus(chosen["mean"].mean(), margin)
    assert f'<a href="#{chosen["task"][0]}">{expected}</a>' in text
    assert "ibn reproduce --out &#39;a &lt;b&gt;&#39;" in text
    assert repr(float(chosen["mean"][0])) in text


def test_each_world_has_a_section_and_all_an_overview(page):
    _, text = page({}, {"beta": 1.0, "task": "again"})
    assert 'id="overview"' in text
    assert text.count('<figure id="scaling-') == text.count('<figure id="ratio-') == 2
    assert len(re.findall('<details class="world">', text)) == 1
    assert text.count("<details") == text.count("</details>")
    assert "β = 1," in text


def test_verdicts_are_computed_or_on_record(page, evidence):
    _, text = page({}, claims=evidence, on_record={"P9": "fails", "P5": "holds"})
    assert '<a href="#P5">P5</a> <span class="fails">fails</span>' in text
    assert '<a href="#P9">P9</a> <span class="fails">fails, on record</span>' in text
    assert "P9</b> <span" in text
    assert "not decided for this page" in text
    assert 'E6 <span class="open">not in the ledger</span>' in text


def test_what_is_not_there_is_said_in_its_place(page):
    _, text = page({})
    assert "<b>The table of rates" in text
    assert "needs one of the claims P5 to P9" in text


def test_finding_follows_the_numbers(sweep):
    def told(rows):
        ((world, part),) = worlds(rows)
        return finding(ratio.fits(part, world))

    rows = read(sweep())
    assert told(rows).count("the tree leaves less uncertainty") == 2
    assert "depends on" not in told(rows)
    rows["mean"][(rows["topology"] == "chain") & (rows["inference"] == "exact")] *= 0.1
    assert "the chain leaves less uncertainty" in told(rows)
    assert "depends on the inference" in told(rows)
    assert told(read(sweep(mean=0.5))).count("neither") == 2


def test_summary(sweep, tmp_path):
    rows = read(sweep())
    said = summary(draw((), rows, tmp_path), rows)
    assert said["rows"] == len(rows)
    assert len(said["figures"]) == 2 * len({path.stem for path in tmp_path.glob("*.svg")})
    ratio = [fit for fit in said["fits"] if fit["figure"] == "ratio"]
    assert [(fit["inference"], fit["n"]) for fit in ratio] == [("path", 10_000), ("exact", 10_000)]
    assert ratio[0]["measured"][0] == pytest.approx(1.5)
    ((world, _),) = worlds(rows)
    assert ratio[0]["beta"] == world.beta


def test_the_bottom_line_is_read_off_the_verdicts(page, evidence):
    """P5 fails in one sense and holds in another, E3 is this project's; then all of it turns."""
    for claim in evidence:
        paper = claim["id"] in ("M3", "P5", "P7")
        claim["source"] = "paper, Table 2" if paper else "this project"
        claim["latex"] = r"\mathbb E[d] \le F(n)"
        claim["readings"] = [
            {
                "reading": name,
                "verdict": verdict,
                "counts": True,
                "why": f"{name} since",
                "latex": "x",
            }
            for name, verdict in (("tight", claim["verdict"]), ("upper", "holds"))
        ]
    line = bottom_line(evidence)
    assert [one.id for one in line.survived] == ["M3", "P7"]
    assert [(one.id, one.says, one.why) for one in line.failed] == [("P5", "tight", "tight since")]
    assert [(one.id, one.says) for one in line.as_bounds] == [("P5", "upper")]
    assert [one.id for one in line.replaced] == ["E3"]
    _, text = page({}, claims=evidence)
    assert text.index("What survived") < text.index("What failed") < text.index("What replaces it")
    assert text.index("What replaces it") < text.index("<figure")
    assert "tight since" in text
    for claim in evidence:
        claim["verdict"] = "undecided"
    line = bottom_line(evidence)
    assert [one.id for one in line.open] == ["M3", "P5", "P7", "E3"]
    assert line.survived == line.failed == line.replaced == ()


def test_every_formula_of_the_ledger_can_be_drawn():
    for build in ledger.claims().values():
        claim = build()
        for latex in filter(None, (claim.latex, *(reading.latex for reading in claim.readings))):
            assert formula_image(latex).startswith("data:image/svg+xml;base64,")
