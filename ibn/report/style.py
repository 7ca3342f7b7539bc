"""One look for all figures: legible at column width, in print and to colour-blind readers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import blended_transform_factory

from ibn.errors import InputError
from ibn.outputs import writing

COLUMN = 3.4
"""Width of a column of text, in inches."""

# Okabe and Ito's palette, distinct under every common form of colour blindness.
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
)
GREY = "#767676"

# Shape tells topologies apart where colour does not.
TOPOLOGY: dict[str, dict[str, Any]] = {
    "chain": {"color": VERMILION, "marker": "o", "ms": 4.0},
    "tree": {"color": BLUE, "marker": "^", "ms": 4.6},
    "star": {"color": GREEN, "marker": "*", "ms": 6.0},
    "expander": {"color": PURPLE, "marker": "D", "ms": 3.4},
}
INFERENCE: dict[str, dict[str, Any]] = {
    "path": {"color": BLACK, "marker": "o", "ms": 4.0},
    "exact": {"color": ORANGE, "marker": "s", "ms": 4.0},
}

_SETTINGS: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.1,
    "errorbar.capsize": 1.8,
    # The same figure gives the same bytes, and its letters need no font where it is read.
    "svg.hashsalt": "ibn",
    "svg.fonttype": "path",
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the look within a ``with`` block, both to drawing and to saving."""
    with matplotlib.rc_context(_SETTINGS):  # type: ignore[arg-type]
        yield


@dataclass(frozen=True)
class Printing:
    """How figures are written.

    Attributes
    ----------
    formats : tuple of {"svg", "png", "pdf"}
        Each as a file of its own.
    width, height : float, optional
        In inches; by default each figure's own.
    """

    formats: tuple[str, ...] = ("svg", "png")
    width: float | None = None
    height: float | None = None


AS_DRAWN = Printing()


def printed(figure: Figure, name: str, printing: Printing = AS_DRAWN) -> dict[str, bytes]:
    """Print a figure; returns the contents of its files, by format.

    Raises InputError, which gives the figure's name, if it has no room.
    """
    width, height = figure.get_size_inches()
    figure.set_size_inches(printing.width or width, printing.height or height)
    files = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "constrained_layout not applied")
        for kind in printing.formats:
            stream = BytesIO()
            try:
                print_figure(figure, stream, kind)
            except UserWarning:
                inches = "{:g} × {:g} inches".format(*figure.get_size_inches())
                raise InputError(
                    f"the figure {name} has no room on {inches}", fix="make it wider or higher"
                ) from None
            files[kind] = stream.getvalue()
            figure.set_layout_engine("none")  # the layout is done
    return files


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure into a file, whose suffix tells the kind."""
    with writing(path) as file:
        print_figure(figure, file, path.suffix[1:].lower())


def print_figure(figure: Figure, stream: IO[bytes], kind: str, **settings: Any) -> None:
    """Write a figure into a stream: the same bytes every time.

    A character that the font lacks, as in a name, shows as an empty box.
    """
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(stream, format=kind, metadata=date, **settings)


def shades(alphas: Iterable[float]) -> dict[float, str]:
    """Give each α a colour, from dark to light."""
    each = sorted(set(alphas))
    return {
        alpha: to_hex(matplotlib.colormaps["viridis"](0.85 * i / max(len(each) - 1, 1)))
        for i, alpha in enumerate(each)
    }


def decimal_ticks(axis: Axis) -> None:
    """Label a logarithmic axis in decimals, between the powers of ten too where it is short."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def legend_above(axes: Axes, handles: list[Any], labels: list[str], title: str) -> None:
    """Put the legend over the axes, where no curve can run into it, from the figure's left edge."""
    figure = axes.get_figure()
    assert figure is not None
    axes.legend(
        handles,
        labels,
        title=title,
        title_fontproperties={"weight": "bold", "size": 8},
        loc="lower left",
        bbox_to_anchor=(0.01, 1.0),
        bbox_transform=blended_transform_factory(figure.transSubfigure, axes.transAxes),
        alignment="left",
        borderaxespad=0.8,
        borderpad=0.0,
    )
