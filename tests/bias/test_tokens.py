"""Scripts written without spaces have words, too."""

import numpy as np

from ibn.auditing.evaluation import evaluate
from ibn.bias.embeddings import embed_texts
from ibn.preferences.reading import read_preferences
from ibn.preferences.tokens import tokenise

CLAUSES = [
    "我们今天去公园",
    "这个问题很有意思",
    "请先阅读说明",
    "他昨天买了一本书",
    "天气变化得很快",
]
CLAUSES += ["老师正在讲课", "大家都在等车", "窗外下着小雨", "孩子喜欢画画", "城市里有很多桥"]


def test_characters_and_pairs_of_them_are_words():
    assert tokenise("不好吃 ok!") == ["不", "不好", "好", "好吃", "吃", "ok", "!"]
    assert len(tokenise("ความ")) == 7


def test_a_predictable_chinese_set_is_predicted():
    rng = np.random.default_rng(0)

    def answer(kind):
        return "".join([*rng.choice(CLAUSES, 3), rng.choice(kind), rng.choice(CLAUSES)])

    records = [
        {
            "prompt": f"问题{i}",
            "chosen": answer(["回答清楚", "内容准确"]),
            "rejected": answer(["回答含糊", "内容错误"]),
        }
        for i in range(300)
    ]
    data = read_preferences(records)
    rows = embed_texts(data.prompts, data.responses, data.prompt_of)
    found = evaluate(rows, data.comparisons, data.prompt_of)
    assert np.mean(found.probability > 0.5) >= 0.95
