"""Posteriors given the labels that people give: continuous logistic and binary ones.

The model of ``ibn.inference.gaussian`` takes a label for a Gaussian observation of variance σ².
Here the likelihood is the label's own: logistic for a continuous label, Bradley-Terry for its
sign. Both are log-concave, so the posterior has one mode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from ibn.checks import positive
from ibn.errors import InputError, unknown_name
from ibn.inference.gaussian import posterior_samples
from ibn.network import Network
from ibn.newton import climb
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.dominance import has_maximum
from ibn.solvers.reduced import ReducedSolver

LABELS = ("logistic", "binary")
TOLERANCE = 1e-10  # of the mode, in posterior standard deviations
FLATTEST = 1e-9  # least curvature of a label that a Newton step relies on, over the greatest


@dataclass(frozen=True)
class Likelihood:
    """Log-likelihood of labels as a function of the reward differences r(a) - r(b)."""

    kind: str  # {"logistic", "binary"}: which part of the label is read: ``delta`` or ``winner``
    # shape (n,): δ of each comparison, or its winner (+1, -1, and 0 for a tie, which counts as half
    # a label for each side)
    label: NDArray[np.float64]
    beta: float  # inverse temperature β > 0, per unit of reward

    @classmethod
    def of(cls, comparisons: Comparisons, beta: float, labels: str) -> Likelihood:
        """Read the labels of comparisons.

        Raises
        ------
        InputError
            If the kind is unknown, its labels are missing, or β is out of range.
        """
        if labels not in LABELS:
            raise unknown_name("kind of labels", labels, LABELS)
        name = "delta" if labels == "logistic" else "winner"
        label = getattr(comparisons, name)
        if label is None:
            raise InputError(f"{labels} labels need {name} for every comparison")
        positive("beta", beta)
        if comparisons.weight is not None:
            raise InputError("weighted labels are not read here", fix="repeat comparisons instead")
        if labels == "binary" and comparisons.share is not None:
            label = 2.0 * comparisons.share - 1.0
        return cls(labels, np.asarray(label, dtype=float), beta)

    @property
    def shape(self) -> float:
        """Power b of the logistic function in the likelihood: 2 for a logistic label, else 1."""
        return 2.0 if self.kind == "logistic" else 1.0

    def residual(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """β times what the label exceeds the difference by; a binary label is taken as 0."""
        centre = self.label if self.kind == "logistic" else 0.0
        return self.beta * (centre - difference)

    def log_density(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-likelihood of each label, up to a constant."""
        x = self.residual(difference)
        lean = 0.0 if self.kind == "logistic" else -0.5 * self.label * x
        return lean - self.shape * (np.abs(x) / 2.0 + np.log1p(np.exp(-np.abs(x))))

    def slope(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Differentiate the log-likelihood in the difference."""
        pull = self.beta * self.shape * (expit(self.residual(difference)) - 0.5)
        return pull if self.kind == "logistic" else pull + 0.5 * self.beta * self.label

    def curvature(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Minus its second derivative: the information of each label, at most β²b/4."""
        share = expit(-np.abs(self.residual(difference)))
        return self.beta**2 * self.shape * share * (1.0 - share)


@dataclass(frozen=True, eq=False)
class Laplace:
    """A posterior's mode and the Gaussian that shares its curvature there.

    Attributes
    ----------
    network : Network
        The network with each comparison's variance the inverse curvature of its log-likelihood
        at the mode: ``resistance`` and ``mean_variance`` give the approximation's variances.
    rewards : ndarray of float, shape (m,)
        The mode at the responses, centred over them.
    steps : int
        Newton steps taken.
    """

    network: Network
    rewards: NDArray[np.float64]
    steps: int

    def samples(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw rewards from the approximation, shape (count, m), each row centred."""
        return self.rewards + posterior_samples(self.network, count, rng)


def with_variances(network: Network, variance: NDArray[np.float64]) -> Network:
    """Give the comparisons of a network other variances."""
    bias = network.variance[: network.bias_edges]
    return replace(network, variance=np.concatenate([bias, variance]))


def laplace(
    network: Network, comparisons: Comparisons, beta: float, labels: str = "logistic"
) -> Laplace:
    """Find the posterior's mode by Newton's method and its curvature there.

    A Newton step is one Gaussian network: each comparison becomes an observation whose precision
    is the curvature of its log-likelihood. Without inductive-bias edges the mode is the maximum
    of the likelihood, where there is one.

    The approximation is good for continuous labels. For binary ones it is overconfident where
    β² times the prior variance is large, since their likelihood is then nearly a step:
    simulation-based calibration among the tests tells by how much.

    Parameters
    ----------
    network : Network
        A connected network built from ``comparisons``; the variances of its comparisons only
        matter for where the search begins.
    comparisons : Comparisons
        Labelled.
    beta : float
        Inverse temperature of the labels.
    labels : {"logistic", "binary"}
        Which labels to read.

    Raises
    ------
    InputError
        If labels are missing, the network is not connected, or the likelihood has no maximum.
    """
    likelihood = Likelihood.of(comparisons, beta, labels)
    if len(comparisons) != len(network.u) - network.bias_edges:
        raise InputError(
            f"{len(comparisons)} comparisons, but a network of "
            f"{len(network.u) - network.bias_edges}"
        )
    first = network.bias_edges
    u, v = network.u, network.v
    stiffness = 1.0 / network.variance[:first]
    require_mode(network, comparisons, likelihood)
    flattest = FLATTEST * beta**2 * likelihood.shape / 4.0
    reward = np.zeros(network.size)
    if labels == "logistic":  # far from its label a logistic likelihood has no curvature left
        pull = np.zeros(len(u))
        pull[first:] = likelihood.label / network.variance[first:]
        inflow = network.currents(pull)[:, None]
        reward = ReducedSolver.of(network, 1).potential(inflow, checked=False)[:, 0]

    def log_posterior(reward: NDArray[np.float64]) -> float:
        gap = reward[u] - reward[v]
        return float(likelihood.log_density(gap[first:]).sum() - stiffness @ gap[:first] ** 2 / 2)

    def newton(reward: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, Network]:
        gap = reward[u] - reward[v]
        pull = np.concatenate([-stiffness * gap[:first], likelihood.slope(gap[first:])])
        curvature = np.maximum(likelihood.curvature(gap[first:]), flattest)
        local = with_variances(network, 1.0 / curvature)
        inflow = network.currents(pull)
        inflow -= inflow.mean()  # near the mode the rounding of the sum is not small beside it
        move = ReducedSolver.of(local, 1).potential(inflow[:, None], checked=False)[:, 0]
        return move, float(inflow @ move), local

    top = climb(reward, log_posterior, newton, TOLERANCE**2 * network.size)
    at = top.point[network.nodes]
    return Laplace(top.local, at - at.mean(), top.steps)


def require_mode(network: Network, comparisons: Comparisons, likelihood: Likelihood) -> None:
    """Binary labels determine rewards only where neither side of a division always wins."""
    if likelihood.kind != "binary":
        return
    first = network.bias_edges
    shape = (network.size, network.size)
    bias = csr_array((np.ones(first, np.int8), (network.u[:first], network.v[:first])), shape)
    groups, group = connected_components(bias, directed=False)
    if groups == 1:
        return
    a, b = (group[network.nodes[side]] for side in (comparisons.a, comparisons.b))
    if not has_maximum(groups, a, b, (1.0 + likelihood.label) / 2.0):
        raise InputError(
            "some responses never lose to the others, or are never compared with them, and no "
            "inductive bias ties the two: the posterior has no mode",
            fix="give the network an inductive bias that connects all responses",
        )
