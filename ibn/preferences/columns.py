"""Which column of a file plays which role, decided once from a sample of its records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ibn.errors import InputError, unknown_name
from ibn.preferences.column_names import (
    BATTLES,
    BETTER_BATTLES,
    BETTER_PAIRS,
    PAIRS,
    by_canonical,
    canonical,
    end_of,
)
from ibn.preferences.fields import names, structured, value_at
from ibn.preferences.label_codes import FAULTS, certain_word, token_of
from ibn.preferences.source import Record
from ibn.preferences.transcripts import holds_messages, speaks, turn_of

PROMPTS = ("prompt", "instruction", "question", "problem", "query", "history")
# Lists of messages under these names are prompts; texts there might be anything.
PROMPT_TALKS = (
    *("conversations", "conversation", "context", "messages", "dialogue", "dialog"),
    "context_messages",
)
PROMPT_INSIDE = ("full_text", "text", "post", "article", "problem")  # of a prompt that is an object
BEFORE, BEHIND = ("system", "system_prompt"), ("input",)
LIKELY = ("input", "context", "post", "source", "dialogue", "document", "title", "article", "info")
VERDICTS = (
    *("winner", "better_response_id", "overall_preference", "preference", "preferred", "labels"),
    *("label", "choice", "better", "better_response", "best", "chosen", "verdict", "outcome"),
    *("result", "vote", "preference_responses"),
)
ANNOTATED = re.compile(r"(annotator|rater|judge|annotation|label|vote)_\d+(_label)?")
ONE_HOT = (("winner_model_a", "winner_model_b"), ("winner_a", "winner_b"))
ONE_HOT_TIES = ("winner_tie", "winner_both_bad", "tie", "tie_bothbad", "winner_tie_bothbad")
ANNOTATORS = ("annotator", "annotator_id", "worker", "worker_id", "rater", "judge", "judge_id")
WEIGHTS = ("weight", "weights", "count", "counts")
LISTS = (
    "responses",
    "summaries",
    "completions",
    "answers",
    "candidates",
    "outputs",
    "output",
    "generations",
)
RANKED = ("ranked", "ranked_responses", "ranked_outputs", "responses_ranked", "ranked_completions")
TEXTS = ("response", "text", "solution", "completion", "answer", "content", "output")
CORRECT = "is_correct"
RANKS = ("rank", "ranks")
SCORES = ("score", "scores", "overall_score", "rating", "ratings")
RANKING = "ranking"
TAGS = ("label", "kto_tag", "desirable", *FAULTS)
CHOICES = tuple(
    f"{name}{end}"
    for end in ("", "_id", "_idx", "_index")
    for name in ("choice", "chosen", "best", "preferred")
)
ROLES = (
    *("prompt", "system", "chosen", "rejected", "response_a", "response_b", "winner", "margin"),
    *("prompt_a", "prompt_b", "responses", "scores", "ranks", "ranking", "ranked", "response"),
    *("weight", "annotator", "probability_a", "probability_b", "model_a", "model_b"),
    "choice",
)


@dataclass(frozen=True)
class Wishes:
    """What the user says about a file.

    Attributes
    ----------
    columns : mapping of str to str
        What the file calls a column, by role; several that make one prompt are joined by ``+``.
    winner : mapping of str to str, optional
        What labels mean: a, b, tie or skip.
    score : str, optional
        The column of scores.
    no_prompt : bool
        There are no prompts.
    labelled : bool
        Pairs must say which is the better.
    models : bool
        Compare the models rather than what they said.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    winner: Mapping[str, str] | None = None
    score: str | None = None
    no_prompt: bool = False
    labelled: bool = True
    models: bool = False

    @cached_property
    def codes(self) -> frozenset[str]:
        """Tokens of the labels whose meaning is given."""
        return frozenset(map(token_of, self.winner or ()))

    def __post_init__(self) -> None:
        for role in self.columns:
            if role not in ROLES:
                raise unknown_name("column", role, ROLES)
        meanings = ("a", "b", "tie", "skip", "good", "bad")
        for value, meaning in (self.winner or {}).items():
            if meaning not in meanings:
                raise InputError(
                    f"--winner {value}={meaning}", fix=f"a meaning is {', '.join(meanings)}"
                )


