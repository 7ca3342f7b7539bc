import csv

import numpy as np
import pytest
from scipy.stats import t

from ibn.figures import tournament
from ibn.report.style import COLUMN, style
from ibn.simulations.language.outcomes import RECORD


def recorded():
    """Each duel's learner, decoder, win rate, half width and shares, straight from the table."""
    with RECORD.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    key = ("alpha", "n", "beta", "learner")
    chains = {tuple(r[k] for k in key): r for r in rows if r["topology"] == "chain"}
    found = []
    for r in rows:
        if r["topology"] != "chain":
            chain = chains[tuple(r[k] for k in key)]
            shares = [
                float(chain[name]) / (float(chain[name]) + float(r[name]))
                for name in ("variance", "distance")
            ]
            width = t.ppf(0.975, int(r["replicates"]) - 1)
            for name in ("regularised", "best_of_n", "rft"):
                half = width * float(r[f"{name}_error"])
                found.append(((r["learner"], name), float(r[name]), half, *shares))
    return found


def test_duels_are_the_recorded_rows():
    drawn = [
        ((one.learner, one.decoder), one.wins.mean, one.wins.margin(), one.variance, one.distance)
        for one in tournament.duels()
    ]
    for one, other in zip(drawn, recorded(), strict=True):
        assert one[0] == other[0]
        assert one[1:] == pytest.approx(other[1:])


def test_bars_count_who_wins_and_what_names_the_winners():
    with style():
        figure = tournament.draw()
    assert figure.get_figwidth() == COLUMN
    above, below = figure.axes
    outcomes = [
        0 if abs(wins - 0.5) <= half else np.sign(wins - 0.5) for _, wins, half, *_ in recorded()
    ]
    widths = [sum(bar.get_width() for bar in bars) for bars in above.containers]
    assert widths == [outcomes.count(side) for side in (1, 0, -1)]
    named = [bar.get_width() for bar in below.containers[0]]
    names = [label.get_text() for label in below.get_yticklabels()]
    for k, words in enumerate(("exact variance", "path distance")):
        told = sum(
            (wins > 0.5) == (shares[k] > 0.5)
            for _, wins, half, *shares in recorded()
            if abs(wins - 0.5) > half
        )
        assert named[names.index(words)] == told


def test_the_caption_counts_who_wins():
    words = tournament.caption()
    duels = tournament.duels()
    trees = [one for one in duels if "tree" in one.name and one.decoder == "regularised"]
    wins = sum(one.wins.interval()[0] > 0.5 for one in trees)
    losses = sum(one.wins.interval()[1] < 0.5 for one in trees)
    assert f"KL-regularised: trees {wins}, chain {losses} of {len(trees)};" in words


def test_trivial_rules_stand_beside_the_measures():
    decided = [one for one in tournament.duels() if one.winner]
    told = dict(tournament.named())
    assert told["always the chain"] == sum(one.winner < 0 for one in decided)
    assert list(told.values()) == sorted(told.values(), reverse=True)
    (table,) = tournament.tables()
    by_decoder = {row[0].text: [int(cell.text) for cell in row[1:]] for row in table.rows}
    assert by_decoder["clear winners"][-1] == len(decided)
    for words, count in told.items():
        assert by_decoder[words][-1] == count == sum(by_decoder[words][:-1])
