import itertools
import json
import os

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text
from scipy.stats import t

from ibn.errors import InputError
from ibn.figures import bound, headline, network, overview, ratio, reversal, scaling
from ibn.figures.gallery import FIGURES, MEASURED, NAMES, RECORDED, draw, left_out
from ibn.figures.measurements import read, worlds
from ibn.inference.paths import inference_distance, optimal_path
from ibn.report.style import TOPOLOGY, style


def drawn(module, path):
    ((world, rows),) = worlds(read(path))
    return module.draw(module.fits(rows, world))


def figure_of(name, sweep, evidence):
    """Draw one figure from made-up data of whatever kind it needs."""
    module = FIGURES[name]
    if name in MEASURED:
        return drawn(module, sweep())
    if not hasattr(module, "gather"):
        return module.draw()
    if name in ("convergence", "rates"):
        return module.draw(module.gather(evidence))
    kinds = ({}, {"beta": 1.0}, {"alpha": 0.5}, {"family": "sub-logarithmic", "alpha": 0.0})
    return module.draw(module.gather(np.concatenate([read(sweep(**one)) for one in kinds])))


def test_every_figure_is_written_as_svg_and_png(sweep, evidence, records, tmp_path):
    rows = np.concatenate([read(sweep(**values)) for values in ({}, {"beta": 1.0})])
    pictures = draw((), rows, tmp_path / "out", evidence)
    assert list(dict.fromkeys(picture.name for picture in pictures)) == list(NAMES)
    assert left_out(pictures, rows, evidence) == {}
    for picture in pictures:
        assert picture.files["svg"].read_text().startswith("<?xml")
        assert imread(picture.files["png"]).std() > 0.05
        assert picture.caption


def test_only_what_was_asked_is_drawn_as_it_was_asked(ibn, sweep, tmp_path):
    data, out = sweep(), tmp_path / "out"
    status, printed, _ = ibn("figures", "network", "--format", "pdf", "--width", 5, "--out", out)
    assert status == 0
    assert (
        [path.name for path in out.iterdir()] == ["network.pdf"] == [printed.split("/")[-1].strip()]
    )
    status, printed, _ = ibn("figures", "--data", data, "--out", out, "--format", "png", "--json")
    assert status == 0
    names = {one["name"] for one in json.loads(printed)["figures"]}
    assert names <= {"headline", "reversal", "bound", "scaling", "ratio"}
    assert {"scaling", "ratio"} <= names
    size = {"--width": 4, "--height": 3}
    status, *_ = ibn(
        "figures",
        "ratio",
        "--data",
        data,
        "--out",
        out,
        "--format",
        "png",
        *itertools.chain(*size.items()),
    )
    assert status == 0
    assert imread(out / "ratio.png").shape[:2] == (900, 1200)


def test_a_figure_without_room_and_evidence_that_never_ends_are_refused(ibn, tmp_path):
    status, _, complaint = ibn("figures", "families", "--height", 1, "--out", tmp_path)
    assert status == 2
    assert complaint.startswith("ibn: the figure families has no room on ")
    assert not list(tmp_path.iterdir())
    os.mkfifo(tmp_path / "pipe")
    for option in ("--evidence", "--data"):
        status, _, complaint = ibn("figures", option, tmp_path / "pipe", "--out", tmp_path)
        assert status == 2
        assert complaint.endswith("pipe: not a regular file\n")


def test_the_same_rows_give_the_same_bytes(sweep, tmp_path):
    rows = read(sweep())
    first, second = (draw(["ratio"], rows, tmp_path / out)[0].files for out in ("a", "b"))
    assert first["svg"].read_bytes() == second["svg"].read_bytes()


def test_an_overview_has_a_row_a_world_and_a_column_an_inference(sweep, tmp_path):
    kinds = ({}, {"beta": 1.0}, {"alpha": 0.5}, {"family": "sub-logarithmic", "alpha": 0.0})
    rows = np.concatenate([read(sweep(**values)) for values in kinds])
    (picture,) = draw(["overview"], rows, tmp_path / "out")
    assert "the tree leaves less uncertainty in 4 of 4 worlds and the chain in 0" in picture.caption
    each = [(world, ratio.fits(part, world)) for world, part in worlds(rows)]
    with style():
        (axes,) = overview.draw(each).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "power 0.3, β = 1814",
        "power 0.5, β = 1814",
        "power 0.3, β = 1",
        "sub-logarithmic, β = 1814",
    ]
    assert [text.get_text() for text in axes.texts] == ["1.5"] * 8
    with pytest.raises(InputError, match="figure overview needs chain and tree"):
        draw(["overview"], read(sweep()), tmp_path / "out")