@dataclass(frozen=True)
class Columns:
    """The role of each column of a file.

    Attributes
    ----------
    kind : {"pairs", "battles", "list", "solutions", "pool"}
        Two responses a record, two models, several responses, several judged objects, or one.
    prompt : tuple of str
        Columns that together make the prompt, joined in this order; none where the prompt is
        inside, or there is none.
    sides : tuple of str
        Two columns of responses, or one of their list or of the single response.
    names : tuple of str
        Canonical names of the sides, by which labels may name them.
    prompt_b : str, optional
        The prompt of the second side, where it has its own.
    labels : tuple of str
        Columns of labels: one, one each annotator, or one-hot; none where the sides tell.
    numbers : {"", "one-hot", "merits"}
        Whether ``labels`` are first, second and ties, of which one is 1; or a score or rank a side.
    models : tuple of str
        Columns of the models beside, which a label may name.
    probability : tuple of (str, bool), optional
        A column of probabilities, and whether it is the first side's.
    judge : str, optional
        What judges the responses of a list or pool.
    text : str, optional
        Where in an object of a list the response is.
    margin, weight, annotator : str, optional
        Their columns.
    choice : str, optional
        A column of the position, from 0, of the best of a list.
    full : bool
        Whether the first side is a whole conversation, the second only what would end it.
    talks : bool
        Whether prompts or responses are lists of messages.
    turn : str, optional
        What begins a reply in transcripts that hold their prompt.
    """

    kind: str
    prompt: tuple[str, ...]
    sides: tuple[str, ...]
    names: tuple[str, ...]
    prompt_b: str | None = None
    labels: tuple[str, ...] = ()
    numbers: str = ""
    choice: str | None = None
    full: bool = False
    models: tuple[str, ...] = ()
    probability: tuple[str, bool] | None = None
    judge: str | None = None
    text: str | None = None
    margin: str | None = None
    weight: str | None = None
    annotator: str | None = None
    talks: bool = False
    turn: str | None = None

    def roles(self) -> dict[str, list[str]]:
        """List the columns used, by what for."""
        probability = [self.probability[0]] if self.probability else []
        found = {
            "prompt": [*self.prompt, *([self.prompt_b] if self.prompt_b else [])],
            "responses": list(self.sides),
            "label": [
                *self.labels,
                *probability,
                *([self.judge] if self.judge else []),
                *([self.choice] if self.choice else []),
            ],
            "margin": [self.margin] if self.margin else [],
            "weight": [self.weight] if self.weight else [],
            "annotator": [self.annotator] if self.annotator else [],
        }
        return {role: columns for role, columns in found.items() if columns}

    @property
    def used(self) -> set[str]:
        """Names of the columns that are used, outermost where they lead into an object."""
        return {name for columns in self.roles().values() for name in columns}

    def __str__(self) -> str:
        what = "conversations" if self.talks else "transcripts" if self.turn else "texts"
        what = "models" if self.kind == "battles" else what
        return f"{'/'.join(name for x in self.roles().values() for name in x)} {what}"


class Sample:
    """The first records of a file, by column."""

    def __init__(self, records: Sequence[Record], wishes: Wishes) -> None:
        self.records, self.wishes = records, wishes
        self.keys = list(dict.fromkeys(key for record in records for key in record))
        self.known = by_canonical(self.keys)
        for role, column in wishes.columns.items():
            for part in self.parts(column):
                if not any(value_at(record, part) is not None for record in records):
                    raise InputError(f"no column {part!r}; there are {names(self.keys)}")
            self.known[role] = column

    def parts(self, column: str) -> tuple[str, ...]:
        """Take apart a wish for columns that are joined by ``+``."""
        return (column,) if column in self.keys else tuple(column.split("+"))

    def values(self, column: str, most: int = 50) -> list[Any]:
        """First values of a column that are there, JSON in cells decoded."""
        found = (value_at(record, column) for record in self.records)
        return [structured(value) for value in found if value not in (None, "")][:most]

    def first(self, canonical_names: Sequence[str], *, filled: bool = True) -> str | None:
        """First column known by one of these names."""
        for name in canonical_names:
            if name in self.known and (not filled or self.values(self.known[name], 1)):
                return self.known[name]
        return None

    def pair(self, pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...] | None:
        """First two columns known by a pair of names: the names, and the columns."""
        for pair in pairs:
            if all(name in self.known for name in pair):
                return pair, (self.known[pair[0]], self.known[pair[1]])
        return None


