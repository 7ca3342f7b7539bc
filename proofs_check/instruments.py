"""T0: what the ledger measures with, held against definitions written out anew.

Every other claim rests on these instruments, so that a fault in the library shows here by name
before it moves a rate.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, chi2
from sympy import Expr, Integer, log, oo

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.estimate import Estimate
from ibn.inference.gaussian import mean_variance, resistance, resistance_matrix
from ibn.inference.paths import inference_distance, mean_distance, optimal_path
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.asymptotics import Curve, Drift, growth
from ibn.proofs_check.claim import (
    CHECK_ERROR,
    FAILS,
    HOLDS,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
    worst,
)
from ibn.proofs_check.measured import combined, leaves_at, mean_nearest
from ibn.solvers.reduced import DENSE_NODES, TIGHT
from ibn.theory.rates import Rate, symbols
from ibn.topology import build

N, ALPHA, SCALE, _, _, _ = symbols()
SPACES = tuple(Ultrametric(family, 0.7, scale=2.0) for family in FAMILIES)
EXACT = 1e-12  # relative, of closed forms in double precision


def t0() -> Claim:
    """Build claim T0."""
    return Claim(
        id="T0",
        statement=(
            "The instruments of the ledger are what they are called: the world, the topologies, "
            "both inference engines, the means over pairs, the error bars and the judgement of "
            "orders"
        ),
        latex=r"\widehat{\mathbb E}[d] \pm z\,\widehat{\mathrm{se}} \ni \mathbb E[d]"
        r"\text{ with probability } 1 - 2\Phi(-z)",
        source="this project",
        assumptions=(
            "instances are small where they are gone through, and random where they are large",
        ),
        readings=(
            Reading(
                "the simulated world",
                (
                    Check("distances at every depth", "exhaustive", _distances),
                    Check("structural function", "rigorous numeric", _structure),
                    Check("rewards", "Monte Carlo", _rewards),
                    Check("topologies", "exhaustive", _topologies),
                ),
                why="each is held against its definition in theory §2 and §3",
            ),
            Reading(
                "inference and its means",
                (
                    Check("solver", "rigorous numeric", _solver),
                    Check("means over pairs", "Monte Carlo", _means),
                    Check("combined comparisons", "exhaustive", _combined),
                    Check("nearest of independent responses", "Monte Carlo", _nearest),
                ),
                why="each is held against a dense or an exhaustive computation",
            ),
            Reading(
                "error bars",
                (Check("intervals cover", "Monte Carlo", _coverage),),
                why="over repeated samples the intervals hold the true mean as often as they say",
            ),
            Reading(
                "judgement of orders",
                (
                    Check("limits of known quotients", "symbolic", _limits),
                    Check("planted orders are told apart", "exhaustive", _planted),
                    Check("rates evaluate as they are written", "rigorous numeric", _evaluation),
                ),
                why="known orders are judged right, and orders off by 0.1 in n or a power of log n "
                "wrong",
            ),
        ),
    )


# --- The world -----------------------------------------------------------------------------------


def _g(world: Ultrametric, depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """d_IB at a depth, written out anew from theory §3."""
    base = np.log(world.branching)
    return (
        world.scale
        * {
            "power": lambda: np.exp(-world.alpha * base * depth),
            "logarithmic": lambda: (1 + base * depth) ** -world.alpha,
            "sub-logarithmic": lambda: 1 / (1 + np.log(1 + depth)),
        }[world.family]()
    )


def _distances(context: Context) -> Finding:
    """Pairs that part at each depth, by formula, by address and along the network's own edges."""
    off = 0.0
    for world in SPACES:
        depth = np.arange(len(world.powers) - 1)
        top = np.zeros(len(depth), np.uint64)
        other = world.powers[len(world.powers) - 2 - depth]  # differs from 0 first at that depth
        known = _g(world, depth.astype(float))
        off = max(off, float(np.max(np.abs(world.distance_at(depth) / known - 1))))
        off = max(off, float(np.max(np.abs(world.distance(top, other) / known - 1))))
        responses = np.concatenate([np.zeros(1, np.uint64), other])
        one = Comparisons(responses, np.zeros(1, np.int64), np.ones(1, np.int64))
        network = build_network(world, one, 1e12)  # a comparison that says nothing
        pairs = np.stack([np.zeros(len(depth), np.int64), 1 + depth], axis=1)
        along = inference_distance(network, pairs)
        off = max(off, float(np.max(np.abs(along / known - 1))))
        nodes = network.nodes[pairs].tolist()
        edges = np.array([optimal_path(network, *ends).distance for ends in nodes])
        off = max(off, float(np.max(np.abs(edges / known - 1))))
    words = (
        f"three families, every depth from 0 to {len(SPACES[0].powers) - 2}: distance_at, "
        f"distance, "
        f"inference_distance and the edges of the best path add up to g(k) within {off:.0e}"
    )
    return Finding(decided(off < 1e-9), words, {"off": off})


