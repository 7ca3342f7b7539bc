import numpy as np

from ibn.proofs_check.exact.exponents import exponents


def test_exponents_are_recovered_and_their_intervals_cover():
    n = 2.0 ** np.arange(6, 17)
    missed = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0.0, 1.0 / np.sqrt(n), (4, len(n)))
        values = 3.0 * n**-0.3 * np.log(n) ** 0.5 * np.exp(noise)
        e, l = exponents(n, values, 0.95, ["n", "log n"])  # noqa: E741
        missed += not e[0] <= -0.3 <= e[1]
        missed += not l[0] <= 0.5 <= l[1]
    assert 4 <= missed <= 40  # 20 of 400 expected
