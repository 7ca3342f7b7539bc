"""Write the page on pools of responses from what is on record of them.

    python -m ibn.simulations.pools.pool_page > docs/responses.md

Every number of the page comes from the documents that ``ibn validate --pool FILE --json`` printed
(``simulations/recorded/pool-*.json``) and from what the commands named there printed
(``simulations/recorded/pools.txt``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import numpy as np

from ibn.simulations import recorded
from ibn.simulations.cli.pool_tables import WORDS, in_units, shown
from ibn.simulations.paper import TASKS, WINS
from ibn.simulations.pools import foreseen
from ibn.simulations.pools.deciding import COIN, LEARNER

POOLS: dict[str, tuple[str, str]] = {
    "alpaca_eval_pool": (
        "AlpacaEval",
        "responses of 41 models to AlpacaEval's instructions, `results/*/annotations` of "
        "[tatsu-lab/alpaca_eval](https://github.com/tatsu-lab/alpaca_eval), one row a response "
        "with the judge's probability that it beats the baseline",
    ),
    "gsm8k_model_solutions": (
        "GSM8K solutions",
        "`example_model_solutions.jsonl` of "
        "[openai/grade-school-math](https://github.com/openai/grade-school-math)",
    ),
    "ted_zh_en_mqm": (
        "TED translations",
        "the TED talks, Chinese to English, of "
        "[google/wmt-mqm-human-evaluation](https://github.com/google/wmt-mqm-human-evaluation), "
        "one row a translation with its MQM score",
    ),
}
COMMANDS = {
    "alpaca_eval_pool": "--score win_probability --link logit --n 100,300,1000,3000,20000",
    "gsm8k_model_solutions": "--column prompt=question --column 'response=*.solution' "
    "--score '*.is_correct' --n 100,300,1000,3000",
    "ted_zh_en_mqm": "--score mqm --agreement 0.75,0.65,0.9,own --n 100,300,1000,3000,10000",
}
FILES = {
    "alpaca_eval_pool": "alpaca_eval_pool.jsonl.gz",
    "gsm8k_model_solutions": "gsm8k_model_solutions.jsonl",
    "ted_zh_en_mqm": "ted_zh_en_mqm.jsonl.gz",
}
TREES = ("tree-few", "tree-half", "tree-n", "tree-2n", "tree-few-grouped", "tree-n-grouped")
Document = dict[str, Any]
Row = dict[str, Any]


def lines_of(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Set a table in Markdown."""
    head = list(header)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def name_of(document: Document) -> str:
    """Name a pool for people."""
    return POOLS.get(document["pool"], (document["pool"], ""))[0]


def first(document: Document) -> str:
    """Name the features that every question was put to."""
    return str(document["ceiling"][0]["features"])


def pick(document: Document, table: str, **wanted: Any) -> list[Row]:
    """Pick rows of a table."""
    return [r for r in document[table] if all(r.get(k) == v for k, v in wanted.items())]


def main_rows(document: Document, n: int, measure: str, learner: str = LEARNER) -> list[Row]:
    """Pick every topology at one n, first features."""
    wanted = {"features": first(document), "n": n, "learner": learner, "measure": measure}
    return pick(document, "compared", **wanted)


def sizes(document: Document) -> list[int]:
    """List the numbers of labels."""
    wanted = pick(document, "compared", features=first(document))
    return sorted({row["n"] for row in wanted})


def one(document: Document, n: int, topology: str, measure: str, learner: str = LEARNER) -> Row:
    """Pick one topology."""
    return next(r for r in main_rows(document, n, measure, learner) if r["topology"] == topology)


def _advice(few: list[dict[str, Any]]) -> str:
    """Say what to lay out, from what a label on few distinct responses is worth."""
    below, above = any(row["high"] < 1.0 for row in few), any(row["low"] > 1.0 for row in few)
    if below and not above:
        return (
            "Compare fresh responses over many prompts, and never far fewer distinct ones than "
            "there are labels"
        )
    if above and not below:
        return "Compare few distinct responses, far fewer than there are labels, many times"
    return "These pools do not decide whether to reuse responses"


