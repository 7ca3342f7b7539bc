"""Grids: listed values of each parameter, and the tasks of their product."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from ibn.errors import InputError, unknown_name
from ibn.simulations.sweeping.task import INFERENCES, Task

LEAST_REL_ERR = 1e-4  # some 10^8 draws, and no less without a cap
MOST_TASKS = 1_000_000  # of one grid
MOST_COMPARISONS = 10**9  # of one dataset, which then take some 24 GiB

Values = str | float | Iterable[str | float]
"""What a parameter accepts: text as on the command line, one value or several."""


@dataclass(frozen=True)
class Grid:
    """Values listed for each parameter of a sweep.

    Each is one value, several, or text as on the command line: ``"0.1,0.3"``, and for numbers
    also ``"1e2:1e6:9"``, nine values evenly spaced in the logarithm.
    """

    # values of the fields of Task; leaves are expressions in n
    topology: Values = "chain,tree"
    n: Values = "1e3,1e4"
    family: Values = "power"
    alpha: Values = "0.3"
    scale: Values = "1"
    branching: Values = "2"
    beta: Values = "1814"
    leaves: Values = "n/log(n)"
    inference: Values = "path,exact"
    # one value each, the same for all tasks. Replicates are numbered from 0
    rel_err: float = 0.01
    replicates: int = 1
    seed: int = 0
    max_count: int = 0
    max_seconds: float = 0.0

    def tasks(self) -> list[Task]:
        """Expand the product of all values, in the order listed, the last field fastest.

        A parameter that a topology or family ignores (the leaves of a chain, the α of the
        sub-logarithmic family) is 0 there, and tasks that then coincide are made once.

        Raises InputError if a value cannot be read, is out of range or names nothing known.
        """
        # Imported here because they bring NumPy and Numba, which help has no need of.
        from ibn.bias.ultrametric import FAMILIES, Ultrametric
        from ibn.estimate import require_target
        from ibn.preferences.noise import LabelNoise
        from ibn.topology import TOPOLOGIES

        topologies = _names("topology", self.topology, TOPOLOGIES)
        families = _names("family", self.family, FAMILIES)
        inferences = _names("inference", self.inference, INFERENCES)
        sizes = _whole("n", self.n)
        if max(sizes) > MOST_COMPARISONS:
            raise InputError(f"n = {max(sizes):.3g}", fix=f"at most {MOST_COMPARISONS:.0e}")
        alphas, scales = _numbers("alpha", self.alpha), _numbers("scale", self.scale)
        branchings = _whole("branching", self.branching)
        betas = _numbers("beta", self.beta)
        expressions = [str(item) for item in _items(self.leaves)]
        require_target(self.rel_err)
        if self.rel_err < LEAST_REL_ERR and not (self.max_count or self.max_seconds):
            raise InputError(
                f"a relative error of {self.rel_err:g}",
                fix=f"at least {LEAST_REL_ERR:g}, or a cap: --max-count",
            )
        if self.replicates < 1:
            raise InputError(f"replicates must be at least 1, not {self.replicates}")
        for name in ("seed", "max_count", "max_seconds"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise InputError(f"{name.replace('_', '-')} must not be negative, as {value} is")

        names, numbers = (topologies, families, expressions, inferences), (alphas, scales, betas)
        count = math.prod(len(one) for one in (*names, *numbers, sizes, branchings))
        count *= self.replicates
        if count > MOST_TASKS:
            raise InputError(f"{count:,} tasks", fix=f"at most {MOST_TASKS:,} at once")

        # Both check the ranges of what they are made of.
        worlds = [Ultrametric(*p) for p in product(families, alphas, scales, branchings)]
        for beta in betas:
            LabelNoise(beta)

        tasks = [
            Task(
                topology=topology,
                n=n,
                family=world.family,
                alpha=0.0 if world.family == "sub-logarithmic" else world.alpha,
                scale=world.scale,
                branching=world.branching,
                beta=beta,
                leaves=leaves_at(leaves, n) if "tree" in topology.split("-") else 0,
                inference=inference,
                replicate=replicate,
                seed=self.seed,
                rel_err=self.rel_err,
                max_count=self.max_count,
                max_seconds=self.max_seconds,
            )
            for topology, n, world, beta, leaves, inference, replicate in product(
                topologies, sizes, worlds, betas, expressions, inferences, range(self.replicates)
            )
        ]
        return list(dict.fromkeys(tasks))


@cache
def leaves_at(expression: str, n: int) -> int:
    """Evaluate the number of leaves |S|, an expression in n, and round it.

    ``expression``: arithmetic in ``n`` with ``log``, ``sqrt``, ``min`` and ``max``.

    Raises InputError if it cannot be evaluated, or gives fewer than 2 leaves.
    """
    from simpleeval import SimpleEval

    functions = {"log": math.log, "sqrt": math.sqrt, "min": min, "max": max}
    kinds = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow)
    binary = (*(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv), pow)
    # In floating point, where what is too large fails at once, whole numbers too.
    operators: dict[type, Any] = {
        kind: lambda x, y, of=of: of(float(x), float(y))
        for kind, of in zip(kinds, binary, strict=True)
    }
    operators |= {ast.USub: lambda x: -float(x), ast.UAdd: float}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of two expressions it takes the first, and warns
            value = float(SimpleEval(operators, functions, {"n": n}).eval(expression))
    except Exception as error:  # whatever arithmetic on a stranger's expression may raise
        raise InputError(
            f"leaves: cannot evaluate {expression!r} at n = {n}: {error}",
            fix="give an expression in n with log, sqrt, min or max, such as n/log(n)",
        ) from None
    if not 1.5 <= value < math.inf:
        raise InputError(f"leaves: {expression!r} gives {value:g} at n = {n}, fewer than 2")
    return round(value)


def _items(values: Values) -> list[str | float]:
    """List the values; text is split at its commas, save those within parentheses."""
    if not isinstance(values, str):
        return list(values) if isinstance(values, Iterable) else [values]
    items, depth = [""], 0
    for character in values:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items]


def _names(kind: str, values: Values, known: Iterable[str]) -> list[str]:
    names = [str(item) for item in _items(values)]
    for name in names:
        if name not in known:
            raise unknown_name(kind, name, known)
    return names


def _numbers(name: str, values: Values) -> list[float]:
    """Read numbers and ranges of positive numbers."""
    numbers: list[float] = []
    for item in _items(values):
        try:
            if isinstance(item, str) and ":" in item:
                low, high, count = item.split(":")
                numbers += _log_spaced(float(low), float(high), int(count))
            else:
                numbers.append(float(item))
        except InputError:
            raise
        except (ValueError, OverflowError):
            raise InputError(
                f"{name}: cannot read {item!r}",
                fix="give numbers such as 1e3,1e4 or a range low:high:count of positive numbers",
            ) from None
    return list(dict.fromkeys(numbers))


def _log_spaced(low: float, high: float, count: int) -> list[float]:
    """Space values evenly in the logarithm, to twelve digits: the same on every machine."""
    if not (0 < low < math.inf and 0 < high < math.inf and count >= 2):
        raise ValueError
    if count > MOST_TASKS:
        raise InputError(f"a range of {count:,} values", fix=f"at most {MOST_TASKS:,} tasks")
    step = math.log(high / low) / (count - 1)
    return [float(f"{low * math.exp(i * step):.12g}") for i in range(count)]


def _whole(name: str, values: Values) -> list[int]:
    """Read whole numbers above 0; those of a range are rounded."""
    numbers: list[int] = []
    for item in _items(values):
        ranged = isinstance(item, str) and ":" in item
        for value in _numbers(name, [item]):
            whole = round(value) if math.isfinite(value) else 0
            if whole < 1 or (whole != value and not ranged):
                raise InputError(f"{name} must be a whole number above 0, not {value:g}")
            numbers.append(whole)
    return list(dict.fromkeys(numbers))