def _structure(context: Context) -> Finding:
    off, below = 0.0, True
    for world in SPACES:
        k = np.arange(0.0, 50.0)
        j = np.arange(200.0)
        known = 0.5 * (_g(world, k[:, None] + j) * 0.5**j).sum(axis=1)
        found = world.structural_function(2.0**k)
        off = max(off, float(np.max(np.abs(found / known - 1))))
        below &= bool(np.all(found < _g(world, k)))
    words = (
        f"F(2^k) = Σ_j 2^(-1-j) g(k + j) within {off:.0e}, k from 0 to 49, three families, and "
        f"{'always' if below else 'not always'} below g(k)"
    )
    return Finding(decided(off < 1e-9 and below), words, {"off": off})


def _rewards(context: Context) -> Finding:
    rng = context.rng("T0 rewards")
    world = Ultrametric(alpha=0.5, digits=30)
    address = np.array([0, 1 << 29, 1 << 20, 1 << 10, 1], np.uint64)
    draws = np.stack([world.rewards(address, rng) for _ in range(4000)])
    expected = world.distance(np.zeros(4, np.uint64), address[1:])
    level = 1.0 - CHECK_ERROR / 4
    found = [
        Estimate.of((draws[:, 0] - draws[:, i + 1]) ** 2 / expected[i]).interval(level)
        for i in range(4)
    ]
    holds = all(low <= 1.0 <= high for low, high in found)
    told = ", ".join(f"[{low:.3f}, {high:.3f}]" for low, high in found)
    return Finding(decided(holds), f"E(r(y) - r(y'))²/d_IB at four depths, 4000 draws: {told}")


