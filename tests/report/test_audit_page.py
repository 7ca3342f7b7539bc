"""The report of an audit in a real browser, wide and narrow: what it shows is what was found."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from ibn.cli import main

WORDS = ["red", "green", "blue", "warm", "cold", "sweet", "sour", "bitter", "loud", "calm"]
WIDTHS = {"desk": 1280, "phone": 390}


def write_dataset(path):
    """Write a dataset that fills every section: reuse, quarrels, a circle, near-duplicates."""
    rng = np.random.default_rng(0)
    records = []
    for i in range(100):
        texts = [" ".join(rng.choice(WORDS, 8)) for _ in range(3)]
        for x, y in ((0, 1), (1, 2), (0, 2)):
            flip = rng.random() < 0.2
            chosen, rejected = (texts[y], texts[x]) if flip else (texts[x], texts[y])
            records.append({"prompt": f"Question {i}?", "chosen": chosen, "rejected": rejected})
        if i < 10:
            records.append(
                {
                    **records[-1],
                    "chosen": records[-1]["rejected"],
                    "rejected": records[-1]["chosen"],
                }
            )
            records.append({**records[-2], "chosen": texts[0].upper() + "!"})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Return the page's path and the audit's JSON document, of one run."""
    folder = tmp_path_factory.mktemp("page")
    prefs, page, document = folder / "prefs.jsonl", folder / "report.html", folder / "audit.json"
    write_dataset(prefs)
    with pytest.MonkeyPatch.context() as patch, document.open("w") as out:
        patch.setattr("sys.stdout", out)
        arguments = ["audit", str(prefs), "--replicates", "2", "--max-variance", "0.1"]
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--json", "--out", str(page)])
    assert end.value.code == 1
    return page, json.loads(document.read_text())


@pytest.fixture(params=WIDTHS)
def page(request, browser, audited):
    """Open the report, and check at the end that nothing was complained of or fetched."""
    path, _ = audited
    complaints, fetched = [], []
    opened = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 900})
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: fetched.append(request.url))
    opened.goto(path.as_uri())
    yield opened
    opened.close()
    assert complaints == []
    assert [url for url in fetched if not url.startswith("data:")] == [path.as_uri()]


def wrong_figures(page, document):
    """List the figures that the page shows and the document does not hold."""
    shown = page.evaluate(
        "[...document.querySelectorAll('data[data-key]')].map(e => [e.dataset.key, e.value, "
        "e.textContent, e.nextElementSibling?.tagName == 'SMALL' ? "
        "e.nextElementSibling.textContent : ''])"
    )
    assert len(shown) > 100
    wrong = []
    for key, value, text, error in shown:
        held = document
        for part in key.split("/"):
            held = held[int(part)] if isinstance(held, list) else held[part]
        mean = held["mean"] if isinstance(held, dict) else held
        stderr = held["stderr"] if isinstance(held, dict) else 0.0
        same = float(value) == mean and (bool(error) == bool(stderr))
        for told, number in ((text, mean), (error.removeprefix("± "), stderr)):
            same = same and (not told or agrees(told, number))
        if not same:
            wrong.append((key, value, text, error, mean, stderr))
    return wrong


def agrees(text, number):
    """Whether a text is a number, rounded to the digits it has."""
    text = text.replace("−", "-").replace(",", "").strip()
    percent = text.endswith("%")
    text = text.removesuffix("%")
    if "e" in text:
        return float(text) == pytest.approx(number, rel=0.01)
    digits = len(text.partition(".")[2])
    significant = re.fullmatch(r"[+-]?[\d.]+", text) is not None
    return significant and abs(float(text) - number * (100 if percent else 1)) <= 0.51 * 10**-digits


def test_figures_are_those_of_the_document(page, audited):
    _, document = audited
    assert wrong_figures(page, document) == []


def test_the_comparison_with_the_document_can_fail(page, audited):
    _, document = audited
    altered = json.loads(json.dumps(document))
    altered["reuse"]["mean"] += 0.01
    altered["uncertainty"]["after_labels"]["across_prompts"]["variance"]["mean"] *= 1.01
    keys = {key for key, *_ in wrong_figures(page, altered)}
    variance = "uncertainty/after_labels/across_prompts/variance"
    assert keys == {"reuse/mean", variance}


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")


@pytest.mark.parametrize("unfolded", [False, True])
def test_nothing_overflows(page, unfolded):
    if unfolded:
        unfold(page)
    inside, outside = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert inside <= outside


def test_pictures_are_there_and_described(page):
    pictures = page.evaluate(
        "[...document.images].map(e => [e.complete && e.naturalWidth, e.alt, "
        "e.closest('figure').querySelector('figcaption').textContent])"
    )
    assert len(pictures) == 10
    for width, alt, caption in pictures:
        assert width > 0
        assert len(alt) > 20
        assert re.search(r"\d", caption)


