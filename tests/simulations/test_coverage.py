"""Published intervals cover: a quick version of ``python -m ibn.simulations.coverage``."""

import numpy as np

from ibn.simulations import coverage


def test_intervals_over_datasets_cover(monkeypatch):
    monkeypatch.setattr(coverage, "SIZES", (16, 32))
    monkeypatch.setattr(coverage, "REPLICATES", 4)
    found = coverage.coverage(60, seed=1)
    assert len(found) == 2 * 2 * 5
    shares = np.array([one.hits / one.trials for one in found])
    assert shares.min() > 0.83  # 60 of them: one standard deviation is 2.8 %
    assert 0.92 < shares.mean() < 0.985


def test_an_interval_within_one_dataset_would_not(monkeypatch):
    """What a row says of itself is of its dataset alone, and covers far too little."""
    from ibn.estimate import Estimate
    from ibn.inference.gaussian import mean_variance
    from ibn.network import build_network
    from ibn.topology import build

    rng = np.random.default_rng(0)
    world = coverage.Ultrametric("power", alpha=1.0)

    def one() -> Estimate:
        network = build_network(world, build("tree", world, 32, rng), 1e-6)
        return mean_variance(network, rel_err=0.05, rng=rng)

    found = [one() for _ in range(80)]
    truth = np.mean([each.mean for each in found])
    inside = sum(low < truth < high for low, high in (each.interval() for each in found))
    assert inside < 0.6 * len(found)
