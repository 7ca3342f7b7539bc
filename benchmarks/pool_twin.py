"""A pool's verdict once more by other code: scikit-learn, and nothing of ``simulations.pools``.

    python -m benchmarks.pool_twin POOL.jsonl --score win_probability --link logit

reads the pool, makes TF-IDF features, lays chain and tree, labels, fits scikit-learn's
cross-validated logistic regression, and prints pair accuracy with a standard error over seeds and
the difference of the two topologies: what to hold beside ``ibn validate --pool`` at the same n and
agreement. What is the same is the recipe, not a line of code: features by scikit-learn's own
vectoriser and SVD, counts by other words.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = dict[int, NDArray[np.int64]]
NAMES = ("chain", "tree-few", "tree-few less chain")


def load(
    path: Path, response: str, score: str, prompt: str, link: str
) -> tuple[list[str], NDArray, Floats]:
    """Read texts, prompt numbers and scores; identical responses to a prompt are averaged."""
    opener = gzip.open if path.suffix == ".gz" else open
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    with opener(path, "rt", encoding="utf-8") as file:
        for line in filter(str.strip, file):
            row = json.loads(line)
            parts = [v for v in row.values() if isinstance(v, dict)] if "*" in response else [row]
            for part in parts:
                text, value = part[response.strip("*.")], float(part[score.strip("*.")])
                if link == "logit":
                    value = min(max(value, 1e-9), 1 - 1e-9)
                    value = float(np.log(value / (1 - value)))
                seen[row[prompt], text].append(value)
    number: dict[str, int] = {}
    owner = np.array([number.setdefault(asked, len(number)) for asked, _ in seen])
    scores = np.array([np.mean(v) for v in seen.values()])
    several = np.bincount(owner)[owner] > 1
    texts = [text for (_, text), kept in zip(seen, several, strict=True) if kept]
    return texts, np.unique(owner[several], return_inverse=True)[1], scores[several]


def features(texts: list[str], owner: NDArray, seed: int) -> Floats:
    """64 components of TF-IDF beside counts, blocks of one size, less the prompt's mean."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    weighted = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+|[^\w\s]").fit_transform(texts)
    unit = normalize(TruncatedSVD(64, random_state=seed).fit_transform(weighted))
    marks = ("\n", "**", "#", "!", "?")
    words = (r"\S+", r"\n(?:-|\*|1\.|2\.)", r"\d")
    counts = np.log1p(
        [
            [len(x), *(x.count(mark) for mark in marks), *(len(re.findall(w, x)) for w in words)]
            for x in texts
        ]
    )
    central = np.empty(len(texts))
    for g in range(owner.max() + 1):
        rows = np.flatnonzero(owner == g)
        alike = unit[rows] @ unit[rows].T
        central[rows] = (alike.sum(axis=1) - np.diag(alike)) / (len(rows) - 1)
    blocks = []
    for block, whole in ((unit, True), (np.column_stack([counts, central]), False)):
        means = np.array([block[owner == g].mean(axis=0) for g in range(owner.max() + 1)])
        rest = block - means[owner]
        rest = rest if whole else rest / np.maximum(rest.std(axis=0), 1e-9)
        blocks.append(rest / np.sqrt(4.0 * np.mean((rest**2).sum(axis=1))))
    return np.hstack(blocks)


