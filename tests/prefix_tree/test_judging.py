from types import SimpleNamespace

import pytest

from ibn.errors import InputError
from ibn.prefix_tree import judging
from ibn.prefix_tree.judging import ByScore, ChatJudge, PairVerdict, read_verdict
from ibn.prefix_tree.pairing import Pair
from ibn.prefix_tree.prompts import Prompt
from ibn.prefix_tree.tree import Leaf

PROBLEM = Prompt(
    "How many?",
    {"answer": "48/2 = <<48/2=24>>24 in May.\n48+24 = <<48+24=72>>72 altogether.\n#### 72"},
    3,
)


def leaf(text):
    return Leaf((0,), text, len(text.split()), True, (len(text),), (len(text.split()),))


def pair(a, b):
    return Pair(leaf(a), leaf(b))


@pytest.mark.parametrize(
    ("response", "score"),
    [
        ("24 in May, so 72.", 1.0),
        ("It is 24 and then 72. #### 72", 1.0),
        ("The answer: $72.00", 0.7 + 0.15),
        ("24 in May, so 70 in all.", 0.15),
        ("no idea", 0.0),
        ("A: 72, though 99 were asked", 0.85),
        ("", 0.0),
        ("24 in May, so 96-24 = 72", 1.0),
        ("24. It went from 0-72", 1.0),
        ("24. It is $-5, no, $72", 1.0),
        ("Plan A: 24. Plan B: 4. So 72.", 1.0),
    ],
)
def test_the_arithmetic_verifier(response, score):
    assert judging.verify_arithmetic(PROBLEM, [response]) == [pytest.approx(score)]


def test_a_verifier_without_a_reference_names_the_line():
    with pytest.raises(InputError) as raised:
        judging.verify_arithmetic(Prompt("?", {}, 7), ["1"])
    assert raised.value.line == 7


def test_overlap_with_a_reference():
    pytest.importorskip("rouge_score")
    prompt = Prompt("…", {"summary": "the doctor sends her to a specialist"}, 1)
    same, part, none = judging.overlap(
        prompt, ["the doctor sends her to a specialist", "a doctor sends her", "zebra"]
    )
    assert same == 1.0
    assert none == 0.0 < part < 1.0


def test_scores_make_winners_margins_and_ties():
    judge = ByScore(lambda prompt, texts: [float(len(text)) for text in texts])
    judged = judge.judge(PROBLEM, [pair("ab", "abcd"), pair("abc", "a"), pair("ab", "cd")])
    assert judged == [PairVerdict(-1, 2.0), PairVerdict(1, 2.0), PairVerdict(0, 0.0)]
    broken = ByScore(lambda prompt, texts: [float("nan")] * len(texts))
    assert broken.judge(PROBLEM, [pair("a", "b")])[0].winner is None


@pytest.mark.parametrize(
    ("said", "winner"),
    [
        ("A", 1),
        (" b.", -1),
        ("**B**", -1),
        ("Response A is better", 1),
        ("Tie", 0),
        ("Banana", None),
        ("A better response is B", None),
        ("A tie", 0),
        ("Answer: B", -1),
        ("Apples", None),
        ("A/B", None),
        ("A, B and tie are all wrong", None),
        ("A, because it is kinder.", 1),
        ("", None),
    ],
)
def test_verdicts_of_language_models(said, winner):
    assert read_verdict(said).winner == winner


class Client:
    """Stands for a server: answers from a function of the question."""

    def __init__(self, answer):
        completions = SimpleNamespace(create=self.create)
        self.chat, self.answer, self.asked = SimpleNamespace(completions=completions), answer, []

    def create(self, messages, **options):
        text = messages[0]["content"]
        self.asked.append(text)
        message = SimpleNamespace(content=self.answer(text))
        return SimpleNamespace(choices=[SimpleNamespace(message=message)])


def ask(answer, pairs):
    pytest.importorskip("openai")
    judge = ChatJudge("http://localhost:1", "m", client=Client(answer))
    return judge.judge(PROBLEM, pairs)


def test_a_chat_judge_must_say_the_same_in_either_order():
    def longer(text):
        a, b = text.split("Response A:\n")[1].split("\n\nResponse B:\n")
        return "A" if len(a) > len(b.split("\n\n")[0]) else "B"

    assert [j.winner for j in ask(longer, [pair("long one", "x"), pair("y", "longer")])] == [1, -1]
    assert ask(lambda text: "A", [pair("a", "b")]) == [PairVerdict(0)]  # always the first: a tie
    assert ask(lambda text: "banana", [pair("a", "b")])[0].winner is None


def test_braces_in_responses_are_left_alone():
    client = Client(lambda text: "A")
    pytest.importorskip("openai")
    ChatJudge("http://localhost:1", "m", client=client).judge(PROBLEM, [pair("{b}", "{prompt}")])
    assert "Response A:\n{b}\n" in client.asked[0]
    assert "Response B:\n{prompt}\n" in client.asked[0]
