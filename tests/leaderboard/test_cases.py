"""Small files that went wrong once, with what is right and why."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from ibn.cli import main

HEAD = "model_a,model_b,winner\n"


def said(tmp_path, text, *options):
    file = tmp_path / "battles.csv"
    file.write_text(text)
    return CliRunner().invoke(main, ["rank", str(file), *options])


def items(tmp_path, text, *options):
    document = json.loads(said(tmp_path, text, "--json", *options).stdout)
    return {row["name"]: row for row in document["items"]}, document


def error_of_difference(ties):
    """From the information of battles between equals, a quarter each."""
    return 2.0 / np.sqrt(ties)


def test_one_tie_is_finite(tmp_path):
    found, _ = items(tmp_path, HEAD + "a,b,tie\n")
    assert found["a"]["reward"] == found["b"]["reward"] == 0.0
    # Two items' errors against their mean are half of that of their difference.
    assert found["a"]["stderr"] == pytest.approx(error_of_difference(1) / 2)
    assert found["a"]["high"] > 1.9


def test_a_newcomer_with_ties_only_is_unsure(tmp_path):
    known = "a,b,model_a\n" * 6 + "a,b,model_b\n" * 6
    found, _ = items(tmp_path, HEAD + known + "b,c,tie\n" * 4)
    variance = {name: row["stderr"] ** 2 for name, row in found.items()}
    # c hangs on b alone: Var(c - b) = 1, Var(a - b) = 1/3, and rewards are about their mean.
    assert variance["c"] == pytest.approx((4 * 1.0 + 1 / 3) / 9)
    assert variance["a"] == pytest.approx((4 / 3 + 1.0) / 9)
    assert found["c"]["high"] - found["c"]["low"] > found["a"]["high"] - found["a"]["low"]


def test_names_in_brackets_stay(tmp_path):
    names = ["llama-3[instruct]", "gpt-4[2024-05-13]", "qwen[/b]", ":smile: [red]x"]
    rows = [f'"{x}","{y}",model_{w}\n' for x in names for y in names for w in "ab" if x != y]
    shown = said(tmp_path, HEAD + "".join(rows)).stdout
    assert all(name in shown for name in names)


def test_a_weight_weighs(tmp_path):
    text = "model_a,model_b,winner,weight\nx,y,model_a,7\nx,y,model_b,3\n"
    found, _ = items(tmp_path, text)
    assert found["x"]["reward"] - found["y"]["reward"] == pytest.approx(np.log(7 / 3))
    counted, _ = items(tmp_path, text.replace("weight", "count"))
    assert counted["x"]["reward"] == pytest.approx(found["x"]["reward"])
    # Ten battles tell more than two that matter seven and three times as much.
    assert counted["x"]["high"] - counted["x"]["low"] < found["x"]["high"] - found["x"]["low"]


def winless():
    rows = [
        f"m{i},m{(i + step) % 10},model_{w}\n"
        for i in range(10)
        for step in (1, 2, 3)
        for w in "ab"
    ]
    return HEAD + "".join(rows) + "m0,new,model_a\nm1,new,model_a\nm2,new,model_a\n"


def test_the_item_without_a_win_is_ranked_last_and_flagged(tmp_path):
    found, document = items(tmp_path, winless())
    assert document["prior"]
    assert [name for name, row in found.items() if "winless" in row["flags"]] == ["new"]
    assert min(found, key=lambda name: found[name]["reward"]) == "new"
    assert not any(row["flags"] for name, row in found.items() if name != "new")


def test_without_the_prior_the_item_without_a_win_is_named(tmp_path):
    found = said(tmp_path, winless(), "--prior", "off")
    assert found.exit_code == 2
    assert "'new' never beat" in found.output


def test_an_undefeated_item_is_ranked_first_and_flagged(tmp_path):
    rows = "x,y,model_a\n" * 5 + "y,z,model_a\n" * 3 + "y,z,model_b\n" * 3
    found, document = items(tmp_path, HEAD + rows)
    assert document["prior"]
    assert found["x"]["flags"] == ["undefeated"]
    assert next(iter(found)) == "x"
    # Five wins and half a prior battle won, half lost: log(5.5 / 0.5).
    assert found["x"]["reward"] - found["y"]["reward"] == pytest.approx(np.log(11))


def test_an_item_that_meets_itself_is_refused_or_skipped(tmp_path):
    text = HEAD + "x,y,model_a\n" * 3 + "x,y,model_b\n" * 3 + "x,x,tie\n"
    refused = said(tmp_path, text, "--strict")
    assert refused.exit_code == 2
    assert ":8: an item meets itself" in refused.output
    found, document = items(tmp_path, text)
    assert (document["battles"], document["skipped"]) == (6, 1)
    assert set(found) == {"x", "y"}


def test_an_item_without_a_name_is_refused_with_its_line(tmp_path):
    found = said(tmp_path, HEAD + "x,y,model_a\n" * 6 + ",y,model_a\n")
    assert found.exit_code == 2
    assert ":8: an empty name" in found.output


def test_a_winner_may_be_a_share(tmp_path):
    _, document = items(tmp_path, HEAD + "x,y,1.0\nx,y,0.0\nx,y,0.5\n")
    assert (document["battles"], document["ties"]) == (3, 1)
    shares, _ = items(tmp_path, HEAD + "x,y,0.7\n")
    assert shares["x"]["reward"] - shares["y"]["reward"] == pytest.approx(np.log(7 / 3))


def test_a_share_beyond_one_is_refused(tmp_path):
    found = said(tmp_path, HEAD + "x,y,1\nx,y,2\n")
    assert found.exit_code == 2
    assert ":3: winner is 2" in found.output


@pytest.mark.parametrize("winner", [[1, 2], [True, False], [0.7, -1.0]])
def test_labels_that_are_no_winners_are_refused(winner):
    import ibn

    ends = np.array([0, 0]), np.array([1, 1])
    with pytest.raises(ibn.InputError, match="winner"):
        ibn.Comparisons(np.arange(2), *ends, winner=np.array(winner))
