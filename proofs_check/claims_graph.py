"""Which claim rests on which, drawn: ``ibn check --page`` puts it beside the page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
from matplotlib.figure import Figure

from ibn.proofs_check.claim import Verdict
from ibn.report.style import COLUMN, style, write_figure

if TYPE_CHECKING:
    from ibn.proofs_check.decided import Ledger

COLOURS = {"holds": "#dff3e4", "fails": "#fbe3e1", "undecided": "#fdf1d0", "lemma": "#ffffff"}
EDGES = {"holds": "#10602c", "fails": "#8c1d14", "undecided": "#6b4e00", "lemma": "#5f5f5f"}


def graph(verdicts: Sequence[Verdict]) -> nx.DiGraph:
    """Return the claims decided and the lemmas that their checks instantiate.

    An edge leads from what is used to what uses it; a node's ``verdict`` is the claim's, or
    ``lemma``. Claims that are used but were not decided are left out.
    """
    found = nx.DiGraph()
    for verdict in verdicts:
        found.add_node(verdict.claim.id, verdict=verdict.verdict)
    for verdict in verdicts:
        claim = verdict.claim
        for used in claim.rests_on:
            if used in found:
                found.add_edge(used, claim.id)
        for check in claim.checks:
            for lemma in re.findall(r"L\d+", check.lemma):
                found.add_node(lemma, verdict="lemma")
                found.add_edge(lemma, claim.id)
    return found


def places(found: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Place each node above all that it uses, rows ordered so that few edges cross.

    Raises
    ------
    networkx.NetworkXUnfeasible
        If claims rest on each other in a circle.
    """
    rows: dict[int, list[str]] = defaultdict(list)
    height: dict[str, int] = {}
    for node in nx.lexicographical_topological_sort(found):
        height[node] = max((height[below] + 1 for below in found.predecessors(node)), default=0)
        rows[height[node]].append(node)
    across: dict[str, float] = {}
    for row in sorted(rows):
        below = {
            node: [across[x] for x in found.predecessors(node) if x in across] for node in rows[row]
        }
        order = sorted(rows[row], key=lambda x: (sum(below[x]) / max(len(below[x]), 1), x))
        across |= {x: (place + 0.5) / len(order) for place, x in enumerate(order)}
    return {node: (across[node], float(height[node])) for node in found}


def draw(verdicts: Sequence[Verdict]) -> Figure:
    """Draw the graph, coloured by verdict; lemmas are squares, implied arrows are left out."""
    whole = graph(verdicts)
    found = nx.transitive_reduction(whole)
    found.add_nodes_from(whole.nodes(data=True))
    at = places(found)
    with style():
        rows = max(y for _, y in at.values()) + 1
        figure = Figure(figsize=(1.6 * COLUMN, 0.75 * rows + 0.6), layout="constrained")
        axes = figure.subplots()
        for kind, colour in COLOURS.items():
            nodes = [node for node, verdict in found.nodes(data="verdict") if verdict == kind]
            look = {"node_color": colour, "edgecolors": EDGES[kind]}
            shape, size = ("s", 260) if kind == "lemma" else ("o", 420)
            nx.draw_networkx_nodes(
                found, at, nodelist=nodes, ax=axes, node_shape=shape, node_size=size, **look
            )
            axes.scatter([], [], c=colour, ec=EDGES[kind], marker=shape, s=60, label=kind)
        nx.draw_networkx_edges(
            found,
            at,
            edgelist=sorted(found.edges),  # the same bytes in any run
            ax=axes,
            node_size=420,
            edge_color="#9a9a9a",
            width=0.6,
            arrowsize=6,
        )
        nx.draw_networkx_labels(found, at, ax=axes, font_size=7)
        axes.set_axis_off()
        axes.margins(0.04, 0.12)
        figure.legend(loc="outside lower center", ncols=len(COLOURS))
    return figure


def draw_ledger(found: Ledger) -> Figure:
    """Draw the graph of the claims that were decided."""
    return draw(found.verdicts)


def save(verdicts: Sequence[Verdict], path: Path) -> None:
    """Write the drawing as SVG, the same bytes for the same verdicts."""
    with style():
        write_figure(draw(verdicts), path)
