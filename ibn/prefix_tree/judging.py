"""Judges: which of two responses is better, by a rule, a model, or a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from ibn.errors import InputError, MissingExtra
from ibn.prefix_tree.local import load_model
from ibn.prefix_tree.pairing import Pair
from ibn.prefix_tree.prompts import Prompt
from ibn.prefix_tree.server import ask, connect, require_answer

Scorer = Callable[[Prompt, Sequence[str]], list[float]]
"""Scores responses to a prompt; more is better."""


@dataclass(frozen=True)
class PairVerdict:
    """What a judge says of a pair.

    Attributes
    ----------
    winner : int or None
        +1 for the first, -1 for the second, 0 for a tie; None where there is no answer.
    margin : float
        By how much, where the judge scores; 0 otherwise.
    problem : str
        Why there is no answer.
    """

    winner: int | None
    margin: float = 0.0
    problem: str = ""


class Judge(Protocol):
    """Anything that compares responses."""

    def judge(self, prompt: Prompt, pairs: Sequence[Pair]) -> list[PairVerdict]:
        """Compare pairs of responses to one prompt; a judgement each."""
        ...


@dataclass(frozen=True)
class ByScore:
    """Prefers the higher score.

    Attributes
    ----------
    score : Scorer
        Called once for all responses to a prompt.
    """

    score: Scorer

    def judge(self, prompt: Prompt, pairs: Sequence[Pair]) -> list[PairVerdict]:
        """Compare pairs of responses to one prompt."""
        texts = list(dict.fromkeys(leaf.text for pair in pairs for leaf in (pair.a, pair.b)))
        scores = dict(zip(texts, self.score(prompt, texts), strict=True))
        judged = []
        for pair in pairs:
            margin = scores[pair.a.text] - scores[pair.b.text]
            if margin != margin:
                judged.append(PairVerdict(None, problem="no score, or one that is not a number"))
            else:
                judged.append(PairVerdict((margin > 0) - (margin < 0), abs(margin)))
        return judged


# A minus behind a number or a word is a difference or a dash.
_NUMBER = re.compile(r"(?:(?<![\w.,)%])-)?\$?\d[\d,]*(?:\.\d+)?")
_EQUATION = re.compile(r"<<[^<>=]*=\s*([^<>]*)>>")
FINAL_SHARE = 0.7  # of the score that the final answer earns; the steps before it earn the rest


def verify_arithmetic(prompt: Prompt, responses: Sequence[str]) -> list[float]:
    """Score answers to a GSM8K problem by its final number and annotated intermediate results.

    The final number of the response, that behind ``####`` or ``A:`` if it has such, earns 0.7
    where it equals the reference's; the share of the reference's intermediate results (the
    right-hand sides of its ``<<...=...>>``) that occur in the response earns up to 0.3. It tells
    whether numbers are right, not whether the reasoning between them is.

    Parameters
    ----------
    prompt : Prompt
        Its record holds the reference under ``answer`` or ``ground_truth``.
    responses : sequence of str

    Raises
    ------
    InputError
        If there is no reference with a final number.
    """
    reference = _reference(prompt, ("answer", "ground_truth"))
    goal = final_number(reference)
    if goal is None:
        raise InputError("the reference has no final number", line=prompt.line)
    steps = [value for text in _EQUATION.findall(reference) if (value := _number(text)) is not None]
    scores = []
    for response in responses:
        numbers = {_number(text) for text in _NUMBER.findall(response)}
        reached = sum(step in numbers for step in steps) / len(steps) if steps else 0.0
        right = final_number(response) == goal
        scores.append(FINAL_SHARE * right + (1.0 - FINAL_SHARE) * reached)
    return scores


def final_number(text: str) -> float | None:
    """Read the final answer: behind ``####`` or a line's ``A:`` the first number, else the last."""
    marked = re.split(r"####|^\s*A:", text, flags=re.MULTILINE)
    tail = _NUMBER.findall(marked[-1]) if len(marked) > 1 else []
    found = tail[:1] or _NUMBER.findall(text)[-1:]
    return _number(found[0]) if found else None


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "").replace("$", "").strip())
    except ValueError:
        return None


def overlap(prompt: Prompt, responses: Sequence[str]) -> list[float]:
    """Score summaries by their overlap with the reference: the F measure of ROUGE-L.

    It tells how much of the reference's wording is met in order, not whether a summary that says
    the same otherwise is good.

    Parameters
    ----------
    prompt : Prompt
        Its record holds the reference under ``summary`` or ``reference``, or several under
        ``summary1``, ``summary2`` and so on: the score is then the mean over them.
    responses : sequence of str

    Raises
    ------
    MissingExtra
        If the package rouge-score is missing.
    """
    scorer = rouge()
    references = references_of(prompt)
    return [
        sum(scorer.score(one, response)["rougeL"].fmeasure for one in references) / len(references)
        for response in responses
    ]


def references_of(prompt: Prompt) -> list[str]:
    """List the references of a prompt: ``summary`` or ``reference``, or ``summary1`` and so on."""
    several = [
        value
        for name, value in prompt.record.items()
        if re.fullmatch(r"(summary|reference)\d+", name) and isinstance(value, str)
    ]
    return several or [_reference(prompt, ("summary", "reference"))]


def rouge() -> Any:
    """Make the scorer of ROUGE-L, with stems, or raise MissingExtra."""
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise MissingExtra("rouge-score", "llm", "the overlap with a reference") from None
    return RougeScorer(["rougeL"], use_stemmer=True)


