"""Numbers that an option takes between bounds."""

from __future__ import annotations

from math import isnan
from typing import Any

import click


class Between(click.FloatRange):
    """A number in a range, which NaN is not, although no comparison says so."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse a number; fail outside the range."""
        number = float(super().convert(value, param, ctx))
        if isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number
