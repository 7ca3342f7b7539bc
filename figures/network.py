"""A small induced Bayesian network, chain and tree, with one optimal path lit."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.paths import InferencePath, optimal_path
from ibn.network import HUMAN_PREFERENCE, Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.report.style import BLACK, BLUE, COLUMN, VERMILION
from ibn.topology import build

TITLE = "Two kinds of edge, and the best path between two responses"
CLAIMS = ("P1", "P2", "P3", "E1")
WORLD = Ultrametric("power", alpha=0.6)
NOISE = LabelNoise(beta=20.0)
# A seed whose paths go through comparisons in both topologies; many do not at this size.
COMPARISONS, LEAVES, SEED = 8, 6, 125

_LOOK: dict[str, dict[str, Any]] = {
    "inductive bias": {"color": BLUE, "lw": 1.1},
    "comparison": {"color": VERMILION, "lw": 1.1, "ls": (0, (3.5, 1.5))},
    "optimal path": {"color": "#ffd97a", "lw": 5.0, "zorder": 0.5},
    "response drawn": {"color": BLACK, "marker": "o", "ms": 3.8, "ls": "none"},
    "response asked about": {
        "color": BLACK,
        "marker": "o",
        "ms": 5.0,
        "mfc": "white",
        "ls": "none",
    },
}


def example(topology: str) -> Network:
    """Build a network over the responses of a few comparisons and two that were not compared.

    The two come last among its responses, and are the same whatever the topology.
    """
    asked = WORLD.sample(2, np.random.default_rng(SEED))
    rng = np.random.default_rng(SEED + 1)
    drawn = build(topology, WORLD, COMPARISONS, rng, leaves=LEAVES)
    both = Comparisons(np.concatenate([drawn.responses, asked]), drawn.a, drawn.b)
    return build_network(WORLD, both, NOISE.variance())


def layout(network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place the nodes of a hierarchy: leaves in a row, each ancestor over its children.

    A node is as high as the variance from any leaf below it up to it, so that the vertical
    part of an edge is the edge's variance.
    """
    assert network.trie is not None
    parent = network.trie.parent.tolist()
    x, height = np.zeros(network.size), np.zeros(network.size)
    x[: len(network.trie.addresses)] = np.arange(len(network.trie.addresses))
    children: list[list[int]] = [[] for _ in parent]
    for node, above in enumerate(parent):  # children come before their parents
        if children[node]:
            x[node] = np.mean(x[children[node]])
        if above != node:
            children[above].append(node)
            height[above] = height[node] + network.variance[node]
    return x, height


def panel(axes: Axes, network: Network, path: InferencePath) -> Axes:
    """Draw a network: its hierarchy above the responses, its comparisons as arcs below.

    ``network``: one whose inductive bias is a hierarchy, and whose last two responses end the path.
    ``path``: the path to light.
    """
    x, height = layout(network)
    drawn: dict[tuple[int, int], int] = {}
    for edge, (u, v) in enumerate(zip(network.u.tolist(), network.v.tolist(), strict=True)):
        if network.kind[edge] == HUMAN_PREFERENCE:
            pair = min(u, v), max(u, v)
            drawn[pair] = drawn.get(pair, 0) + 1
            # Wide arcs sag more, and so does each further comparison of a pair.
            sag = -height.max() * (0.1 + 0.3 * abs(x[u] - x[v]) / np.ptp(x) + 0.1 * drawn[pair])
            shape = Path([(x[u], 0), (x[u], sag), (x[v], sag), (x[v], 0)], [1, 4, 4, 4])
            look = _LOOK["comparison"]
        else:
            shape = Path([(x[u], height[u]), (x[u], height[v]), (x[v], height[v])])
            look = _LOOK["inductive bias"] | {"capstyle": "projecting"}
        if edge in path.edges:
            lit = _LOOK["optimal path"] | {"capstyle": "round", "joinstyle": "round"}
            axes.add_patch(PathPatch(shape, fill=False, **lit))
        axes.add_patch(PathPatch(shape, fill=False, **look))
    for name, nodes in (("drawn", network.nodes[:-2]), ("asked about", network.nodes[-2:])):
        axes.plot(x[nodes], np.zeros(len(nodes)), **_LOOK[f"response {name}"])
    for name, node in zip(("$y_1$", "$y_2$"), network.nodes[-2:], strict=True):
        # Nothing hangs on a response that was not compared: there is room right below it.
        axes.annotate(
            name, (x[node], 0), (0, -5), textcoords="offset points", ha="center", va="top"
        )
    axes.autoscale_view()
    axes.set(xticks=[], yticks=np.linspace(0, 0.5, 6))
    axes.set_ylabel("variance up to ancestor", y=1.0, ha="right")
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_bounds(0, height.max())
    axes.grid(False)
    return axes


def draw() -> Figure:
    """Draw chain and tree over the same world, and the path between the same two responses."""
    figure = Figure(figsize=(COLUMN, 5.4), layout="constrained")
    for axes, topology in zip(figure.subplots(2), ("chain", "tree"), strict=True):
        network = example(topology)
        path = optimal_path(network, *network.nodes[-2:].tolist())
        panel(axes, network, path)
        axes.set_title(f"{topology}, $n$ = {COMPARISONS}:  $d(y_1, y_2)$ = {path.distance:.2f}")
    handles = [Line2D([], [], **look) for look in _LOOK.values()]
    figure.legend(handles, list(_LOOK), loc="outside lower left", ncols=2, columnspacing=1.0)
    return figure


def caption() -> str:
    """Say what is drawn."""
    first, second = example("chain").responses[-2:]  # type: ignore[index]
    alone = float(WORLD.distance(first, second))
    return (
        "An example, not a measurement. Responses are the leaves of a hierarchy; the height at "
        "which two of them meet is half the variance of their reward difference by inductive bias "
        f"alone, so d(y₁, y₂) would be {alone:.2f} without comparisons. A comparison joins two "
        f"responses at a variance of σ² = {NOISE.variance():.3f}. In the chain every response is "
        "compared once, so a path must cross inductive bias between any two comparisons; in the "
        "tree responses are reused, and comparisons follow one another."
    )
