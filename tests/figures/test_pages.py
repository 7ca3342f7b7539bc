"""The report and the site in a real browser: every internal link leads somewhere, nothing errs."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from ibn.figures import convergence, rates
from ibn.figures.gallery import draw
from ibn.figures.ledger_evidence import read as read_evidence
from ibn.figures.measurements import read
from ibn.figures.report import Provenance, render
from ibn.proofs_check import ledger

ROOT = Path(__file__).parents[2]

# Goes to every anchor of the page itself, and lists those at which nothing is to be seen.
FOLLOW = """async hashes => {
    const lost = [];
    for (const hash of hashes) {
        history.replaceState(null, '', location.pathname);
        location.hash = hash;
        await new Promise(done => setTimeout(done, 0));
        const target = document.getElementById(decodeURIComponent(hash.slice(1)));
        if (!target || !target.checkVisibility()) lost.push(hash);
    }
    return lost;
}"""
LINKS = "[...document.querySelectorAll('a[href]')].map(e => e.href)"


def crawl(browser, start):
    """Open a page and all that it leads to beside it; list pages, complaints and broken links."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints, broken = [], []
    page.on("console", lambda message: complaints.append((page.url, message.text)))
    page.on("pageerror", lambda error: complaints.append((page.url, str(error))))
    page.on("requestfailed", lambda request: complaints.append((page.url, request.url)))
    # What lies elsewhere is not asked for: the network is no part of this.
    page.route(lambda url: url.startswith("http"), lambda route: route.fulfill(body=""))
    root = start.parent.as_uri() + "/"
    wanted, seen = [start.as_uri()], {}
    anchors = {}
    while wanted:
        url = wanted.pop()
        if not path_of(url).is_file():  # told below
            continue
        page.goto(url)
        seen[url] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
        for link in page.evaluate(LINKS):
            target, _, anchor = link.partition("#")
            if target.startswith(root):
                anchors.setdefault(target, {}).setdefault(anchor, url)
                if target not in seen and target not in wanted and target.endswith(".html"):
                    wanted.append(target)
        own = sorted({"#" + name for name in anchors.get(url, ()) if name})
        broken += [f"{url}{lost}" for lost in page.evaluate(FOLLOW, own)]
    page.close()
    return seen, complaints, broken + missing(anchors, seen)


def path_of(url):
    return Path(unquote(urlparse(url).path))


def missing(anchors, seen):
    """List links to files that are not there, and to anchors that their pages lack."""
    lost = []
    for target, names in anchors.items():
        if not path_of(target).is_file():
            lost.append(target)
        elif target in seen:
            lost += [
                f"{origin}: {target}#{name}"
                for name, origin in names.items()
                if name and unquote(name) not in seen[target]
            ]
    return lost


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the site that $SITE names, or one built for this test."""
    if "SITE" in os.environ:
        return Path(os.environ["SITE"]).resolve()
    for extension in ("furo", "myst_nb", "sphinx_design", "sphinx-mathjax-offline"):
        pytest.importorskip(extension)
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(ROOT / "docs")]
    subprocess.run([*build, str(folder)], check=True)
    return folder


def test_the_site_holds_together(site, browser):
    seen, complaints, broken = crawl(browser, site / "index.html")
    names = {Path(url).name for url in seen}
    assert {"index.html", "gallery.html", "claims.html", "api.html", "benchmarks.html"} <= names
    assert complaints == []
    assert broken == []


def test_the_site_typesets_formulas_without_a_network(site, browser):
    page = browser.new_page()
    page.route(lambda url: url.startswith("http"), lambda route: route.abort())
    for name in ("notation", "claims", "machine_checked"):
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_selector("mjx-container")
        assert page.evaluate("[...document.querySelectorAll('mjx-merror')].length") == 0
        assert "\\(" not in page.inner_text("article")
        assert "\\[" not in page.inner_text("article")
    page.close()


def test_the_evidence_that_the_site_draws_is_that_of_the_verdicts_on_record():
    claims = read_evidence(ROOT / "docs" / "claims.json")
    assert {claim["id"]: claim["verdict"] for claim in claims}.items() <= ledger.recorded().items()
    assert rates.gather(claims)
    assert convergence.gather(claims)


@pytest.fixture
def report(sweep, evidence, records, tmp_path):
    rows = read(sweep())
    pictures = draw(("network", "ratio", "rates", "wins"), rows, tmp_path, evidence)
    page = tmp_path / "report.html"
    made = Provenance("ibn reproduce", "sweep.csv", "2026-01-01")
    page.write_text(render(pictures, rows, made, evidence, {"P9": "fails"}))
    return page


def test_the_report_holds_together(report, browser):
    _, complaints, broken = crawl(browser, report)
    assert complaints == []
    assert broken == []
    for width in (1280, 390):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(report.as_uri())
        inside, outside = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        page.close()
        assert inside <= outside


def test_a_broken_link_and_an_error_are_found(report, browser):
    text = report.read_text().replace('id="made"', 'id="else"')
    text = text.replace("</body>", '<a href="gone.html">gone</a><script>lost()</script></body>')
    report.write_text(text)
    _, complaints, broken = crawl(browser, report)
    assert len(complaints) == 1
    assert "lost is not defined" in complaints[0][1]
    assert {one.rpartition("/")[2] for one in broken} >= {"report.html#made", "gone.html"}
