"""The map of the responses: their places on a plane, and what a reader learns by pointing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibn.auditing.result import Audit
from ibn.report.passages import Passages

MOST_POINTS = 3000
WIDTH, HEIGHT, MARGIN = 960, 540, 14  # of the drawing, in its own units
SHADES = 7


@dataclass(frozen=True)
class Point:
    """A response on the map."""

    x: float
    y: float
    shade: int  # from 0, the least uncertain, to SHADES - 1
    variance: float
    place: str  # in the file
    listed: bool  # whether it is of a pair listed among the most uncertain
    prompt: str  # its last words, where texts may be shown


@dataclass(frozen=True)
class ResponseMap:
    """Responses, the most uncertain last, on a plane of WIDTH by HEIGHT.

    ``shades``: the variance at which each shade begins.
    """

    points: tuple[Point, ...]
    shades: tuple[float, ...]
    total: int
    width: int = WIDTH
    height: int = HEIGHT


def lay_out(found: Audit, passages: Passages) -> ResponseMap:
    """Lay the responses (at most MOST_POINTS, evenly spaced in the file) on the plane.

    The plane is that of the two leading principal components, stretched to fit the drawing.
    """
    place, variance = found.similarity.plane(found.settings.seed), found.posterior.of_responses
    listed = {response for pair in found.posterior.pairs for response in pair.responses}
    m = len(place)
    drawn = np.linspace(0, m - 1, min(m, MOST_POINTS)).astype(int)
    drawn = np.union1d(drawn, sorted(listed)).astype(int)
    drawn = drawn[np.argsort(variance[drawn], kind="stable")]
    cuts = np.quantile(variance[drawn], np.arange(SHADES) / SHADES)
    shade = np.clip(np.searchsorted(cuts, variance[drawn], side="right") - 1, 0, SHADES - 1)
    low, high = np.quantile(place[drawn], [0.002, 0.998], axis=0)  # a few strays shrink nothing
    share = np.clip((place[drawn] - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    across, down = share.T
    x = MARGIN + across * (WIDTH - 2 * MARGIN)
    y = HEIGHT - MARGIN - down * (HEIGHT - 2 * MARGIN)
    points = tuple(
        Point(
            round(float(x[k]), 1),
            round(float(y[k]), 1),
            int(shade[k]),
            float(variance[response]),
            passages.place(response),
            response in listed,
            passages.ending(passages.prompt_behind(response)) if passages.shown else "",
        )
        for k, response in enumerate(map(int, drawn))
    )
    return ResponseMap(points, tuple(map(float, cuts)), m)