def choose_columns(records: Sequence[Record], wishes: Wishes) -> Columns:
    """Decide which column plays which role.

    Parameters
    ----------
    records : sequence of dict
        The first of the file.
    wishes : Wishes

    Raises
    ------
    InputError
        If no comparisons are found, or their prompts are not, naming candidates.
    """
    sample = Sample(records, wishes)
    _refuse_steps(sample)
    if wishes.models and (found := _battles(sample)):
        return found
    for choose in (
        _better_pairs,
        _labelled_pairs,
        _whole_and_reply,
        _lists,
        _solutions,
        _named_columns,
        _pool,
        _battles,
    ):
        if found := choose(sample):
            return found
    raise _no_preferences(sample)


def _refuse_steps(sample: Sample) -> None:
    steps, labels = sample.first(("completions", "steps")), sample.first(("labels", "label"))
    if steps and labels and "prompt" in sample.known:
        lists = [*sample.values(steps, 5), *sample.values(labels, 5)]
        if lists and all(isinstance(value, list) for value in lists):
            raise InputError(
                f"step-wise data: {steps} are the steps of one answer and {labels} judges each, "
                "so no two answers are compared",
                fix="compare whole answers, such as in columns chosen and rejected",
            )


def _better_pairs(sample: Sample) -> Columns | None:
    found = sample.pair(BETTER_PAIRS) or sample.pair(BETTER_BATTLES)
    if found is None or (found[0] in BETTER_BATTLES and not _texts(sample, found[1])):
        return None
    probability = _probability(sample, ("probability_a", "probability_chosen"), ())
    return _with_prompt(sample, "pairs", *found, probability=probability)


def _labelled_pairs(sample: Sample) -> Columns | None:
    found = sample.pair(PAIRS)
    if found is None:
        return None
    beside = sample.pair(BATTLES)
    return _with_prompt(
        sample,
        "pairs",
        *found,
        models=beside[1] if beside else (),
        **_verdict(sample, *found),
    )


def _battles(sample: Sample) -> Columns | None:
    found = sample.pair((*BETTER_BATTLES, *BETTER_PAIRS[:1]))
    if found and not sample.pair((*BATTLES, *PAIRS[-1:])):
        return _finish(sample, Columns("battles", _optional_prompt(sample), found[1], found[0]))
    found = sample.pair(PAIRS[-1:])
    if found and any(len(str(value)) > 80 for side in found[1] for value in sample.values(side)):
        found = None  # texts, not names
    found = found or sample.pair(BATTLES) or (sample.pair(PAIRS) if sample.wishes.models else None)
    if found is None:
        return None
    verdict = _verdict(sample, *found)
    return _finish(
        sample, Columns("battles", _optional_prompt(sample), found[1], found[0], **verdict)
    )


def _verdict(sample: Sample, side_names: tuple[str, ...], sides: tuple[str, ...]) -> dict[str, Any]:
    """Find what says which is the better."""
    if not sample.wishes.labelled:
        return {}
    if "winner" in sample.wishes.columns:
        return {"labels": sample.parts(sample.known["winner"])}
    if {"probability_a", "probability_b"} & sample.wishes.columns.keys():
        return {"probability": _probability(sample, ("probability_a",), ("probability_b",))}
    if one_hot := sample.pair(ONE_HOT):
        ties = [sample.known[name] for name in ONE_HOT_TIES if name in sample.known]
        return {"labels": (*one_hot[1], *ties), "numbers": "one-hot"}
    known = [name for name in VERDICTS if sample.known.get(name) not in sides]
    if label := sample.first(known):
        return {"labels": (label,)}
    if annotators := [k for name, k in sample.known.items() if ANNOTATED.fullmatch(name)]:
        return {"labels": tuple(annotators)}
    if merits := _merits(sample, side_names):
        return {"labels": merits, "numbers": "merits"}
    # An empty column of labels waits to be filled: a probability beside it is a prediction.
    if label := sample.first(known, filled=False):
        return {"labels": (label,)}
    probability = _probability(sample, ("probability_a",), ("probability_b",))
    if probability and tuple(map(end_of, side_names)) == ("a", "b"):  # whose it is, its name says
        return {"probability": probability}
    fix = "name it: --column winner=COLUMN"
    if bare := sample.first(("probability", "prob", "preference_probability")):
        fix = f"if {bare} is {sides[0]!r}'s: --column probability_a={bare}, else probability_b"
    raise InputError(
        f"no column says which of {sides[0]} and {sides[1]} is the better; there are "
        f"{names(sample.keys)}",
        fix=fix,
    )


