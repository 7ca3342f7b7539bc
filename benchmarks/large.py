"""Ten million comparisons: how long, and how much memory.

Run as a script with a topology and n, this module is the process that is measured.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.contest import Effort, Target, Within
from benchmarks.process import run
from benchmarks.timing import Agreement, Line, Result, Spread
from benchmarks.worlds import SETTING, Stream, dataset, network_of
from ibn.estimate import Estimate
from ibn.inference.gaussian import mean_variance
from ibn.inference.paths import mean_distance

REL_ERR = 0.01
WARM = 20_000
ESTIMATORS = {"path": mean_distance, "exact": mean_variance}


def stages(topology: str, n: int) -> dict[str, Any]:
    """Build a network, then estimate both its means; seconds of each, and the estimates."""
    start = time.perf_counter()
    network = network_of(dataset(topology, n))
    found: dict[str, Any] = {"build": {"seconds": time.perf_counter() - start}}
    for name, estimator in ESTIMATORS.items():
        start = time.perf_counter()
        estimate = estimator(network, rel_err=REL_ERR, rng=Stream.ESTIMATOR.rng())
        seconds = time.perf_counter() - start
        found[name] = {"seconds": seconds, "estimate": asdict(estimate)}
    return found


@dataclass(frozen=True)
class Large:
    """A case that measures a whole process once: time by stage, and memory.

    Attributes
    ----------
    name, what, n, small
        See ``contest.Case``.
    topology : str
        The topology.
    target : Target
        What it must keep within.
    """

    name: str
    what: str
    n: int
    small: int
    topology: str
    target: Target

    def run(self, n: int, effort: Effort) -> Result:
        """Measure at n comparisons."""
        effort.report(f"{self.name}: n = {n:,} in a process of its own")
        ended = run([sys.executable, "-m", "benchmarks.large", self.topology, str(n)])
        found = json.loads(ended.output)
        lines = []
        for stage, measured in found.items():
            agreement, note = None, ""
            if "estimate" in measured:
                estimate = Estimate(**measured["estimate"])
                agreement = Agreement(
                    estimate.relative_error <= REL_ERR, f"{estimate.relative_error:.2%} error"
                )
                note = f"{estimate.mean:.4g} ± {estimate.stderr:.1g} from {estimate.count:,} draws"
            lines.append(
                Line(
                    who=f"ibn, {stage}",
                    seconds=Spread.of([measured["seconds"]]),
                    peak=ended.peak if stage == list(found)[-1] else None,
                    agreement=agreement,
                    note=note,
                )
            )
        verdict = self.target.judge(lines)
        if n != self.n:
            verdict = replace(verdict, met=None)
        return Result(
            case=self.name,
            what=self.what,
            n=n,
            lines=lines,
            verdicts=[verdict],
            first_call=None,
            absent={},
            notes=[SETTING, f"The whole process, start-up included, took {ended.seconds:.3g} s."],
            curves=[],
        )


CASES = tuple(
    Large(
        name=f"large-{topology}",
        what=f"Both kinds of inference to {REL_ERR:.0%}, {topology}: time and peak memory",
        n=10_000_000,
        small=10_000,
        topology=topology,
        target=Within(gib=16),
    )
    for topology in ("chain", "tree")
)


def _main(topology: str, n: str) -> None:
    stages(topology, WARM)  # loads compiled code, or compiles
    json.dump(stages(topology, int(n)), sys.stdout)


if __name__ == "__main__":
    _main(*sys.argv[1:])