def sentences(found: list[Document]) -> str:
    """Say in three sentences what to lay out, when it matters, and how much."""
    deciding = [d for d in found if d["ceiling"][0]["accuracy"]["value"] >= COIN]
    worth = {
        t: [(d, pick(d, "units", n=1000, topology=t)[0]) for d in deciding]
        for t in ("tree-few", "tree-n")
    }
    few, same = (_sorted_out(each, 1.0, in_units) for each in worth.values())
    evidence, crossed = (
        _sorted_out(
            [(d, one(d, 1000, "tree-few", "accuracy", k)["difference"]) for d in deciding],
            0.0,
            shown,
        )
        for k in ("evidence", LEARNER)
    )
    last = [(d, pick(d, "units", n=max(sizes(d)), topology="tree-few")[0]) for d in deciding]
    most = [(d, _win(d, max(sizes(d)), "tree-few")) for d in deciding]
    paper = ", ".join(f"{rate:.2f}" for rate in WINS["tree", "chain"].values())
    halved = [name_of(d) for d, r in last if r["high"] < 0.5]
    costs = f" (worse than half the chain's labels on {', '.join(halved)})" if halved else ""
    return (
        f"1. **What to lay out.** {_advice([row for _, row in worth['tree-few']])}: "
        "at 1,000 labels one label on n/log n distinct "
        f"responses is worth, in chain labels that reach the same log loss, {few}, and one on n "
        f"distinct responses {same}.\n"
        "2. **When it matters.** With few distinct responses, and most of all where the penalty is "
        "chosen by evidence, which takes labels that share a response for independent: pair "
        "accuracy with n/log n responses less the chain's at 1,000 labels is, by evidence, "
        f"{evidence}; by cross-validation over prompts, {crossed}.\n"
        "3. **How much.** At the most labels a label on n/log n responses is worth "
        + "; ".join(f"{in_units(r)} chain labels ({name_of(d)}, n = {r['n']:,})" for d, r in last)
        + costs
        + ", and the best of N by that tree's model scores above that by the chain's in "
        + "; ".join(f"{shown(r)} ({name_of(d)}, N = {r['draws']})" for d, r in most)
        + f", where the paper reports {paper}: no tree on these pools is clearly above one half "
        f"there{_exceptions(deciding)}.\n"
    )


def _sorted_out(rows: list[tuple[Document, Row]], null: float, write: Any) -> str:
    """List numbers that are clearly off a value, and those that are not told from it."""
    clear = [(d, r) for d, r in rows if not r["low"] <= null <= r["high"]]
    rest = [(d, r) for d, r in rows if r["low"] <= null <= r["high"]]
    parts = [f"{write(r)} on {name_of(d)}" for d, r in clear]
    if rest:
        each = ", ".join(f"{name_of(d)} {write(r)}" for d, r in rest)
        parts.append(f"not told from {null:g} on {each}")
    return "; ".join(parts)


def _exceptions(found: list[Document]) -> str:
    """Name the trees that are clearly above one half, if any."""
    rows = [
        f"{name_of(d)} {r['topology']} at N = {r['draws']}, {shown(r)}"
        for d in found
        for r in pick(
            d, "wins", features=first(d), n=max(sizes(d)), kind="against_chain", learner=LEARNER
        )
        if r["low"] > 0.5 and r["topology"].startswith("tree")
    ]
    return f", but for {'; '.join(rows)}" if rows else ""


def _win(document: Document, n: int, topology: str) -> Row:
    rows = pick(
        document,
        "wins",
        features=first(document),
        n=n,
        topology=topology,
        kind="against_chain",
        learner=LEARNER,
    )
    return max(rows, key=lambda row: row["draws"])


def ceilings(found: list[Document]) -> str:
    """Tabulate what the same learner reaches on true scores."""
    rows = []
    for d in found:
        for r in d["ceiling"]:
            coin = "little" if r["accuracy"]["value"] < COIN else ""
            rows.append(
                [
                    name_of(d),
                    f"{d['responses']:,} / {d['prompts']} / {d['pairs']:,}",
                    r["features"],
                    shown(r["accuracy"]),
                    f"{shown(r['wins'])}, N = {r['best_of']}",
                    coin,
                ]
            )
    head = ("pool", "responses / prompts / pairs", "features", "pair accuracy", "best of N", "")
    return lines_of((*head[:4], "best of N over a random response", "decides"), rows)


def win_table(d: Document) -> str:
    """Tabulate tree over chain by N at the most labels."""
    n = max(sizes(d))
    wanted = {"features": first(d), "n": n, "learner": LEARNER}
    draws = sorted({r["draws"] for r in pick(d, "wins", **wanted)})
    rows = []
    for kind, words in (
        ("against_chain", "over the chain, own draws"),
        ("same", "over the chain, the same draws"),
        ("against_base", "over a random response"),
    ):
        for topology in ("chain", *TREES):
            each = {r["draws"]: r for r in pick(d, "wins", kind=kind, topology=topology, **wanted)}
            if each:
                rows.append([topology, words, *(shown(each[k]) for k in draws)])
    paper = ", ".join(f"{TASKS[t]} {r:.2f}" for t, r in WINS["tree", "chain"].items())
    return f"**{name_of(d)}, n = {n:,}** (the paper, tree over chain: {paper})\n\n" + lines_of(
        ("topology", "best of N wins", *(f"N = {k}" for k in draws)), rows
    )


