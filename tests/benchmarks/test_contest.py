from dataclasses import replace

import pytest

from benchmarks.contest import Contest, Contestant, Effort, Faster, Run, Trial, Within
from benchmarks.precision import draws_needed
from benchmarks.timing import Agreement, Line, Spread


def line(who, seconds, ratio=None, **more):
    spread = None if ratio is None else Spread(ratio, ratio, ratio, 1)
    return Line(who, Spread.of([seconds]), ratio=spread, **more)


OURS = line("ibn", 1.0, 1.0)


def test_the_fastest_peer_decides():
    lines = [OURS, line("slow", 50.0, 50.0), line("fast", 5.0, 5.0)]
    assert Faster(5).judge(lines).met is True
    assert Faster(6).judge(lines).met is False
    assert Faster(40, "slow").judge(lines).met is True


def test_a_ratio_below_one_allows_to_be_slower():
    lines = [OURS, line("sort", 0.2, 0.2)]
    verdict = Faster(1 / 8, "sort").judge(lines)
    assert verdict.met is True
    assert verdict.measured.startswith("5 ×")
    assert Faster(1 / 4, "sort").judge(lines).met is False


def test_a_peer_cut_short_shows_success_but_never_failure():
    lines = [OURS, line("cg", 300.0, 10.0, at_least=True)]
    assert Faster(5).judge(lines).met is True
    assert Faster(20).judge(lines).met is None


def test_a_wrong_answer_is_never_fast_enough():
    wrong = Agreement(False, "off")
    assert Faster(5).judge([replace(OURS, agreement=wrong), line("peer", 9.0, 9.0)]).met is False
    assert Faster(5).judge([OURS, line("peer", 9.0, 9.0, agreement=wrong)]).met is False


def test_without_peers_there_is_no_verdict():
    assert Faster(5).judge([OURS]).met is None


def test_within_adds_times_and_takes_the_highest_peak():
    lines = [line("a", 1.0), line("b", 2.0, peak=3 * 2**30)]
    assert Within(seconds=3, gib=3).judge(lines).met is True
    assert Within(seconds=2.9).judge(lines).met is False
    assert Within(gib=2.9).judge(lines).met is False


def contest(peer):
    ours = Contestant("ours", lambda number: Run(2.0, 1.0), lambda x: Agreement(x == 1.0, ""))
    return Contest("case", "what", 10, 1, lambda n: Trial(ours, [Contestant("peer", peer)]))


def test_ratios_pair_runs_of_the_same_round():
    case = replace(contest(lambda number: Run(2.0 * (number + 1))), targets=(Faster(2),))
    result = case.run(10, Effort(rounds=3))
    assert result.lines[1].ratio == Spread(2.0, 1.0, 3.0, 3)
    assert result.verdicts[0].met is True


def test_a_target_is_open_at_another_size():
    case = replace(contest(lambda number: Run(8.0)), targets=(Faster(2),))
    assert case.run(5, Effort(rounds=1)).verdicts[0].met is None


def test_a_peer_that_fails_is_left_out_and_named():
    def fail(number):
        raise MemoryError("too large")

    result = contest(fail).run(10, Effort(rounds=2))
    assert [each.who for each in result.lines] == ["ours"]
    assert result.absent == {"peer": "failed with MemoryError: too large"}


def test_our_own_failure_is_not_swallowed():
    def fail(number):
        raise ValueError("broken")

    case = Contest("case", "what", 10, 1, lambda n: Trial(Contestant("ours", fail)))
    with pytest.raises(ValueError, match="broken"):
        case.run(10, Effort(rounds=1))


def test_impatience_ends_rounds():
    result = contest(lambda number: Run(2.0)).run(10, Effort(rounds=4, patience=0.0))
    assert [each.seconds.count for each in result.lines] == [1, 1]


@pytest.mark.parametrize(
    ("variation", "least", "expected"), [(0.0, 2, 2), (0.02, 2, 4), (0.1, 2, 100), (0.02, 7, 7)]
)
def test_draws_needed(variation, least, expected):
    assert draws_needed(variation, 0.01, least) == expected


def test_the_wary_rule_is_that_of_the_estimator():
    count = draws_needed(0.1, 0.01, 2, wary=True)
    slack = [1 + 2 / (2 * (k - 1)) ** 0.5 for k in (count - 1, count)]
    assert 0.1 / (count - 1) ** 0.5 * slack[0] > 0.01 >= 0.1 / count**0.5 * slack[1]
