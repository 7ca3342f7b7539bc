"""The three tasks: their prompts, and the gold measure that stands for the human reward.

What each gold measure is, and is not: ``gsm8k`` checks numbers against the reference solution, not
the reasoning; ``dialogsum`` measures overlap with one reference summary, not faithfulness; ``hh``
is a reward model fitted to human pairs (the synthetic-gold protocol of Gao et al. 2023), which is
what these pairs and its features say of human preference, not human preference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ibn.errors import InputError, unknown_name
from ibn.prefix_tree.judging import Scorer, overlap, references_of, rouge, verify_arithmetic
from ibn.prefix_tree.prompts import Prompt, read_prompts


@dataclass(frozen=True, eq=False)
class LanguageTask:
    """Prompts and the measure that judges answers to them.

    Attributes
    ----------
    name : str
        ``gsm8k``, ``dialogsum`` or ``hh``.
    prompts : list of Prompt
        Of the file, in its order.
    gold : Scorer
        Scores responses; it labels comparisons and decides who wins.
    gold_is : str
        What the gold measure is.
    """

    name: str
    prompts: list[Prompt]
    gold: Scorer
    gold_is: str


def read_task(name: str, path: str | os.PathLike[str], seed: int = 0) -> LanguageTask:
    """Read a task's file.

    Parameters
    ----------
    name : {"gsm8k", "dialogsum", "hh"}
        Which task.
    path : path-like
        Problems with ``question`` and ``answer`` (or model solutions with ``ground_truth``);
        dialogues with ``dialogue`` and ``summary`` (or ``summary1`` and so on); or human
        preference pairs.
    seed : int
        Of the gold model of ``hh``.

    Raises
    ------
    InputError
        If there is no such task or the file does not fit it.
    """
    if name not in _READERS:
        raise unknown_name("task", name, _READERS)
    return _READERS[name](path, seed)


def _gsm8k(path: str | os.PathLike[str], seed: int) -> LanguageTask:
    prompts = read_prompts(path, template="{{ question }}")
    _require(prompts, path, ("answer", "ground_truth"))
    for prompt in prompts:
        try:
            verify_arithmetic(prompt, [])
        except InputError as error:
            raise InputError(error.problem, file=path, line=prompt.line) from None
    return LanguageTask(
        "gsm8k", prompts, verify_arithmetic, "final number (0.7) and intermediate results (0.3)"
    )


def _dialogsum(path: str | os.PathLike[str], seed: int) -> LanguageTask:
    template = "Summarize this dialogue in one or two sentences.\n\n{{ dialogue }}\n\nSummary:"
    prompts = read_prompts(path, template=template)
    for prompt in prompts:
        try:
            references_of(prompt)
        except InputError as error:
            raise InputError(error.problem, file=path, line=prompt.line) from None
    rouge()  # a missing package is noticed before anything is grown
    most = max(len(references_of(prompt)) for prompt in prompts)
    against = (
        "the reference summary" if most == 1 else f"up to {most} reference summaries, their mean"
    )
    return LanguageTask("dialogsum", prompts, overlap, f"ROUGE-L against {against}")


def _hh(path: str | os.PathLike[str], seed: int) -> LanguageTask:
    from ibn.preferences.reading import read_preferences

    data = read_preferences(path)
    prompts = [Prompt(text, {}, i + 1) for i, text in enumerate(data.prompts) if text.strip()]
    if not prompts:
        raise InputError("no prompts before the responses", file=path)
    return LanguageTask(
        "hh", prompts, _human_reward(data, seed), "a Bayesian reward model of the human pairs"
    )


def _human_reward(data: Any, seed: int) -> Scorer:
    """Fit the gold reward model of the human pairs, on TF-IDF features of its own."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    from ibn.learner.reward_model import fit

    embed = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2),
        TruncatedSVD(min(128, max(2, len(data.responses) // 4)), random_state=seed % 2**32),
    )
    model = fit(embed.fit_transform(data.responses), data.comparisons)

    def score(prompt: Prompt, responses: Any) -> list[float]:
        return model.at(embed.transform(list(responses))).rewards().tolist()

    return score


def _require(prompts: list[Prompt], path: object, names: tuple[str, ...]) -> None:
    for prompt in prompts:
        if not any(isinstance(prompt.record.get(name), str) for name in names):
            raise InputError(
                f"no reference under {' or '.join(names)}", file=path, line=prompt.line
            )


_READERS: dict[str, Callable[[str | os.PathLike[str], int], LanguageTask]] = {
    "gsm8k": _gsm8k,
    "dialogsum": _dialogsum,
    "hh": _hh,
}
TASKS = tuple(_READERS)


def split(
    prompts: list[Prompt],
    training: int,
    test: int,
    rng: np.random.Generator,
    fits: Callable[[Prompt], bool] = lambda prompt: True,
) -> tuple[list[Prompt], list[Prompt]]:
    """Draw prompts to grow data on and others to compare policies on, among those that fit.

    Raises
    ------
    InputError
        If there are too few.
    """
    chosen: list[Prompt] = []
    for i in rng.permutation(len(prompts)):
        if len(chosen) < training + test and fits(prompts[i]):
            chosen.append(prompts[i])
    if len(chosen) < training + test:
        raise InputError(
            f"{len(chosen)} prompts that leave room for a response are too few for "
            f"{training} + {test}"
        )
    return chosen[:training], chosen[training:]