def test_each_world_has_its_own(sweep, tmp_path):
    rows = np.concatenate([read(sweep(beta=beta)) for beta in (1814.0, 1.0)])
    pictures = draw(["ratio"], rows, tmp_path / "out")
    assert len({picture.files["png"] for picture in pictures}) == 2
    assert len({picture.world for picture in pictures}) == 2


def test_error_bars_are_intervals_over_datasets(sweep):
    axes, _ = drawn(scaling, sweep()).axes
    chain = axes.containers[0]
    (bars,) = chain.lines[2]
    low, high = np.array([segment[:, 1] for segment in bars.get_segments()]).T
    np.testing.assert_allclose((high - low) / (high + low), 0.01 * t.ppf(0.975, 1))


def test_ratio_shows_what_was_measured(sweep):
    (axes,) = drawn(ratio, sweep()).axes
    for container in axes.containers:
        np.testing.assert_allclose(container.lines[0].get_ydata(), 1.5)


def test_looks_differ_in_more_than_colour():
    for key in ("color", "marker"):
        assert len({look[key] for look in TOPOLOGY.values()}) == len(TOPOLOGY)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_clipped_or_overlaps(name, sweep, evidence, records, monkeypatch):
    shown = []
    draw_text = Text.draw
    monkeypatch.setattr(Text, "draw", lambda *a: (shown.append(a[0]), draw_text(*a))[1])
    with style():
        figure = figure_of(name, sweep, evidence)
        figure.canvas.draw()
        shown.clear()
        figure.draw_without_rendering()
        boxes = {t: t.get_window_extent() for t in shown if t.get_visible() and t.get_text()}
    assert len(boxes) > 8
    for text, box in boxes.items():
        assert figure.bbox.count_contains(box.corners()) == 4, text
    for (first, a), (second, b) in itertools.combinations(boxes.items(), 2):
        assert not a.overlaps(b), (first, second)


def test_example_network():
    for topology in ("chain", "tree"):
        example = network.example(topology)
        ends = np.array([[len(example.nodes) - 2, len(example.nodes) - 1]])
        path = optimal_path(example, *example.nodes[-2:].tolist())
        assert path.distance == pytest.approx(inference_distance(example, ends)[0])
        assert path.kind.sum() == 2  # through two comparisons, or the example shows nothing
        x, height = network.layout(example)
        tree = slice(example.bias_edges)
        rise = height[example.v[tree]] - height[example.u[tree]]
        np.testing.assert_allclose(rise, example.variance[tree])
        assert sorted(x[: len(set(example.nodes.tolist()))]) == list(range(len(example.nodes)))