def _reference(prompt: Prompt, names: tuple[str, ...]) -> str:
    for name in names:
        if isinstance(prompt.record.get(name), str):
            return prompt.record[name]
    raise InputError(
        f"this judge needs a reference under {' or '.join(names)}, and there is none",
        line=prompt.line,
    )


class RewardModelScore:
    """Scores by a reward model: a sequence classifier of one output.

    Parameters
    ----------
    name : str
        A directory or a name on the hub.

    Raises
    ------
    InputError
        If it cannot be loaded or has more than one output.
    """

    def __init__(self, name: str, *, device: str | None = None) -> None:
        self.torch, self.tokenizer, self.model = load_model(
            name, device, "AutoModelForSequenceClassification"
        )
        if self.model.config.num_labels != 1:
            raise InputError(f"{name} has {self.model.config.num_labels} outputs, not one reward")
        self.model.eval()
        self.end = ""
        self.longest = _reach(self.model)

    @classmethod
    def of(cls, torch: Any, tokenizer: Any, model: Any) -> RewardModelScore:
        """Score by a model that TRL has just trained, which ends plain texts by its end token."""
        one = cls.__new__(cls)
        one.torch, one.tokenizer, one.model = torch, tokenizer, model.eval()
        one.end = "" if tokenizer.chat_template else tokenizer.eos_token or ""
        one.longest = _reach(model)
        return one

    def __call__(self, prompt: Prompt, responses: Sequence[str]) -> list[float]:
        """Score responses to a prompt; NaN for one that is longer than the model reads."""
        scores = []
        for response in responses:  # one by one: padding would change what some models say
            encoded = self.tokenizer(
                self._text(prompt.text, response),
                return_tensors="pt",
                add_special_tokens=not self.tokenizer.chat_template,  # a template writes its own
            )
            if encoded["input_ids"].shape[1] > self.longest:
                scores.append(float("nan"))
                continue
            with self.torch.inference_mode():
                output = self.model(**encoded.to(self.model.device)).logits
            scores.append(float(output[0, 0]))
        return scores

    def _text(self, prompt: str, response: str) -> str:
        if not self.tokenizer.chat_template:
            return prompt + response + self.end
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        return self.tokenizer.apply_chat_template(turns, tokenize=False)


def _reach(model: Any) -> float:
    """Tokens that a model reads, where it says so."""
    return getattr(model.config, "max_position_embeddings", None) or float("inf")


QUESTION = """Which of two responses to a prompt is better?

Prompt:
{prompt}

Response A:
{a}

Response B:
{b}

Answer with one letter, A or B, or with the word tie."""


class ChatJudge:
    """A language model asked twice, the two responses in either order.

    Only what it says both times counts as a preference; contradicting itself makes a tie, and an
    answer that names neither makes none.

    Parameters
    ----------
    url, model : str
        Of an OpenAI-compatible server.
    question : str
        What is asked, with ``{prompt}``, ``{a}`` and ``{b}``.
    parallel : int
        Requests at a time.
    client : optional
        A ready client of the package ``openai``.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        question: str = QUESTION,
        parallel: int = 16,
        client: Any = None,
    ) -> None:
        self.model, self.question, self.parallel = model, question, parallel
        self.client = client or connect(url)
        if client is None:
            require_answer(self.client)

    def judge(self, prompt: Prompt, pairs: Sequence[Pair]) -> list[PairVerdict]:
        """Compare pairs of responses to one prompt."""
        orders = [(pair.a.text, pair.b.text) for pair in pairs]
        asked = [*orders, *[(b, a) for a, b in orders]]
        with ThreadPoolExecutor(self.parallel) as pool:
            answers = list(pool.map(lambda order: self._ask(prompt.text, *order), asked))
        return [
            _agreed(first, second)
            for first, second in zip(answers[: len(pairs)], answers[len(pairs) :], strict=True)
        ]

    def _ask(self, prompt: str, a: str, b: str) -> PairVerdict:
        filled = {"{prompt}": prompt, "{a}": a, "{b}": b}
        text = re.sub(r"\{(?:prompt|a|b)\}", lambda field: filled[field[0]], self.question)

        def send() -> str:
            answer = self.client.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": text}],
                temperature=0.0,
                max_tokens=16,
            )
            return (answer.choices[0].message.content or "") if answer.choices else ""

        said, problem = ask(send)
        return PairVerdict(None, problem=problem) if said is None else read_verdict(said)


def read_verdict(said: str) -> PairVerdict:
    """Read A, B or tie from what a language model says; anything else is no answer.

    The letter stands alone, before a stop, or behind ``response`` or ``answer``: the article *a*
    is no vote.
    """
    text = said.strip().strip("*_`'\"()[].:! \n")
    verdict = (
        re.fullmatch(r"(a|b|(?:a\s+)?tie)", text, re.IGNORECASE)
        or re.match(r"(A|B|[Tt]ie)(?!\s*[,/&]\s*(?:A|B|[Tt]ie|and|or)\b)(?=[^\w\s]|\n)", text)
        or re.match(r"(?:(?i:response|answer)\b\W*)+(A|B|[Tt]ie)\b", text)
    )
    if verdict is None:
        return PairVerdict(None, problem=f"the judge said {said.strip()[:60]!r}")
    return PairVerdict({"a": 1, "b": -1}.get(verdict[1].lower(), 0))


def _agreed(first: PairVerdict, second: PairVerdict) -> PairVerdict:
    """Make one judgement of two, the second of the responses in turned order."""
    for one in (first, second):
        if one.winner is None:
            return one
    assert first.winner is not None
    assert second.winner is not None
    return PairVerdict(first.winner if first.winner == -second.winner else 0)