def lay_chain(groups: Groups, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Fresh pairs, a prompt after the other; when all are used, shuffle and begin again."""
    pairs: list[tuple[int, int]] = []
    while len(pairs) < n:
        decks = {g: list(rng.permutation(ids)) for g, ids in groups.items()}
        while any(len(deck) > 1 for deck in decks.values()) and len(pairs) < n:
            for g in rng.permutation(list(decks)):
                if len(decks[g]) > 1:
                    pairs.append((decks[g].pop(), decks[g].pop()))
    return np.array(pairs[:n])


def lay_tree(groups: Groups, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """n/log n leaves, as evenly over prompts as two a prompt allow, and n of their pairs."""
    size = round(n / np.log(n))
    chosen = rng.permutation(list(groups))[: max(1, size // 2)]
    decks = [list(rng.permutation(groups[g])) for g in chosen]
    leaves: list[list[int]] = [[] for _ in decks]
    left = size
    while left > 0 and any(decks):
        for deck, kept in zip(decks, leaves, strict=True):
            if deck and left > 0:
                kept.append(deck.pop())
                left -= 1
    pairs = [(a, b) for kept in leaves for i, a in enumerate(kept) for b in kept[:i]]
    order = np.concatenate([rng.permutation(len(pairs)) for _ in range(-(-n // len(pairs)))])[:n]
    return np.array(pairs)[order]


def accuracy(model: Floats, score: Floats, owner: NDArray, prompts: NDArray) -> float:
    """Share of pairs ranked rightly, averaged over prompts that have any."""
    found = []
    for g in prompts:
        rows = np.flatnonzero(owner == g)
        gap = np.subtract.outer(score[rows], score[rows])
        said = np.subtract.outer(model[rows], model[rows])
        if (gap > 0).any():
            found.append(np.mean(said[gap > 0] > 0))
    return float(np.mean(found))


def once(x: Floats, owner: NDArray, score: Floats, n: int, beta: float, seed: int) -> list[float]:
    """Accuracy of chain and of tree on a quarter of the prompts."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import GroupKFold

    rng = np.random.default_rng(np.random.SeedSequence([17, seed]))
    order = rng.permutation(owner.max() + 1)
    test, training = np.split(order, [round(len(order) / 4)])
    groups = {int(g): np.flatnonzero(owner == g) for g in training}
    found = []
    for rule in (lay_chain, lay_tree):
        a, b = rule(groups, n, rng).T
        won = rng.random(n) < 1.0 / (1.0 + np.exp(-beta * (score[a] - score[b])))
        flip = rng.random(n) < 0.5  # so that both classes occur
        rows = np.where(flip, -1.0, 1.0)[:, None] * (x[a] - x[b])
        folds = list(GroupKFold(4).split(rows, groups=owner[a]))
        fit = LogisticRegressionCV(
            Cs=4.0 ** np.arange(-5, 5), cv=folds, fit_intercept=False,
            scoring="neg_log_loss", max_iter=500,
        )  # fmt: skip
        fit.fit(rows, won ^ flip)
        found.append(accuracy(x @ fit.coef_[0], score, owner, test))
    return found


def temperature(score: Floats, owner: NDArray, agreement: float) -> float:
    """Bisect for the β at which labels agree so often with the better of a pair."""
    gaps = [np.subtract.outer(score[owner == g], score[owner == g]) for g in range(owner.max() + 1)]
    gap = np.concatenate([one[one > 0] for one in gaps])
    low, high = 1e-6, 1e3
    for _ in range(80):
        middle = (low * high) ** 0.5
        if np.mean(1.0 / (1.0 + np.exp(-np.minimum(middle * gap, 500.0)))) < agreement:
            low = middle
        else:
            high = middle
    return low


@click.command()
@click.argument("pool", type=Path)
@click.option("--response", default="response", help="Its column; *.NAME inside objects.")
@click.option("--score", default="score", help="Its column; *.NAME inside objects.")
@click.option("--prompt", default="prompt", help="Its column.")
@click.option("--link", type=click.Choice(["none", "logit"]), default="none")
@click.option("--n", default=1000, show_default=True, help="Labels.")
@click.option("--agreement", default=0.75, show_default=True, help="Of labels.")
@click.option("--seeds", default=20, show_default=True, help="Splits, layouts and labels.")
@click.option("--beside", type=Path, help="What ibn validate --pool --json printed.")
def main(
    pool: Path,
    response: str,
    score: str,
    prompt: str,
    link: str,
    n: int,
    agreement: float,
    seeds: int,
    beside: Path | None,
) -> None:
    """Print pair accuracy of chain and of tree with n/log n leaves on POOL."""
    import warnings

    warnings.filterwarnings("ignore", category=FutureWarning)
    texts, owner, values = load(pool, response, score, prompt, link)
    x = features(texts, owner, 0)
    beta = temperature(values, owner, agreement)
    each = np.array([once(x, owner, values, n, beta, seed) for seed in range(seeds)])
    each = np.column_stack([each, each[:, 1] - each[:, 0]])
    other = recorded(beside, n, agreement) if beside else [None] * 3
    for name, column, there in zip(NAMES, each.T, other, strict=True):
        mean, error = column.mean(), column.std(ddof=1) / len(column) ** 0.5
        line = f"{name:20} {mean:+.4f} ± {error:.4f}"
        if there is not None:
            apart = (mean - there[0]) / float(np.hypot(error, there[1]))
            line += f"; ibn validate {there[0]:+.4f} ± {there[1]:.4f}: {apart:+.1f} standard errors"
        print(line)


def recorded(path: Path, n: int, agreement: float) -> list[tuple[float, float] | None]:
    """Find the same numbers, and their standard errors, in a document."""
    document = json.loads(path.read_text(encoding="utf-8"))
    wanted = {"features": "tfidf", "n": n, "agreement": agreement, "learner": "cv"}
    rows = {
        row["topology"]: row
        for row in document["compared"]
        if all(row[k] == v for k, v in {**wanted, "measure": "accuracy"}.items())
    }
    found = [rows["chain"], rows["tree-few"], rows["tree-few"]["difference"]]
    return [(row["value"], row["stderr"]) for row in found]


if __name__ == "__main__":
    main()