def _topologies(context: Context) -> Finding:
    """Count responses, comparisons and how often each response is compared."""
    rng = context.rng("T0 topologies")
    world, n = Ultrametric(), 4096
    leaves = leaves_at("n/log n", n)
    wanted: dict[str, tuple[int, set[int] | None]] = {
        "chain": (2 * n, {1}),
        "tree": (leaves, None),
        "star": (n + 1, {1, n}),
        "expander": (n // 2, {4}),
        "stratified-star": (n + 1, {1, n}),
        "stratified-expander": (n // 2, {4}),
    }
    wrong = []
    for name, (responses, degrees) in wanted.items():
        made = build(name, world, n, rng, leaves=leaves)
        uses = np.bincount(np.concatenate([made.a, made.b]), minlength=len(made.responses))
        right = len(made.responses) == responses and len(made) == n
        right &= degrees is None or set(np.unique(uses).tolist()) == degrees
        right &= bool(np.all(made.a != made.b))
        if name.startswith("stratified"):
            exact = [int(x) * responses // int(world.powers[-1]) for x in made.responses.tolist()]
            right &= len(set(exact)) == responses
        if not right:
            wrong.append(name)
    tail = _uniform_pairs(build("tree", world, n, rng, leaves=16), 16)
    if tail < CHECK_ERROR:
        wrong.append("tree: pairs not uniform")
    words = (
        f"n = {n}: responses, comparisons and uses a response of {', '.join(wanted)} are as "
        f"defined "
        f"but for {', '.join(wrong) or 'none'}; a tree's pairs are uniform (χ² tail {tail:.2g})"
    )
    return Finding(decided(not wrong), words, {"wrong": wrong})


def _uniform_pairs(made: Comparisons, leaves: int) -> float:
    """χ² tail of how often each ordered pair of so many leaves is compared; 0 if there are more."""
    if len(made.responses) != leaves:
        return 0.0
    seen = np.bincount(leaves * made.a + made.b, minlength=leaves**2).reshape(leaves, leaves)
    expected = len(made) / (leaves * (leaves - 1))
    spread = float(np.sum((seen[~np.eye(leaves, dtype=bool)] - expected) ** 2)) / expected
    return float(chi2.sf(spread, leaves * (leaves - 1) - 1))


# --- Inference -----------------------------------------------------------------------------------


def _solver(context: Context) -> Finding:
    """Hold iterated solves against dense ones, where networks are too large for the latter."""
    rng = context.rng("T0 solver")
    off = 0.0
    for alpha, share in ((0.3, 1e-3), (1.0, 1e-6)):
        world = Ultrametric(alpha=alpha)
        made = build("expander", world, DENSE_NODES + 500, rng)
        network = build_network(world, made, share)
        pairs = rng.integers(0, len(network.nodes), (16, 2))
        pairs = pairs[network.nodes[pairs[:, 0]] != network.nodes[pairs[:, 1]]]
        known = resistance_matrix(network)[pairs[:, 0], pairs[:, 1]]
        off = max(off, float(np.max(np.abs(resistance(network, pairs) / known - 1))))
    words = (
        f"two networks of over {DENSE_NODES} nodes: resistances by conjugate gradients are the "
        f"dense ones within {off:.0e}; a tenth of the tolerance {TIGHT:.0e} is asked for"
    )
    return Finding(decided(off <= TIGHT / 10), words, {"off": off})


def _means(context: Context) -> Finding:
    """Hold means over sampled pairs against means over all pairs of a small world."""
    rng = context.rng("T0 means")
    world = Ultrametric(alpha=0.5, digits=7)
    everything = np.arange(128, dtype=np.uint64)
    parts, verdicts = [], []
    level = 1.0 - CHECK_ERROR / 4
    for name in ("chain", "tree"):
        made = build(name, world, 24, rng, leaves=10)
        known = len(made.responses)
        whole = Comparisons(np.concatenate([made.responses, everything]), made.a, made.b)
        network = build_network(world, whole, 0.02)
        pairs = np.stack(np.meshgrid(*2 * [known + np.arange(128)]), axis=-1).reshape(-1, 2)
        used = build_network(world, made, 0.02)
        truth = {
            "path": float(inference_distance(network, pairs).mean()),
            "exact": float(resistance_matrix(network)[known:, known:].mean()),
        }
        found = {
            "path": mean_distance(used, rel_err=0.004, rng=rng),
            "exact": mean_variance(used, rel_err=0.004, rng=rng),
        }
        for kind, estimate in found.items():
            low, high = (edge / truth[kind] for edge in estimate.interval(level))
            verdicts.append(decided(low <= 1.0 <= high and high - low < 0.06))
            parts.append(f"{name}, {kind} [{low:.3f}, {high:.3f}]")
    words = "; ".join(parts)
    return Finding(worst(verdicts), f"estimate over the mean of all 128² pairs: {words}")


def _combined(context: Context) -> Finding:
    """Averaged comparisons against their own parallel resistors."""
    rng = context.rng("T0 combined")
    world = Ultrametric(digits=12)
    made = build("tree", world, 60, rng, leaves=6)
    merged = combined(world, made, 0.7)
    apart = build_network(world, made, 0.7)
    pairs = np.stack(np.triu_indices(6, 1), axis=1)
    off = float(np.max(np.abs(resistance(merged, pairs) / resistance(apart, pairs) - 1)))
    words = (
        f"a tree of 6 leaves and 60 comparisons, those of one pair averaged to σ²/k: "
        f"{len(merged.u) - merged.bias_edges} edges, the same resistances within {off:.0e}"
    )
    return Finding(decided(off < 1e-9), words, {"off": off})


def _nearest(context: Context) -> Finding:
    rng = context.rng("T0 nearest")
    world, level = Ultrametric(alpha=0.5), 1.0 - CHECK_ERROR / 2
    parts, verdicts = [], []
    for count in (5, 200):
        draws = np.array(
            [
                world.distance(world.sample(1, rng), world.sample(count, rng)).min()
                for _ in range(4000)
            ]
        )
        low, high = (x / mean_nearest(world, count) for x in Estimate.of(draws).interval(level))
        verdicts.append(decided(low <= 1.0 <= high))
        parts.append(f"|S| = {count} [{low:.3f}, {high:.3f}]")
    words = f"measured over E[d_IB(y, S)] in closed form: {', '.join(parts)}"
    return Finding(worst(verdicts), words)


# --- Error bars and judgement --------------------------------------------------------------------


def _coverage(context: Context) -> Finding:
    """Repeat a mean many times and count how often its interval holds the truth."""
    rng = context.rng("T0 coverage")
    runs = 4000
    samples: dict[str, Callable[[], NDArray[np.float64]]] = {
        "normal, 5 draws": lambda: rng.normal(1.0, 1.0, 5),
        "exponential, 100 draws": lambda: rng.exponential(1.0, 100),
    }
    parts, verdicts = [], []
    for name, draw in samples.items():
        hits = 0
        for _ in range(runs):
            low, high = Estimate.of(draw()).interval(0.95)
            hits += low <= 1.0 <= high
        # A skewed mean of 100 covers a per cent less than it says.
        least = float(binom.ppf(CHECK_ERROR, runs, 0.935)) / runs
        most = float(binom.isf(CHECK_ERROR, runs, 0.95)) / runs
        verdicts.append(decided(least <= hits / runs <= most))
        parts.append(f"{name} {hits / runs:.3f}")
    words = f"95 % intervals hold the mean in a share of {runs} samples: {', '.join(parts)}"
    return Finding(worst(verdicts), words)


def _limits(context: Context) -> Finding:
    known: dict[str, tuple[Expr, Expr]] = {
        "log n over n^α": (log(N) / N**ALPHA, Integer(0)),
        "(log n)^α": (log(N) ** ALPHA, oo),
        "(2n)^(-α) over n^(-α)": ((2 * N) ** -ALPHA / N**-ALPHA, 2**-ALPHA),
        "log(n/log n) over log n": (log(N / log(N)) / log(N), Integer(1)),
        "log log n over log n": (log(log(N)) / log(N), Integer(0)),
    }
    wrong = [name for name, (quotient, limit) in known.items() if growth(quotient) != limit]
    words = f"{len(known)} quotients of known limits; wrong: {', '.join(wrong) or 'none'}"
    return Finding(decided(not wrong), words)


def _planted(context: Context) -> Finding:
    """Judge curves of known order with one per cent of error."""
    n = np.array([2.0**k for k in range(8, 19, 2)])
    wrong = []
    for power, logs in product((-0.3, -1.0), (0.0, 1.0)):
        mean = n**power * np.log(n) ** logs * (1 + 1 / np.log(n))
        curve = Curve(n, mean, 0.01 * mean)
        cases = {
            HOLDS: (power, logs),
            f"{FAILS} up": (power - 0.1, logs),
            f"{FAILS} down": (power + 0.1, logs),
        }
        for name, (claimed, claimed_log) in cases.items():
            drift = Drift.of(curve, n**claimed * np.log(n) ** claimed_log)
            if drift.judge() != name.split()[0]:
                wrong.append(f"n^{power:g} (log n)^{logs:g} against n^{claimed:g}")
        two_off = Drift.of(curve, n**power * np.log(n) ** (logs + 2))
        if two_off.judge(above=False) != FAILS or two_off.judge(below=False) != HOLDS:
            wrong.append(f"n^{power:g}: a rate too large by (log n)²")
    words = (
        "four planted orders with lower-order terms and 1 % of error: the right order holds, one "
        "off "
        "by 0.1 in n fails, one too large by (log n)² is an upper bound and not attained; wrong: "
        + ("; ".join(wrong) or "none")
    )
    return Finding(decided(not wrong), words)


def _evaluation(context: Context) -> Finding:
    n = np.array([10.0, 1e3, 1e9])
    expression = SCALE * N**-ALPHA * log(N) / log(log(N))
    found = Rate("", expression, "order", "").evaluate(n, 0.3, 2.0)
    known = 2.0 * n**-0.3 * np.log(n) / np.log(np.log(n))
    off = float(np.max(np.abs(found / known - 1)))
    return Finding(decided(off < EXACT), f"within {off:.0e} of the formula by NumPy")


CLAIMS: tuple[Callable[[], Claim], ...] = (t0,)
MUTANTS: dict[str, tuple[Callable[[], Claim], str]] = {}
