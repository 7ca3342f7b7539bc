import itertools

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from figures import network, overview, ratio, scaling
from figures.gallery import ACROSS, NAMES, draw
from figures.results import read, worlds
from figures.style import TOPOLOGY, style
from ibn.distance import inference_distance, optimal_path
from ibn.errors import InputError


def drawn(module, path):
    ((world, rows),) = worlds(read(path))
    return module.draw(module.fits(rows, world))


def test_every_figure_is_written_as_svg_and_png(sweep, tmp_path):
    pictures = draw((), read(sweep()), tmp_path / "out")
    assert [picture.name for picture in pictures] == [name for name in NAMES if name not in ACROSS]
    for picture in pictures:
        assert picture.files["svg"].read_text().startswith("<?xml")
        assert imread(picture.files["png"]).std() > 0.05
        assert picture.caption


def test_the_same_rows_give_the_same_bytes(sweep, tmp_path):
    rows = read(sweep())
    first, second = (draw(["ratio"], rows, tmp_path / out)[0].files for out in ("a", "b"))
    assert first["svg"].read_bytes() == second["svg"].read_bytes()


def test_an_overview_has_a_panel_for_each_inference_family_and_noise(sweep, tmp_path):
    kinds = ({}, {"beta": 1.0}, {"alpha": 0.5}, {"family": "sub-logarithmic", "alpha": 0.0})
    rows = np.concatenate([read(sweep(**values)) for values in kinds])
    (picture,) = draw(["overview"], rows, tmp_path / "out")
    assert "the tree leaves less uncertainty in 4 of 4 worlds and the chain in 0" in picture.caption
    each = [(world, ratio.fits(part, world)) for world, part in worlds(rows)]
    with style():
        figure = overview.draw(each)
    curves = {axes.get_title(loc="left"): len(axes.containers) for axes in figure.axes[:3]}
    assert [name.split("\n")[0] for name in curves] == ["power", "power", "sub-logarithmic"]
    assert list(curves.values()) == [2, 1, 1]
    assert len(figure.axes) == 6
    with pytest.raises(InputError, match="figure overview needs chain and tree"):
        draw(["overview"], read(sweep()), tmp_path / "out")


def test_each_world_has_its_own(sweep, tmp_path):
    rows = np.concatenate([read(sweep(beta=beta)) for beta in (1814.0, 1.0)])
    pictures = draw(["ratio"], rows, tmp_path / "out")
    assert len({picture.files["png"] for picture in pictures}) == 2
    assert len({picture.world for picture in pictures}) == 2


def test_error_bars_are_the_standard_errors(sweep):
    axes, _ = drawn(scaling, sweep()).axes
    chain = axes.containers[0]
    (bars,) = chain.lines[2]
    low, high = np.array([segment[:, 1] for segment in bars.get_segments()]).T
    np.testing.assert_allclose((high - low) / (high + low), 0.01)


def test_ratio_shows_what_was_measured(sweep):
    (axes,) = drawn(ratio, sweep()).axes
    for container in axes.containers:
        np.testing.assert_allclose(container.lines[0].get_ydata(), 1.5)


def test_looks_differ_in_more_than_colour():
    for key in ("color", "marker"):
        assert len({look[key] for look in TOPOLOGY.values()}) == len(TOPOLOGY)


@pytest.mark.parametrize("module", [network, scaling, ratio])
def test_no_text_is_clipped_or_overlaps(module, sweep, monkeypatch):
    shown = []
    draw_text = Text.draw
    monkeypatch.setattr(Text, "draw", lambda *a: (shown.append(a[0]), draw_text(*a))[1])
    with style():
        figure = module.draw() if module is network else drawn(module, sweep())
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
