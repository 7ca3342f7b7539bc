import itertools

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from ibn.figures.typeset import html, plus_minus, scientific, significant, tex
from ibn.theory.rates import FAMILIES, INFERENCES, REGIMES, lower_bound, rate, ratio

EVERY = [
    *(
        rate(topology, family, regime, inference).expression
        for topology, family, regime, inference in itertools.product(
            ("chain", "tree"), FAMILIES, REGIMES, INFERENCES
        )
    ),
    *(ratio(*cell).expression for cell in itertools.product(FAMILIES, REGIMES, INFERENCES)),
    *(lower_bound(family).expression for family in FAMILIES),
]


@pytest.mark.parametrize("expression", dict.fromkeys(EVERY), ids=str)
def test_html_says_what_the_expression_says(expression):
    text = html(expression)
    for tag, plain in {"<i>": "", "</i>": "", "<sup>": "**(", "</sup>": ")"}.items():
        text = text.replace(tag, plain)
    for name, plain in {
        "|S|": "S", "σ²": "v", "α": "a", "−": "-", "&thinsp;": "*", "√n": "n**0.5"
    }.items():  # fmt: skip
        text = text.replace(name, plain)
    # log log n is log(log(n)).
    text = text.replace("log&nbsp;log&nbsp;n", "log(log(n))")
    text = text.replace("log&nbsp;n**0.5", "log(n**0.5)")
    for name in ("n", "S"):
        text = text.replace(f"log&nbsp;{name}", f"log({name})")
    text = text.replace("log&nbsp;(", "log(").replace("2a", "2*a").replace("2n", "2*n")
    values = {"n": 1e5, "S": 8e3, "a": 0.3, "v": 0.02, "I": 3.0}
    read = eval(text, {"log": np.log}, values)
    symbols = {"n": 1e5, "S": 8e3, "alpha": 0.3, "sigma^2": 0.02, "I": 3.0}
    known = expression.subs({s: symbols[s.name] for s in expression.free_symbols})
    assert read == pytest.approx(float(known))


@pytest.mark.parametrize("expression", dict.fromkeys(EVERY), ids=str)
def test_matplotlib_can_set_it(expression):
    MathTextParser("path").parse(f"${tex(expression)}$")


def test_numbers():
    assert plus_minus(0.47104, 0.00123) == "0.4710 ± 0.0012"
    assert plus_minus(123.4, 17.0) == "123 ± 17"
    assert plus_minus(1.0, 0.0) == "1 ± 0"
    assert [significant(x) for x in (1.4, 0.5971, 123.4)] == ["1.40", "0.597", "123"]
    assert scientific(1.0e-6) == "1.0×10⁻⁶"
    assert scientific(3.29) == "3.3"