def test_tables_sort(page):
    def column():
        return page.evaluate(
            "[...document.querySelectorAll('#layouts-table tbody tr')]"
            ".map(row => Number(row.cells[2].querySelector('data').value))"
        )

    def kind():
        return page.evaluate(
            "document.querySelectorAll('#layouts-table th[aria-sort]')[2].ariaSort"
        )

    unfold(page)
    head = page.locator("#layouts-table thead tr:last-child th:nth-child(3) button")
    written = column()
    assert written != sorted(written)
    head.click()
    assert column() == sorted(written)
    assert kind() == "ascending"
    head.press("Enter")
    assert column() == sorted(written, reverse=True)
    assert kind() == "descending"


def test_the_page_speaks_to_screen_readers(page):
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].map(e => Number(e.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('table')].every(e => e.caption)")
    assert page.evaluate("document.documentElement.lang") == "en"
    broken = page.evaluate(
        "[...document.querySelectorAll('nav a')].map(e => e.hash)"
        ".filter(hash => !document.querySelector(hash))"
    )
    assert broken == []


def test_what_is_asked_first_is_on_the_first_screen(page):
    text = page.evaluate("document.querySelector('.brief').innerText")
    for words in ("Can it predict preferences?", "What does it cost?", "What to do next"):
        assert words in text
    assert "Fails the gate" in page.evaluate("document.querySelector('header').innerText")
    assert page.evaluate("[...document.querySelectorAll('details')].every(part => !part.open)")
    if page.viewport_size["width"] == WIDTHS["desk"]:
        assert (
            page.evaluate("document.querySelector('.brief').getBoundingClientRect().bottom") < 900
        )


def test_the_second_layer_is_all_there(page):
    unfold(page)
    text = page.evaluate("document.body.innerText")
    for words in ("Tried, and not", "Examples of cycles", "The most even disagreements"):
        assert words in text
    assert "Families fitted" in text


def test_a_link_unfolds_what_it_leads_to(page):
    page.evaluate("location.hash = '#layouts'")
    page.locator("#layouts-table").wait_for(state="visible")


def test_tables_filter(page):
    unfold(page)
    shown = "[...document.querySelectorAll('#uncertain-prompts tbody tr')].filter(e => !e.hidden)"
    rows = page.evaluate(f"{shown}.map(e => e.cells[0].textContent)")
    page.locator(".tools:has(+ .scroll #uncertain-prompts) input").fill(rows[3])
    kept = page.evaluate(f"{shown}.map(e => e.textContent)")
    assert 0 < len(kept) < len(rows)
    assert all(rows[3] in row for row in kept)


def test_commands_are_copied(page):
    button = page.locator(".brief .command button").first
    command = page.evaluate("document.querySelector('.brief .command code').textContent")
    button.click()
    page.wait_for_function(
        "/Copied|Selected/.test(document.querySelector('.command button').textContent)"
    )
    assert page.evaluate("getSelection().toString()").split() == command.split()


def test_the_map_tells_what_is_pointed_at(page):
    unfold(page)
    dots = page.locator(".map circle[data-place]")
    dots.last.scroll_into_view_if_needed()
    dots.last.dispatch_event("pointerover")
    told = page.locator(".map output").inner_text()
    assert told == dots.last.locator("title").text_content()
    assert re.match(r"line [\d,]+, (preferred|rejected|first|second): variance \d", told)
    page.locator(".map input").fill("10")
    kept = page.evaluate(
        "[...document.querySelectorAll('.map circle[data-place]')]"
        ".filter(e => e.style.display != 'none').length"
    )
    assert kept == pytest.approx(0.1 * dots.count(), abs=1)
    page.get_by_label("Zoom in").click()
    assert page.evaluate("document.querySelector('.map svg').viewBox.baseVal.width") == 480


HOSTILE = (
    "<script>lost()</script>",
    "</script><img src=x onerror=lost()>",
    "\u202eturned\u202c",
    "{{ 7 * 7 }}",
    '" onpointerover="lost()',
    "word " * 8000,
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_texts_do_nothing(browser, tmp_path, ibn, scheme):
    name, page = tmp_path / "<img src=x onerror=lost()>.jsonl", tmp_path / "report.html"
    with name.open("w") as file:
        for i in range(60):
            record = {
                "prompt": f"{HOSTILE[i % 6]} {i}",
                "chosen": f"{HOSTILE[(i + 1) % 6]} {i} good",
                "rejected": f"{HOSTILE[(i + 2) % 6]} {i} bad",
            }
            file.write(json.dumps(record) + "\n")
    status, _, _ = ibn("audit", name, "--replicates", 2, "--show-texts", "--out", page)
    assert status == 0
    complaints = []
    opened = browser.new_page(viewport={"width": 390, "height": 900}, color_scheme=scheme)
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(page.as_uri())
    unfold(opened)
    assert opened.evaluate("document.images.length") == page.read_text().count("data:image/svg")
    assert opened.evaluate("document.scripts.length") == 1
    texts = opened.evaluate("[...document.querySelectorAll('.text p')].map(e => e.textContent)")
    assert any(text.startswith(HOSTILE[1]) for text in texts)
    assert not any("\u202e" in text for text in texts)
    assert max(map(len, texts)) < 1600
    inside, outside = opened.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert inside <= outside
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}[scheme]
    opened.close()
    assert complaints == []