def test_what_is_wanted_and_not_there(sweep, tmp_path):
    with pytest.raises(InputError, match="did you mean 'scaling'"):
        draw(["scalign"], None, tmp_path)
    with pytest.raises(InputError, match="--data"):
        draw((), None, tmp_path)
    stars = read(sweep(where=lambda row: row["topology"] == "star"))
    with pytest.raises(InputError, match=r"ratio needs chain and tree .*the data have star"):
        draw(["ratio"], stars, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert draw(["network"], None, tmp_path)[0].files["png"].exists()


def test_what_is_not_on_record_is_left_out_and_told(sweep, records, tmp_path):
    for path in records.glob("validation-*"):
        path.unlink()
    rows = read(sweep())
    told = left_out([], rows, None)
    pools = {"pool-wins", "pool-errors", "pool-spending", "pool-predictors"}
    on_record = {"tasks", "tournament"} | pools
    assert set(told) == {*RECORDED, "convergence", "rates", "overview"} - on_record
    _, why = told["wins"]
    assert "ibn validate TASK --json" in why
    with pytest.raises(InputError, match="validation-TASK"):
        draw(["wins"], None, tmp_path)
    with pytest.raises(InputError, match="--evidence"):
        draw(["rates"], None, tmp_path)


def test_tables_hold_what_was_measured_and_where(sweep, evidence):
    rows = read(sweep())
    (table,) = ratio.tables(ratio.fits(rows, worlds(rows)[0][0]))
    assert table.columns[:2] == ("n", "path, |S| = n / log n")
    assert "exact, |S| = n / log n" in table.columns
    first = table.rows[0]
    assert first[0].text == "100"
    assert first[1].text.startswith("1.50")
    assert first[1].anchor in set(rows["task"])
    (table,) = FIGURES["rates"].tables(FIGURES["rates"].gather(evidence))
    assert [row[0].anchor for row in table.rows] == ["P5"] * 3 + ["P7"] * 3 + ["E3"] * 2
    assert table.rows[0][4].text == "-0.380 ± 0.004 (± 0.03)"


def test_exponents_beyond_error_and_lower_orders_are_told(evidence):
    found = FIGURES["rates"].gather(evidence)
    assert {one.claim for one in found if one.excluded} == {"P5"}
    assert "Beyond both are curves of P5." in FIGURES["rates"].caption(found)


def test_the_headline_takes_the_power_family_in_regime_a(sweep):
    kinds = ({}, {"beta": 1.0}, {"alpha": 0.1}, {"family": "logarithmic"})
    found = headline.gather(np.concatenate([read(sweep(**values)) for values in kinds]))
    assert [one.world.alpha for one in found] == [0.1, 0.3]
    assert headline.claimed(np.exp(np.exp(2.0)), 0.0) == pytest.approx(np.exp(2.0) / 2.0)
    assert headline.claimed(np.exp(np.exp(2.0)), 1.0) == pytest.approx(0.5)
    measured, derived, _ = headline.growths(found[0])
    assert measured.mean == pytest.approx(1.0)  # made up so
    assert derived == pytest.approx(measured.mean / found[0].drift.mean)


def test_a_reversal_is_told_where_the_order_reverses(sweep):
    rows = read(sweep())
    assert "in 0 of 1 worlds at |S|" in reversal.caption(reversal.gather(rows))
    rows["mean"][(rows["topology"] == "chain") & (rows["inference"] == "exact")] *= 0.1
    assert "in 1 of 1 worlds at |S|" in reversal.caption(reversal.gather(rows))


def test_a_ranking_is_over_the_lower_bound(sweep):
    found = bound.gather(read(sweep()))
    assert found.n == 10_000
    assert list(found.measured) == ["star", "expander", "tree", "chain"]
    mean, stderr, _ = found.measured["star"]["exact"]
    assert mean * found.unit == pytest.approx(0.5 * 10_000**-0.3)
    assert stderr / mean == pytest.approx(0.01)
    assert found.constant == pytest.approx(2**-0.3 / 8)


def test_errors_are_ranked_by_what_predicts_them(records):
    (table,) = FIGURES["errors"].tables()
    # Of equal comparisons, and not again of equal tokens, which are as many here.
    rules, measures = table.rows[:2], table.rows[2:]
    assert all(row[0].text for row in rules)
    assert [row[1].text for row in measures] == 2 * ["54", "54", "27"]
    assert measures[0][2].text.startswith("+0.")
    (axes,) = FIGURES["errors"].draw().axes
    drawn = [
        float(bars.lines[0].get_xdata()[0])
        for bars in axes.containers
        if len(bars.lines[0].get_xdata())
    ]
    for row in table.rows[:2]:
        assert any(row[2].text.startswith(f"{value:+.3f}") for value in drawn)


def test_what_is_read_is_that_on_record(records):
    (table,) = FIGURES["annotation"].tables()
    assert [cell.text for cell in table.rows[0]] == [
        "HH-RLHF",
        "190 ± 0",
        "151.00 ± 0.58",
        "190 ± 0",
        "0.79",
        "0.74",
    ]
    assert table.rows[0][2].anchor == "record-validation-hh"
    assert "HH-RLHF 21%" in FIGURES["annotation"].caption()
