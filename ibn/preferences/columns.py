"""Which column of a file plays which role, decided once from a sample of its records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ibn.errors import InputError
from ibn.preferences.column_names import (
    BATTLES,
    BETTER_BATTLES,
    BETTER_PAIRS,
    PAIRS,
    canonical,
    end_of,
)
from ibn.preferences.column_roles import WAITING, Columns, Sample, Wishes
from ibn.preferences.fields import names, structured
from ibn.preferences.label_codes import FAULTS, certain_word, token_of
from ibn.preferences.message_trees import COLUMNS as TREE
from ibn.preferences.prompt_columns import (
    finished,
    first_named,
    holds_texts,
    optional_prompt,
    with_prompt,
)
from ibn.preferences.source import Record
from ibn.preferences.transcripts import holds_messages

VERDICTS = (
    *("winner", "better_response_id", "overall_preference", "preference", "preferred", "labels"),
    *("label", "choice", "better", "better_response", "best", "chosen", "verdict", "outcome"),
    *("result", "vote", "preference_responses"),
)
ANNOTATED = re.compile(r"(annotator|rater|judge|annotation|label|vote)_\d+(_label)?")
ONE_HOT = (("winner_model_a", "winner_model_b"), ("winner_a", "winner_b"))
ONE_HOT_TIES = ("winner_tie", "winner_both_bad", "tie", "tie_bothbad", "winner_tie_bothbad")
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
MARKS = (" +", " -")
TAGS = ("label", "kto_tag", "desirable", *FAULTS)
CHOICES = tuple(
    f"{name}{end}"
    for end in ("", "_id", "_idx", "_index")
    for name in ("choice", "chosen", "best", "preferred")
)


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
    _refuse_unpaired(sample)
    if wishes.models and (found := _battles(sample)):
        return found
    for choose in (
        _tree,
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


def _refuse_unpaired(sample: Sample) -> None:
    """Refuse what is known to compare no two answers as it stands."""
    steps, labels = sample.first(("completions", "steps")), sample.first(("labels", "label"))
    judged = sample.values(labels, 5) if labels else []
    listed = sample.values(steps, 5) if steps and "prompt" in sample.known else []
    where = ""
    if listed and judged and all(isinstance(value, list) for value in (*listed, *judged)):
        where = f"{steps} are the steps of one answer and {labels} judges each"
    elif judged and all(isinstance(value, dict) and "steps" in value for value in judged):
        where = f"{labels} holds the steps of one answer, each judged"  # PRM800K
    elif judged and all(isinstance(value, str) and _marked(value) for value in judged):
        where = f"{labels} marks each step of one answer by + or -"  # Math-Shepherd
    if where:
        raise InputError(
            f"step-wise data: {where}, so no two answers are compared",
            fix="compare whole answers: write columns prompt, chosen and rejected, or prompt, "
            "response and a score, an answer a row",
        )
    root = sample.first(("prompt",))
    if root and any(isinstance(x, dict) and "replies" in x for x in sample.values(root, 1)):
        raise InputError(
            f"a tree of messages in one record, its replies within {root}",
            fix="take the release with a message a row: message_id, parent_id, text, role, rank",
        )


def _marked(value: str) -> bool:
    """Whether the first and the last of several lines are marked good or bad."""
    lines = value.strip().split("\n")
    return len(lines) > 1 and lines[0].endswith(MARKS) and lines[-1].endswith(MARKS)


def _tree(sample: Sample) -> Columns | None:
    """Find messages that name the one they reply to."""
    if not all(name in sample.known for name in TREE) or sample.wishes.columns:
        return None
    tree = {name: sample.known[name] for name in TREE}
    prompt, sides = (tree["parent_id"],), (tree["text"],)
    return Columns("tree", prompt, sides, ("text",), judge=tree["rank"], tree=tree, talks=True)


def _better_pairs(sample: Sample) -> Columns | None:
    found = sample.pair(BETTER_PAIRS) or sample.pair(BETTER_BATTLES)
    if found is None or (found[0] in BETTER_BATTLES and not holds_texts(sample, found[1])):
        return None
    probability = _probability(sample, ("probability_a", "probability_chosen"), ())
    return with_prompt(sample, "pairs", *found, probability=probability)


def _labelled_pairs(sample: Sample) -> Columns | None:
    found = sample.pair(PAIRS)
    if found is None:
        return None
    beside = sample.pair(BATTLES)
    return with_prompt(
        sample,
        "pairs",
        *found,
        models=beside[1] if beside else (),
        **_verdict(sample, *found),
    )


def _battles(sample: Sample) -> Columns | None:
    found = sample.pair((*BETTER_BATTLES, *BETTER_PAIRS[:1]))
    if found and not sample.pair((*BATTLES, *PAIRS[-1:])):
        return finished(sample, Columns("battles", optional_prompt(sample), found[1], found[0]))
    found = sample.pair(PAIRS[-1:])
    if found and any(len(str(value)) > 80 for side in found[1] for value in sample.values(side)):
        found = None  # texts, not names
    found = found or sample.pair(BATTLES) or (sample.pair(PAIRS) if sample.wishes.models else None)
    if found is None:
        return None
    verdict = _verdict(sample, *found)
    return finished(
        sample, Columns("battles", optional_prompt(sample), found[1], found[0], **verdict)
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
    if sample.wishes.waiting:
        return {"numbers": WAITING}
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
    return finished(sample, Columns("pairs", (), found[1], found[0], talks=True, full=True))


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
            return with_prompt(sample, "pairs", tuple(map(canonical, sides)), sides, **labels)
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
            text = first_named(items[0], TEXTS)
            judge = sample.wishes.score or first_named(items[0], (CORRECT, *SCORES, *RANKS))
        else:
            text = None
            judge = sample.wishes.score or sample.first((*SCORES, *RANKS, RANKING))
            judge = RANKED[0] if judge is None and best_first else judge
        choice = _choice(sample, column) if judge is None else None
        waiting = judge is None and choice is None and sample.wishes.waiting
        if judge is None and choice is None and not waiting:
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
        return with_prompt(
            sample,
            "list",
            (column,),
            (column,),
            judge=judge,
            text=text,
            choice=choice,
            numbers=WAITING if waiting else "",
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
                text = first_named(value, TEXTS)
                if text is None:
                    raise InputError(f"no text beside {CORRECT}; there are {names(value)}")
                judge = CORRECT
                return with_prompt(sample, "solutions", (), (), judge=judge, text=text)
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
    if judge is None and sample.wishes.waiting:
        return with_prompt(sample, "pool", (response,), (response,), numbers=WAITING)
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
    return with_prompt(sample, "pool", (response,), (response,), judge=judge)


def _numeric(sample: Sample, key: str) -> bool:
    found = sample.values(key)
    return bool(found) and all(
        isinstance(x, (int, float)) and not isinstance(x, bool) for x in found
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
