"""A Gibbs sampler of the exact posterior, which approximations are held against."""

import numpy as np
from polyagamma import random_polyagamma

from ibn.inference.laplace import Likelihood, require_mode, with_variances
from ibn.solvers.reduced import ReducedSolver


def gibbs_sweeps(network, comparisons, beta, labels, rng, start):
    """Walk through the posterior's rewards from ``start``, one sweep at a time, for ever.

    Both kinds of likelihood are mixtures of Gaussian ones over Pólya-Gamma precisions (Polson,
    Scott and Windle 2013). A sweep draws each label's precision given the rewards, then all
    rewards given the precisions: one Gaussian network, perturbed and solved. The chain of rewards
    is reversible.
    """
    likelihood = Likelihood.of(comparisons, beta, labels)
    require_mode(network, comparisons, likelihood)
    reward = np.asarray(start, dtype=float)
    while True:
        tilt = likelihood.residual(reward[comparisons.a] - reward[comparisons.b])
        mixture = random_polyagamma(likelihood.shape, tilt, random_state=rng)
        precision = beta**2 * mixture
        local = with_variances(network, 1.0 / precision)
        pull = rng.normal(0.0, 1.0 / np.sqrt(local.variance))
        centred = (
            precision * likelihood.label if labels == "logistic" else beta * likelihood.label / 2
        )
        pull[network.bias_edges :] += centred
        drawn = ReducedSolver.of(local).potential(local.currents(pull)[:, None])[network.nodes, 0]
        reward = drawn - drawn.mean()
        yield reward