def differences(d: Document, table: str, n: int, agreement: Any = 0.75) -> str:
    """Tabulate the differences to the chain."""
    rows = []
    for measure_rows in zip(
        *(
            pick(
                d,
                table,
                features=first(d),
                n=n,
                learner=LEARNER,
                measure=measure,
                agreement=agreement,
            )
            for measure in WORDS
        ),
        strict=True,
    ):
        rows.append(
            [
                measure_rows[0]["topology"],
                *(f"{measure_rows[0][k]:,.0f}" for k in ("responses", "prompts", "words")),
                f"{measure_rows[0]['value']:.3f}",
                *(
                    shown(r["difference"], 4 if r["measure"] == "log_loss" else 3)
                    if r["topology"] != "chain"
                    else ""
                    for r in measure_rows
                ),
            ]
        )
    head = ("topology", "responses", "prompts", "words read", "pair accuracy")
    return lines_of((*head, *(f"{word}, to the chain" for word in WORDS.values())), rows)


def penalties(d: Document) -> str:
    """Tabulate how far each way to choose the penalty is from the oracle's."""
    wanted = {"features": first(d), "n": 1000}
    rows = pick(d, "penalties", **wanted)
    learners = list(dict.fromkeys(r["learner"] for r in rows))
    each = {(r["topology"], r["learner"]): r for r in rows}
    return lines_of(
        ("topology", *learners),
        [
            [t, *(shown(each[t, k], 4) if (t, k) in each else "" for k in learners)]
            for t in dict.fromkeys(r["topology"] for r in rows)
        ],
    )


def predictors(found: list[Document]) -> str:
    """Tabulate E6's correlations: each, and its difference to the exact variance's."""
    names = {**foreseen.RULES, **foreseen.MEASURES}
    rows = []
    for d in found:
        for learner in ("evidence", LEARNER):
            for r in pick(d, "predicted", features=first(d), learner=learner):
                apart = shown(r["difference"], 2) if r["predictor"] != "kernel" else ""
                rows.append(
                    [
                        name_of(d),
                        learner,
                        names[r["predictor"]],
                        shown(r, 2),
                        apart,
                        f"{r['of_means']:.2f}",
                    ]
                )
    head = ("pool", "penalty by", "predictor", "rank correlation")
    return lines_of((*head, "less the exact variance's", "of the means of all seeds"), rows)


def e6(found: list[Document]) -> str:
    """Say what E6 comes to, from the intervals."""
    lines = []
    for d in found:
        for learner in ("evidence", LEARNER):
            rows = pick(d, "predicted", features=first(d), learner=learner)
            by = {r["predictor"]: r for r in rows}
            path = by["distance"]["difference"]
            worse = "below" if path["high"] < 0 else "above" if path["low"] > 0 else "not told from"
            rules = [
                foreseen.RULES[k]
                for k in foreseen.RULES
                if by[k]["difference"]["high"] >= 0 and by[k]["low"] > 0
            ]
            lines.append(
                f"- {name_of(d)}, penalty by {learner}: the exact variance by the learner's kernel "
                f"{shown(by['kernel'], 2)}; the path distance is {worse} it "
                f"({shown(path, 2)}); rules that rank at all and are not clearly behind it: "
                f"{', '.join(rules) or 'none'}{_wanted(by, d['seeds'])}."
            )
    return "\n".join(lines) + "\n"


def _wanted(by: dict[str, Row], seeds: int) -> str:
    """Say how many seeds would tell variance and distance apart, where these do not."""
    path = by["distance"]["difference"]
    if not path["low"] <= 0 <= path["high"] or path["value"] == 0:
        return ""
    reach = (path["high"] - path["low"]) / 2.0
    enough = int(np.ceil(seeds * (reach / path["value"]) ** 2))
    return f"; about {enough} seeds would tell the two apart, were the difference as measured"


def units(found: list[Document]) -> str:
    """Tabulate label units."""
    rows = []
    for d in found:
        for r in d["units"]:
            if r["features"] == first(d):
                rows.append([name_of(d), f"{r['n']:,}", r["topology"], in_units(r)])
    return lines_of(("pool", "n", "topology", "chain labels a label"), rows)


def spent(d: Document) -> str:
    """Tabulate prompts against pairs, with what the theory's exact variance says of it."""
    rows = []
    for r in d["foreseen"]:
        loss = pick(
            d, "spent", n=r["n"], topology=r["topology"], learner=LEARNER, measure="log_loss"
        )[0]
        rows.append(
            [
                f"{r['n']:,}",
                r["topology"],
                f"{loss['prompts']:.0f}",
                shown(loss["difference"], 4) if r["topology"] != "chain" else "",
                *(f"{r[key]:.3f}" for key in ("error", "kernel", "own")),
            ]
        )
    head = ("n", "layout", "prompts", "log loss, to the chain", "squared error over the chain's")
    return lines_of((*head, "exact variance over the chain's", "with own parts"), rows)


