"""Made-up preference files in the shapes that people publish, with what is right to read in each.

Every prompt and response holds a token of its own (``p3``; ``r3a``), so that what a reader made of
a file can be held against the truth whatever it did to the texts around: roles, joints, encoding.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

Record = dict[str, Any]
WORDS = ["clear", "kind", "exact", "simple", "careful", "honest", "warm", "short", "vague", "dull"]


@dataclass(frozen=True)
class Duel:
    """One comparison: the share of a win that goes to ``a`` (1, 0.5 a tie, 0, or between)."""

    prompt: str
    a: str
    b: str
    share: float


@dataclass(frozen=True)
class Block:
    """The records of one prompt, and the comparisons that are right to read from them.

    ``models`` are the same comparisons as a reader of battles sees them.
    """

    records: list[Record]
    duels: list[Duel]
    models: list[Duel] = field(default_factory=list)


@dataclass(frozen=True)
class Shape:
    """A published shape.

    Parameters
    ----------
    make : callable
        From a generator and the number of a prompt to its block.
    prompt : str
        The column of the prompt; empty where it stands inside the others.
    labels : tuple of str
        Columns without which a record says nothing.
    directed : tuple of str
        The columns of the better and the worse response, where their names say so.
    code : str
        The column of a label that may have another name.
    signed : bool
        Whether only the name of that column says which way its numbers run.
    halves : bool
        Whether only a half among its values says that they are shares of a win.
    refuse : str
        Why only a refusal is right.
    asks : str
        What a reader may ask its user first (a refusal without an option is as right).
    options : dict
        The option that answers.
    """

    make: Callable[[np.random.Generator, int], Block]
    prompt: str = "prompt"
    labels: tuple[str, ...] = ()
    directed: tuple[str, ...] = ()
    code: str = ""
    signed: bool = False
    halves: bool = False
    refuse: str = ""
    asks: str = ""
    options: Record = field(default_factory=dict)


def text(rng: np.random.Generator, token: str) -> str:
    """Give a text that holds a token."""
    return " ".join([token, *rng.choice(WORDS, 5)])


def asked(rng: np.random.Generator, i: int) -> str:
    """Give the text of prompt ``i``."""
    return text(rng, f"p{i}")


def said(rng: np.random.Generator, i: int, count: int = 2) -> list[str]:
    """Give responses to prompt ``i``; their tokens are ``r{i}a``, ``r{i}b``, …"""
    return [text(rng, f"r{i}{'abcdefg'[k]}") for k in range(count)]


def drawn(rng: np.random.Generator, ties: bool = True) -> float:
    """Draw who wins."""
    return float(rng.choice([1.0, 0.0, 0.5], p=[0.4, 0.4, 0.2] if ties else [0.5, 0.5, 0.0]))


def duel(i: int, share: float, prompt: str = "") -> Duel:
    """Give the comparison of the two responses to prompt ``i``, as tokens."""
    return Duel(prompt or f"p{i}", f"r{i}a", f"r{i}b", share)


def by_worth(i: int, worth: list[float | None], prompt: str = "") -> list[Duel]:
    """Give all pairs of the responses to prompt ``i`` that both have a worth; more is better."""
    return [
        Duel(prompt or f"p{i}", f"r{i}{'abcdefg'[j]}", f"r{i}{'abcdefg'[k]}", _share(x, y))
        for (j, x), (k, y) in combinations(enumerate(worth), 2)
        if x is not None and y is not None
    ]


def _share(x: float, y: float) -> float:
    return 0.5 + 0.5 * ((x > y) - (x < y))


def turn(role: str, content: Any) -> Record:
    """Give a message as OpenAI and Hugging Face write it."""
    return {"role": role, "content": content}


def talk(question: str, answer: str) -> list[Record]:
    """Give a conversation of one turn each."""
    return [turn("user", question), turn("assistant", answer)]


# The better and the worse response each in a column of its own: the first response wins.


def trl(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    return Block([{"prompt": asked(rng, i), "chosen": a, "rejected": b}], [duel(i, 1.0)])


def trl_messages(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    history = [turn("system", f"s{i} be kind"), *talk(text(rng, f"h{i}"), text(rng, f"g{i}"))]
    record = {
        "prompt": [*history, turn("user", asked(rng, i))],
        "chosen": [turn("assistant", a)],
        "rejected": [turn("assistant", b)],
    }
    return Block([record], [duel(i, 1.0, f"g{i} h{i} p{i} s{i}")])


def messages_with_prompt_inside(rng: np.random.Generator, i: int) -> Block:
    question, (a, b) = asked(rng, i), said(rng, i)
    record = {"chosen": talk(question, a), "rejected": talk(question, b)}
    return Block([record], [duel(i, 1.0)])


def ultrafeedback_binarized(rng: np.random.Generator, i: int) -> Block:
    question, (a, b) = asked(rng, i), said(rng, i)
    record = {"prompt": question, "prompt_id": f"id{i}", "chosen": talk(question, a)}
    record |= {"rejected": talk(question, b), "score_chosen": 8.0}
    record["score_rejected"] = float(rng.choice([5.5, 8.0]))  # published files have equal ones
    return Block([record], [duel(i, 1.0)])


def hh_transcripts(rng: np.random.Generator, i: int) -> Block:
    (a, b), before = said(rng, i), f"\n\nHuman: h{i} hello\n\nAssistant: g{i} yes?"
    before += f"\n\nHuman: {asked(rng, i)}\n\nAssistant: "
    record = {"chosen": before + a, "rejected": before + b}
    return Block([record], [duel(i, 1.0, f"g{i} h{i} p{i}")])


def one_message(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    record = {"context": [turn("user", asked(rng, i))], "answer_w": turn("bot", a)}
    return Block([{"id": str(i), **record, "answer_l": turn("bot", b)}], [duel(i, 1.0)])


def sharegpt(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    turns = [{"from": "system", "value": f"s{i} be kind"}]
    turns.append({"from": "human", "value": asked(rng, i)})
    record = {"conversations": turns, "chosen": {"from": "gpt", "value": a}}
    record["rejected"] = {"from": "gpt", "value": b}
    return Block([record], [duel(i, 1.0, f"p{i} s{i}")])


def text_parts(rng: np.random.Generator, i: int) -> Block:
    def part(content: str) -> list[Record]:
        return [{"type": "text", "text": content}]

    a, b = said(rng, i)
    record = {"prompt": [turn("user", part(asked(rng, i)))]}
    record |= {"chosen": [turn("assistant", part(a))], "rejected": [turn("assistant", part(b))]}
    return Block([record], [duel(i, 1.0)])


def tool_calls(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    call = {"type": "function", "function": {"name": "find", "arguments": json.dumps({"q": a})}}
    record = {"prompt": [turn("user", asked(rng, i))], "rejected": [turn("assistant", b)]}
    record["chosen"] = [{**turn("assistant", None), "tool_calls": [call]}]
    return Block([record], [duel(i, 1.0)])


def orca_dpo(rng: np.random.Generator, i: int) -> Block:
    (a, b), system = said(rng, i), "You are kind." if rng.random() < 0.3 else f"s{i} be kind"
    record = {"system": system, "question": asked(rng, i), "chosen": a, "rejected": b}
    return Block([record], [duel(i, 1.0, f"p{i}" if "You" in system else f"p{i} s{i}")])


def alpaca_ranking(rng: np.random.Generator, i: int) -> Block:
    (a, b), given = said(rng, i), f"i{i} the input" if i % 2 else ""
    record = {"instruction": asked(rng, i), "input": given, "chosen": a, "rejected": b}
    return Block([record], [duel(i, 1.0, f"i{i} p{i}" if given else f"p{i}")])


def best_first(rng: np.random.Generator, i: int) -> Block:
    answers = said(rng, i)
    record = {"instruction": asked(rng, i), "input": "", "output": answers}
    return Block([record], [duel(i, 1.0)])


def py_dpo(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    record = {"prompt": asked(rng, i), "chosen": a, "rejected": b, "id": f"py-{i}"}
    return Block([record], [duel(i, 1.0)])


def ms_swift(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    record = {"messages": talk(asked(rng, i), a), "rejected_response": b}
    return Block([record], [duel(i, 1.0)])


def openrlhf(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    record = {"context_messages": [turn("user", asked(rng, i))], "chosen": a, "rejected": b}
    return Block([record], [duel(i, 1.0)])


# Labels, scores and ranks whose direction the shape's own documentation gives.


def helpsteer3(rng: np.random.Generator, i: int) -> Block:
    (a, b), strength = said(rng, i), int(rng.integers(-3, 4))
    record = {"domain": "general", "language": "english", "response1": a, "response2": b}
    record |= {"context": [turn("user", asked(rng, i))], "overall_preference": strength}
    record["individual_preference"] = [{"score": strength, "reasoning": "it is better"}]
    return Block([record], [duel(i, _share(0, strength))])


def helpsteer2(rng: np.random.Generator, i: int) -> Block:
    question, worth = asked(rng, i), rng.integers(0, 5, 2).tolist()
    rows = [
        {"prompt": question, "response": answer, "helpfulness": x, "correctness": x}
        | {"coherence": 4, "complexity": int(rng.integers(5)), "verbosity": int(rng.integers(5))}
        for answer, x in zip(said(rng, i), worth, strict=True)
    ]
    return Block(rows, by_worth(i, worth))


def ultrafeedback(rng: np.random.Generator, i: int) -> Block:
    worth: list[float | None] = (rng.permutation(4) + 1.0).tolist()
    completions = [
        {"model": f"model-{k}", "response": answer, "overall_score": 2 * x, "fine-grained_score": x}
        | {"annotations": {"helpfulness": {"Rating": str(int(x)), "Rationale": "it is so"}}}
        for k, (answer, x) in enumerate(zip(said(rng, i, 4), worth, strict=True))
    ]
    if i == 1:
        worth[2] = completions[2]["overall_score"] = completions[2]["fine-grained_score"] = None
        completions[2]["annotations"] = {"helpfulness": {"Rating": None, "Rationale": None}}
    record = {"source": "made up", "instruction": asked(rng, i), "completions": completions}
    return Block([record], by_worth(i, worth))


def shp(rng: np.random.Generator, i: int) -> Block:
    (a, b), share = said(rng, i), drawn(rng, ties=False)
    scores = [9, 4] if share else [4, 9]
    record = {"post_id": f"id{i}", "domain": "askbakers_test", "history": asked(rng, i)}
    record |= {"score_A": scores[0], "score_B": scores[1], "human_ref_A": a, "human_ref_B": b}
    return Block([{**record, "labels": int(share), "score_ratio": 2.25}], [duel(i, share)])


def kto(rng: np.random.Generator, i: int) -> Block:
    question, good = asked(rng, i), [True, False] if rng.random() < 0.5 else [False, True]
    rows = [
        {"prompt": question, "completion": answer, "label": label}
        for answer, label in zip(said(rng, i), good, strict=True)
    ]
    return Block(rows, by_worth(i, good))


def marked_bad(rng: np.random.Generator, i: int) -> Block:
    block = kto(rng, i)
    rows = [{**record, "is_toxic": not record["label"]} for record in block.records]
    return Block([{k: v for k, v in row.items() if k != "label"} for row in rows], block.duels)


def nectar(rng: np.random.Generator, i: int) -> Block:
    ranks = (rng.permutation(4) + 1.0).tolist()
    answers = [
        {"answer": answer, "model": f"model-{k}", "rank": rank}
        for k, (answer, rank) in enumerate(zip(said(rng, i, 4), ranks, strict=True))
    ]
    question = f"\n\nHuman: {asked(rng, i)}\n\nAssistant: "
    return Block([{"prompt": question, "answers": answers}], by_worth(i, [-r for r in ranks]))


def _models(rng: np.random.Generator, i: int, share: float) -> tuple[str, str, list[Duel]]:
    x, y = (f"m{k}" for k in rng.choice(6, 2, replace=False))
    return x, y, [Duel("", x, y, share)]


def arena(rng: np.random.Generator, i: int) -> Block:
    question, (a, b), share = asked(rng, i), said(rng, i), drawn(rng)
    x, y, models = _models(rng, i, share)
    winner = {1.0: "model_a", 0.0: "model_b"}.get(share, "tie (bothbad)" if i % 2 else "tie")
    record = {"question_id": f"id{i}", "model_a": x, "model_b": y, "winner": winner}
    record |= {"judge": "arena_user_1", "turn": 1, "language": "English"}
    record |= {"conversation_a": talk(question, a), "conversation_b": talk(question, b)}
    return Block([record], [duel(i, share)], models)


def arena_55k(rng: np.random.Generator, i: int) -> Block:
    (a, b), share = said(rng, i), drawn(rng)
    x, y, models = _models(rng, i, share)
    record = {"id": i, "model_a": x, "model_b": y, "prompt": json.dumps([asked(rng, i)])}
    record |= {"response_a": json.dumps([a]), "response_b": json.dumps([b])}
    for name, wins in (("model_a", 1.0), ("model_b", 0.0), ("tie", 0.5)):
        record[f"winner_{name}"] = int(share == wins)
    return Block([record], [duel(i, share)], models)


def alpaca_eval(rng: np.random.Generator, i: int) -> Block:
    a, b = said(rng, i)
    preference = 1.5 if rng.random() < 0.1 else round(float(rng.uniform(1, 2)), 3)
    record = {"instruction": asked(rng, i), "output_1": a, "generator_1": "m1", "output_2": b}
    record |= {"generator_2": "m2", "annotator": "weighted", "preference": preference}
    models = [Duel("", "m1", "m2", 2 - preference)]
    return Block([record], [duel(i, 2 - preference)], models)


def summarize_from_feedback(rng: np.random.Generator, i: int) -> Block:
    share = drawn(rng, ties=False)
    record = {
        "info": {"id": f"t3_{i}", "post": asked(rng, i), "title": "One day", "subreddit": "x"}
    }
    record |= {"summaries": [{"text": t, "policy": "sup4", "note": None} for t in said(rng, i)]}
    return Block([{**record, "choice": int(1 - share), "worker": "w1"}], [duel(i, share)])


def webgpt(rng: np.random.Generator, i: int) -> Block:
    (a, b), score = said(rng, i), float(rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0]))
    record = {"question": {"dataset": "eli5", "id": f"id{i}", "full_text": asked(rng, i)}}
    record |= {"answer_0": a, "score_0": score, "answer_1": b, "score_1": -score}
    return Block([record], [duel(i, _share(score, -score))])


def pku_saferlhf(rng: np.random.Generator, i: int) -> Block:
    (a, b), share = said(rng, i), drawn(rng, ties=False)
    record = {"prompt": asked(rng, i), "response_0": a, "response_1": b}
    record |= {"is_response_0_safe": bool(rng.integers(2)), "is_response_1_safe": True}
    record |= {"better_response_id": int(1 - share), "safer_response_id": int(rng.integers(2))}
    return Block([record], [duel(i, share)])


def distilabel(rng: np.random.Generator, i: int) -> Block:
    worth = rng.integers(1, 6, 3).astype(float).tolist()
    record = {"instruction": asked(rng, i), "generations": said(rng, i, 3), "ratings": worth}
    return Block([{**record, "model_name": "made-up"}], by_worth(i, worth))


def responses_and_scores(rng: np.random.Generator, i: int) -> Block:
    worth: list[float | None] = rng.integers(1, 6, 3).tolist()
    if i % 4 == 1:
        worth[int(rng.integers(3))] = None
    record = {"prompt": asked(rng, i), "responses": said(rng, i, 3), "scores": worth}
    return Block([record], by_worth(i, worth))


def responses_and_ranks(rng: np.random.Generator, i: int) -> Block:
    ranks = (rng.permutation(3) + 1).tolist()
    record = {"prompt": asked(rng, i), "responses": said(rng, i, 3), "ranks": ranks}
    return Block([record], by_worth(i, [-rank for rank in ranks]))


def rank_of_each(rng: np.random.Generator, i: int) -> Block:
    (a, b), ranks = said(rng, i), (rng.permutation(2) + 1).tolist()
    record = {"prompt": asked(rng, i), "response_a": a, "response_b": b}
    record |= {"rank_a": ranks[0], "rank_b": ranks[1]}
    return Block([record], by_worth(i, [-rank for rank in ranks]))


def chosen_by_number(rng: np.random.Generator, i: int) -> Block:
    share = drawn(rng, ties=False)
    record = {"prompt": asked(rng, i), "responses": said(rng, i), "chosen": int(1 - share)}
    return Block([record], [duel(i, share)])


def argilla(rng: np.random.Generator, i: int) -> Block:
    (a, b), share = said(rng, i), drawn(rng, ties=False)
    record = {"id": f"id{i}", "status": "completed", "prompt": asked(rng, i)}
    record |= {"response_1": a, "response_2": b, "preference.responses.users": ["u1"]}
    record |= {"preference.responses.status": ["submitted"]}
    record["preference.responses"] = ["response_1" if share else "response_2"]
    return Block([record], [duel(i, share)])


def oasst(rng: np.random.Generator, i: int) -> Block:
    ranks = rng.permutation(3).tolist()
    rows = [{"message_id": f"q{i}", "parent_id": None, "text": asked(rng, i), "role": "prompter"}]
    rows[0]["rank"] = None
    for k, (answer, rank) in enumerate(zip(said(rng, i, 3), ranks, strict=True)):
        row = {"message_id": f"q{i}-{k}", "parent_id": f"q{i}", "text": answer, "rank": rank}
        rows.append({**row, "role": "assistant"})
    return Block(rows, by_worth(i, [-rank for rank in ranks]))


def battles(rng: np.random.Generator, i: int) -> Block:
    share = drawn(rng)
    x, y, models = _models(rng, i, share)
    winner = {1.0: "model_a", 0.0: "model_b", 0.5: "tie"}[share]
    return Block([{"model_a": x, "model_b": y, "winner": winner}], [], models)


def left_right(rng: np.random.Generator, i: int) -> Block:
    share = drawn(rng)
    x, y, models = _models(rng, i, share)
    winner = {1.0: "left", 0.0: "right", 0.5: "tie"}[share]
    record = {"id": i, "prompt": i % 5, "model_x": x[1:], "model_y": y[1:], "worker": i % 7}
    return Block([{**record, "winner": winner, "left": x, "right": y}], [], models)


def named_winner(rng: np.random.Generator, i: int) -> Block:
    share = drawn(rng)
    x, y, models = _models(rng, i, share)
    winner = {1.0: x, 0.0: y}.get(share, "tie")
    return Block([{"model_a": x, "model_b": y, "winner": winner}], [], models)


def scored_winner(rng: np.random.Generator, i: int) -> Block:
    share = (1.0, 0.5, 0.0)[i] if i < 3 else drawn(rng)
    x, y, models = _models(rng, i, share)
    return Block([{"model_a": x, "model_b": y, "winner": share}], [], models)


def weighted(rng: np.random.Generator, i: int) -> Block:
    (a, b), share = said(rng, i), drawn(rng)
    winner = {1.0: "a", 0.0: "b", 0.5: "tie"}[share]
    record = {"prompt": asked(rng, i), "response_a": a, "response_b": b, "winner": winner}
    return Block([{**record, "weight": int(rng.integers(1, 9))}], [duel(i, share)])


# What holds no comparisons of whole responses.


def prm800k(rng: np.random.Generator, i: int) -> Block:
    steps = [{"completions": [{"text": t, "rating": 1}]} for t in said(rng, i)]
    record = {"question": {"problem": asked(rng, i)}, "label": {"steps": steps}}
    return Block([record], [])


def trl_stepwise(rng: np.random.Generator, i: int) -> Block:
    record = {"prompt": asked(rng, i), "completions": said(rng, i), "labels": [True, False]}
    return Block([record], [])


def math_shepherd(rng: np.random.Generator, i: int) -> Block:
    first, second = said(rng, i)
    record = {"input": f"{asked(rng, i)} {first} ки\n{second} ки", "task": "GSM8K"}
    return Block([{**record, "label": f"{first} +\n{second} -"}], [])


def red_team(rng: np.random.Generator, i: int) -> Block:
    transcript = f"\n\nHuman: {asked(rng, i)}\n\nAssistant: {said(rng, i)[0]}"
    record = {"transcript": transcript, "rating": float(rng.integers(5)), "num_params": "52B"}
    return Block([record], [])


def losses(rng: np.random.Generator, i: int) -> Block:
    (a, b), (x, y) = said(rng, i), rng.uniform(1, 4, 2).round(3).tolist()
    record = {"prompt": asked(rng, i), "response_1": a, "response_2": b, "loss_1": x, "loss_2": y}
    return Block([record], [])


def ranked_by_nobody(rng: np.random.Generator, i: int) -> Block:
    return Block([{"prompt": asked(rng, i), "responses": said(rng, i, 3)}], [])


_STRENGTH = "overall_preference"
_TEXTS = ("chosen", "rejected")
_STEPS = "each step has its label: no whole responses are compared"
SHAPES = {
    "TRL": Shape(trl, labels=_TEXTS, directed=_TEXTS),
    "TRL messages": Shape(trl_messages, labels=_TEXTS, directed=_TEXTS),
    "messages, prompt inside": Shape(messages_with_prompt_inside, "", _TEXTS, _TEXTS),
    "UltraFeedback binarized": Shape(ultrafeedback_binarized, labels=_TEXTS),
    "HH transcripts": Shape(hh_transcripts, "", _TEXTS, _TEXTS),
    "one message each": Shape(one_message, "context", ("answer_w", "answer_l")),
    "ShareGPT": Shape(sharegpt, "conversations", _TEXTS, _TEXTS),
    "text parts": Shape(text_parts, labels=_TEXTS),
    "tool calls": Shape(tool_calls, labels=_TEXTS),
    "Orca DPO": Shape(orca_dpo, "question", _TEXTS, _TEXTS),
    "Alpaca ranking": Shape(alpaca_ranking, "instruction", _TEXTS, _TEXTS),
    "best first": Shape(best_first, "instruction", ("output",)),
    "py-dpo": Shape(py_dpo, labels=_TEXTS, directed=_TEXTS),
    "ms-swift": Shape(ms_swift, "", ("rejected_response",)),
    "OpenRLHF": Shape(openrlhf, "context_messages", _TEXTS, _TEXTS),
    "HelpSteer3": Shape(helpsteer3, "context", (_STRENGTH,), code=_STRENGTH, signed=True),
    "HelpSteer2": Shape(helpsteer2, asks="which score?", options={"score": "helpfulness"}),
    "UltraFeedback": Shape(
        ultrafeedback, "instruction", asks="which score?", options={"score": "overall_score"}
    ),
    "SHP": Shape(shp, "history"),
    "KTO": Shape(kto),
    "KTO, the bad marked": Shape(marked_bad),
    "Nectar": Shape(nectar),
    "Arena": Shape(arena, "", ("winner",), code="winner"),
    "Arena 55k": Shape(arena_55k),
    "AlpacaEval": Shape(alpaca_eval, "instruction", ("preference",), code="preference"),
    "summarize from feedback": Shape(summarize_from_feedback, "info", ("choice",), code="choice"),
    "WebGPT": Shape(webgpt, "question", ("score_0", "score_1")),
    "PKU-SafeRLHF": Shape(pku_saferlhf, labels=("better_response_id",), asks="which label?"),
    "distilabel": Shape(distilabel, "instruction"),
    "responses and scores": Shape(responses_and_scores),
    "responses and ranks": Shape(responses_and_ranks),
    "rank of each": Shape(rank_of_each),
    "chosen by number": Shape(chosen_by_number, labels=("chosen",)),
    "Argilla": Shape(argilla, labels=("preference.responses",)),
    "OpenAssistant": Shape(oasst, ""),
    "battles": Shape(battles, "", ("winner",), code="winner"),
    "battles left, right": Shape(left_right, "", ("winner",), code="winner"),
    "battles, winner by name": Shape(named_winner, "", ("winner",), code="winner"),
    "battles, winner 1/0.5/0": Shape(scored_winner, "", ("winner",), code="winner", halves=True),
    "weights": Shape(weighted, labels=("winner",), code="winner"),
    "PRM800K": Shape(prm800k, "question", refuse=_STEPS),
    "TRL stepwise": Shape(trl_stepwise, refuse=_STEPS),
    "Math-Shepherd": Shape(math_shepherd, "input", refuse=_STEPS),
    "red team": Shape(red_team, "", refuse="one transcript a record: nothing is compared"),
    "losses": Shape(losses, refuse="a loss is no preference"),
    "responses alone": Shape(ranked_by_nobody, refuse="nothing says which response is better"),
}