def _merits(sample: Sample, side_names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Find a score or a rank of each side."""
    ends = tuple(map(end_of, side_names))
    found = sample.pair([(f"{k}_{ends[0]}", f"{k}_{ends[1]}") for k in (*SCORES, *RANKS)])
    return None if found is None else found[1]


def _whole_and_reply(sample: Sample) -> Columns | None:
    """Find a whole conversation beside another reply that could end it (ms-swift)."""
    found = sample.pair([("messages", "rejected_response")])
    if found is None or not any(map(holds_messages, sample.values(found[1][0]))):
        return None
    return _finish(sample, Columns("pairs", (), found[1], found[0], talks=True, full=True))


def _named_columns(sample: Sample) -> Columns | None:
    """Two columns of texts that the labels call by their names."""
    for name in VERDICTS:
        label = sample.known.get(name)
        if label is None:
            continue
        tokens = {token_of(x) for x in sample.values(label, len(sample.records))}
        named = [key for key in sample.keys if token_of(key) in tokens and key != label]
        rest = tokens - {token_of(key) for key in named}
        texts = all(isinstance(x, str) for key in named for x in sample.values(key))
        names_texts = texts and sample.pair(BATTLES) is None
        if len(named) == 2 and names_texts and all(certain_word(x, *named) == 0.5 for x in rest):
            sides = (named[0], named[1])
            labels = {"labels": (label,)} if sample.wishes.labelled else {}
            return _with_prompt(sample, "pairs", tuple(map(canonical, sides)), sides, **labels)
    return None


def _probability(
    sample: Sample, first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[str, bool] | None:
    for known, firsts in ((first, True), (second, False)):
        if column := sample.first(known):
            return column, firsts
    return None


def _lists(sample: Sample) -> Columns | None:
    for name in ("responses", *RANKED, *LISTS):
        column = sample.known.get(name)
        items = (
            next((x for x in sample.values(column) if isinstance(x, list) and x), None)
            if column
            else None
        )
        if column is None or items is None or holds_messages(items):
            continue
        best_first = name in RANKED or _alpaca_ranking(sample, column)
        if "ranked" in sample.wishes.columns:
            best_first = column == sample.wishes.columns["ranked"]
        if isinstance(items[0], dict):
            text = _named(items[0], TEXTS)
            judge = sample.wishes.score or _named(items[0], (CORRECT, *SCORES, *RANKS))
        else:
            text = None
            judge = sample.wishes.score or sample.first((*SCORES, *RANKS, RANKING))
            judge = RANKED[0] if judge is None and best_first else judge
        choice = _choice(sample, column) if judge is None else None
        if judge is None and choice is None:
            inside = names(items[0]) if isinstance(items[0], dict) else names(sample.keys)
            place = sample.first(CHOICES)
            fix = f"--score NAME, or, if the best stands first, --column ranked={column}"
            if place:
                fix = f"if {place} is the position of the best, from 0: --column choice={place}"
            raise InputError(
                f"nothing says which of {column} are better; there are {inside}",
                fix=fix,
            )
        if isinstance(items[0], dict) and text is None:
            raise InputError(f"no text in {column}, whose objects hold {names(items[0])}")
        return _with_prompt(
            sample, "list", (column,), (column,), judge=judge, text=text, choice=choice
        )
    return None


def _choice(sample: Sample, lists: str) -> str | None:
    """Find the position of the best of a list; its name or the values say it is from 0."""
    if "choice" in sample.wishes.columns:
        return sample.known["choice"]
    column = sample.first(CHOICES)
    most = max((len(x) for x in sample.values(lists) if isinstance(x, list)), default=0)
    places = {str(place) for place in range(most)}
    found = {token_of(x) for x in sample.values(column, len(sample.records))} if column else set()
    return column if {"0", "1"} <= found <= places else None


def _alpaca_ranking(sample: Sample, column: str) -> bool:
    """LLaMA-Factory's ranking: instruction, input, and the outputs, best first."""
    return column == "output" and {"instruction", "input"} <= sample.known.keys()


def _solutions(sample: Sample) -> Columns | None:
    for record in sample.records:
        for value in map(structured, record.values()):
            if isinstance(value, dict) and CORRECT in value:
                text = _named(value, TEXTS)
                if text is None:
                    raise InputError(f"no text beside {CORRECT}; there are {names(value)}")
                judge = CORRECT
                return _with_prompt(sample, "solutions", (), (), judge=judge, text=text)
    return None


def _pool(sample: Sample) -> Columns | None:
    response = sample.first(("response", *(name for name in TEXTS if name != "content")))
    if response is None:
        return None
    if sample.wishes.score:
        judge: str | None = sample.wishes.score
        if not sample.values(sample.wishes.score, 1):
            raise InputError(f"no column {judge!r}; there are {names(sample.keys)}")
    else:
        judge = sample.first((CORRECT, *SCORES, *RANKS)) or sample.first(TAGS)
    if judge is None:
        scores = sorted(
            (
                key
                for key in sample.keys
                if _numeric(sample, key) and not re.search(r"(^|_)(id|idx|index)$", key.lower())
            ),
            key=lambda key: all(isinstance(x, int) for x in sample.values(key)),
        )
        if not scores:
            return None
        raise InputError(
            f"{response} is one response a row, and nothing says how good it is",
            fix=f"name the column: --score {scores[0]}; numbers are in {names(scores)}",
        )
    return _with_prompt(sample, "pool", (response,), (response,), judge=judge)


def _numeric(sample: Sample, key: str) -> bool:
    found = sample.values(key)
    return bool(found) and all(
        isinstance(x, (int, float)) and not isinstance(x, bool) for x in found
    )


def _named(record: Record, known: Sequence[str]) -> str | None:
    return next((name for name in known if record.get(name) is not None), None)


def _finish(sample: Sample, columns: Columns) -> Columns:
    pairs = columns.kind in ("pairs", "battles")
    annotator = sample.first(ANNOTATORS) if pairs else None
    return replace(
        columns,
        margin=sample.first(("margin",)) if columns.kind == "pairs" else None,
        weight=sample.first(WEIGHTS) if pairs else None,
        annotator=None if annotator in columns.used else annotator,
    )


def _optional_prompt(sample: Sample) -> tuple[str, ...]:
    """Battles have prompts where a column says so."""
    prompt = sample.first(("prompt",))
    return () if sample.wishes.no_prompt or prompt is None else sample.parts(prompt)


def _with_prompt(
    sample: Sample, kind: str, side_names: tuple[str, ...], sides: tuple[str, ...], **rest: Any
) -> Columns:
    """Find the prompt of what is compared, and what form it all has."""
    seen = [value for side in sides for value in sample.values(side)]
    talk = any(map(holds_messages, seen)) and kind in ("pairs", "pool")
    prompt: tuple[str, ...] = ()
    prompt_b, turn = None, None
    if sample.wishes.no_prompt:
        pass
    elif {"prompt_a", "prompt_b"} <= sample.known.keys() and "prompt" not in sample.known:
        prompt, prompt_b = (sample.known["prompt_a"],), sample.known["prompt_b"]
    else:
        prompt = _prompts(sample, talk and any(speaks(value, "user") for value in seen))
        if not prompt and not talk:
            turn = turn_of(
                [[x for x in sample.values(side) if isinstance(x, str)] for side in sides]
            )
        if not prompt and not turn and not any(speaks(value, "user") for value in seen):
            raise _no_prompt(sample, kind, sides, rest)
    asked = [
        value
        for name in (*prompt, *([prompt_b] if prompt_b else []))
        for value in sample.values(name)
    ]
    talks = talk or any(map(holds_messages, asked))
    columns = Columns(
        kind, prompt, sides, side_names, prompt_b=prompt_b, talks=talks, turn=turn, **rest
    )
    return _finish(sample, columns)


def _prompts(sample: Sample, inside: bool) -> tuple[str, ...]:
    """Find the columns that together make the prompt."""
    if "prompt" in sample.wishes.columns:
        return sample.parts(sample.known["prompt"])
    main = sample.first(PROMPTS)
    if main is None and any(record.get("prompt") is not None for record in sample.records):
        return ("prompt",)  # there, and empty
    if main is None and not inside:
        main = next(
            (
                sample.known[name]
                for name in PROMPT_TALKS
                if name in sample.known
                and any(map(holds_messages, sample.values(sample.known[name])))
            ),
            None,
        )
    if main is None and "summaries" in sample.known:
        main = sample.first(("info",))  # summarize from feedback
    if main is None:
        return ()
    main = _inside(sample, main)
    before = [sample.known["system"]] if "system" in sample.wishes.columns else []
    before = before or [
        column for column in [sample.first(BEFORE)] if column and _sentences(sample, column)
    ]
    turns = sample.first(("history",)) if main != sample.known.get("history") else None
    history = [turns] if turns and any(isinstance(x, list) for x in sample.values(turns)) else []
    behind = [column for column in [sample.first(BEHIND)] if column]
    if main in (*behind, sample.known.get("history")) or sample.known.get("input") in history:
        behind = []
    return (*before, *history, main, *behind)


def _inside(sample: Sample, column: str) -> str:
    """Find where in an object that is no message the prompt stands."""
    first = next(iter(sample.values(column, 1)), None)
    inner = _named(first, PROMPT_INSIDE) if isinstance(first, dict) else None
    return column if inner is None or holds_messages(first) else f"{column}.{inner}"


def _texts(sample: Sample, sides: tuple[str, ...]) -> bool:
    """Whether most of what stands in two columns is longer than a name: messages, or 3 words."""
    found = [value for side in sides for value in sample.values(side)]
    return 2 * sum(len(str(x).split()) > 2 for x in found) > len(found)


def _sentences(sample: Sample, column: str) -> bool:
    """Whether most values have words, as a system prompt and unlike the name of a system."""
    found = sample.values(column)
    return 2 * sum(isinstance(x, str) and " " in x.strip() for x in found) > len(found)


def _no_prompt(
    sample: Sample, kind: str, sides: tuple[str, ...], rest: Mapping[str, Any]
) -> InputError:
    used = {*sides, *rest.get("labels", ()), *rest.get("models", ()), rest.get("judge")}
    texts = []
    for key in sample.keys:
        found = sample.values(key)
        talk = any(map(holds_messages, found))
        nested = [
            f"{key}.{k}"
            for x in found[:1]
            if isinstance(x, dict)
            for k, v in x.items()
            if isinstance(v, str) and " " in v
        ]
        if key not in used and (talk or _sentences(sample, key)):
            texts.append(key)
        elif key not in used:
            texts.extend(nested)
    likely = [sample.known[name] for name in LIKELY if sample.known.get(name) in texts]
    likely = [*likely, *(text for text in texts if text not in likely)][:3]
    if likely:
        verb = "looks like one" if len(likely) == 1 else "look like one"
        return InputError(
            f"no prompt column; {' or '.join(map(repr, likely))} {verb}",
            fix=f"--column prompt={likely[0]}, or --no-prompt if there is none",
        )
    return InputError(
        f"no prompt column, and none looks like one among {names(sample.keys)}",
        fix="--column prompt=COLUMN, or --no-prompt if there is none",
    )


def _no_preferences(sample: Sample) -> InputError:
    known = sample.known
    for pair in (*BETTER_PAIRS, *PAIRS, *BATTLES):
        here, gone = [name for name in pair if name in known], [x for x in pair if x not in known]
        if len(here) == len(gone) == 1 and pair[0] not in ("left", "right"):
            return InputError(
                f"no column {gone[0]!r} beside {known[here[0]]!r}; there are {names(sample.keys)}",
                fix="name it: --column ROLE=COLUMN, a role being chosen, rejected, response_a …",
            )
    for name, column in known.items():
        other = {"1": "2", "a": "b", "0": "1"}.get(name[-1:])
        if other and (mate := known.get(name[:-1] + other)):
            return InputError(
                f"no preferences in the columns {names(sample.keys)}; {column!r} and {mate!r} "
                "look like two responses",
                fix=f"--column response_a={column} --column response_b={mate} and, if need be, "
                "--column winner=COLUMN",
            )
    return InputError(
        f"no preferences in the columns {names(sample.keys)}",
        fix="there should be chosen and rejected, or response_a, response_b and winner, or "
        "responses with scores or ranks; --column ROLE=COLUMN names a column that is called "
        "otherwise",
    )