def fall(found: list[Document]) -> str:
    """Tabulate how fast the chain's loss falls."""
    rows = []
    for d in found:
        r = d["fall"]
        if not r:
            continue
        low, high = r["range"]
        rows.append(
            [
                name_of(d),
                f"{r['fitted']:.2f} [{r['low']:.2f}, {r['high']:.2f}]",
                f"{low:g} to {high:g}",
                f"{r['alpha']:.3g}" if "alpha" in r else "",
                f"{r['predicted']:.2f}" if "alpha" in r else "",
                r.get("words", "cannot be estimated"),
            ]
        )
    head = ("pool", "ρ fitted", "sought in", "α of the features", "α/(1 + α)", "their structure")
    return lines_of(head, rows)


def page(found: list[Document], printed: str) -> str:
    """Write the page.

    Parameters
    ----------
    found : list of dict
        The documents.
    printed : str
        What the commands of coverage and of the second implementation printed.
    """
    from ibn.simulations.pools.page_words import COVERED, FINITE, INTRO, LEARNERS, READS

    each = {d["pool"]: d for d in found}
    where = "\n".join(
        f"- **{POOLS[name][0]}**: {POOLS[name][1]}.\n\n  ```sh\n  ibn validate "
        f"--pool {FILES[name]} {COMMANDS[name]} \\\n    --features "
        f"tfidf,given,plain,tfidf-gp --embeddings minilm-{name}.npy --seeds 20 --out {name}\n  ```"
        for name in each
        if name in POOLS
    )
    seeds = ", ".join(f"{name_of(d)} {d['seeds']}" for d in found)
    parts = [
        INTRO,
        "## In three sentences\n",
        sentences(found),
        "## What was run\n",
        where + "\n",
        f"Seeds: {seeds}. Each draws anew a quarter of the prompts to hold out, the layout and "
        "the labels. " + READS,
        "## The ceiling\n",
        "What the same learner reaches where it is given the true scores of all training "
        f"responses. Below {COIN:.2f} in pair accuracy a pool decides little.\n",
        ceilings(found),
        "## Tree over chain\n",
        "```{image} _gallery/pool-wins.svg\n:alt: Win rates of tree over chain by N\n"
        ":width: 30rem\n```\n",
        *(win_table(d) for d in found),
        "## Every topology beside the chain\n",
        "Labels of 75 % agreement, penalty by cross-validation over prompts.\n",
        "```{image} _gallery/pool-errors.svg\n:alt: Log loss by labels\n:width: 30rem\n```\n",
        *(
            f"**{name_of(d)}, n = {n:,}**\n\n" + differences(d, "compared", n)
            for d in found
            for n in dict.fromkeys((1000, max(sizes(d))))
        ),
        "Any two responses, of whatever prompts, tested within prompts as all others:\n",
        *(f"**{name_of(d)}, n = 1,000**\n\n" + differences(d, "across", 1000) for d in found),
        "## The learner is half of the verdict\n",
        LEARNERS,
        *(f"**{name_of(d)}, n = 1,000**\n\n" + penalties(d) for d in found),
        "## Many prompts or many pairs\n",
        "```{image} _gallery/pool-spending.svg\n:alt: Loss by share of prompts\n"
        ":width: 30rem\n```\n",
        *(f"**{name_of(d)}**\n\n" + spent(d) for d in found),
        "The chain's log loss as c + A n^(−ρ), beside the exact rate α/(1 + α) of E3 for the α of "
        "the features' structure:\n",
        fall(found),
        "## What foresees the error (E6)\n",
        "```{image} _gallery/pool-predictors.svg\n:alt: Rank correlations\n:width: 30rem\n```\n",
        e6(found),
        predictors(found),
        "## Label units\n",
        "How many labels of the chain reach the same log loss, for one label of the topology; "
        "≤ and ≥ where the chain's curve ends.\n",
        units(found),
        "## Other label noise\n",
        *(
            f"**{name_of(d)}, n = 1,000, agreement {a}**\n\n" + differences(d, "noise", 1000, a)
            for d in found
            for a in dict.fromkeys(r["agreement"] for r in d["noise"])
        ),
        "## Do the intervals cover, and does other code agree?\n",
        COVERED,
        printed,
        FINITE,
    ]
    return "\n".join(parts)


@click.command()
def main() -> None:
    """Print the page on pools of responses."""
    order = list(POOLS)
    found = sorted(
        (recorded.load(path.stem) for path in recorded.files("pool-")),
        key=lambda d: order.index(d["pool"]) if d["pool"] in order else len(order),
    )
    printed = (recorded.FOLDER / "pools.txt").read_text(encoding="utf-8")
    print(page(found, "```text\n" + printed + "```\n"), end="")


if __name__ == "__main__":
    main()
