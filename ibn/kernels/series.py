"""Series reduction: leaves of at most one comparison taken out of a network and put back.

Nodes come before their parents, and a root is its own parent.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Roles of nodes: those that stay, those of one comparison in all, and those of none, with what is
# below them.
STAYS, ONCE, UNUSED = 0, 1, 2


@njit(cache=True, nogil=True)
def count_uses(size, a, b):
    """Count the edges of each node, and name its last, if it has one; each shape (size,)."""
    uses = np.zeros(size, np.int32)
    last = np.empty(size, np.int32)
    for e in range(len(a)):
        uses[a[e]] += 1
        uses[b[e]] += 1
        last[a[e]] = last[b[e]] = e
    return uses, last


@njit(cache=True, nogil=True)
def assign_roles(parent, uses, bare):
    """Tell which nodes stay.

    ``parent``, shape (N,): roots are their own; ``uses``, shape (N,): comparisons of each node;
    ``bare``: whether whole subtrees without a comparison are taken out, or leaves alone.
    Returns ``role, kept, number``: see ``ibn.solvers.reduction.Reduced``.
    """
    size = len(parent)
    role = np.empty(size, np.int8)
    for i in range(size):
        role[i] = STAYS if uses[i] > 1 else ONCE if uses[i] == 1 else UNUSED
    for i in range(size):
        if role[i] != UNUSED or parent[i] == i or not bare:
            role[parent[i]] = STAYS
    kept = np.empty(np.sum(role == STAYS), np.int64)
    number = np.empty(size, np.int64)
    count = 0
    for i in range(size):
        number[i] = -1
        if role[i] == STAYS:
            kept[count] = i
            number[i] = count
            count += 1
    return role, kept, number


@njit(cache=True, nogil=True)
def may_hold_cliques(a, b, uses):
    """Tell whether some component may be a clique of three or more: False is sure.

    In a clique of K all nodes have K - 1 edges and the same first neighbour, counting themselves.

    ``a``, ``b``, shape (n,): ends of each edge; ``uses``, shape (N,): edges of each node.
    """
    alike = 0
    for e in range(len(a)):
        alike += uses[a[e]] > 1 and uses[a[e]] == uses[b[e]]
    if alike < 3:
        return False
    first = np.arange(len(uses)).astype(np.int32)
    for e in range(len(a)):
        if uses[a[e]] > 1 and uses[a[e]] == uses[b[e]]:
            first[a[e]] = min(first[a[e]], np.int32(b[e]))
            first[b[e]] = min(first[b[e]], np.int32(a[e]))
    members = np.zeros(len(uses), np.int32)
    for i in range(len(uses)):
        members[first[i]] += uses[i] > 1
    for e in range(len(a)):
        if first[a[e]] != first[b[e]] or uses[a[e]] != uses[b[e]]:
            members[first[a[e]]] = members[first[b[e]]] = -1
    return np.any((uses > 1) & (members == uses + 1))


@njit(cache=True, nogil=True)
def reduced_edges(parent, stem, a, b, sigma2, role, number, u, v, variance):
    """Fill in ends and variance of each comparison once its leaves of one comparison are taken out.

    See ``ibn.solvers.reduction.Reduced`` for the arguments.
    """
    for e in range(len(a)):
        near, far, total = a[e], b[e], sigma2[e]
        if role[near] == ONCE:
            total += stem[near]
            near = parent[near]
        if role[far] == ONCE:
            total += stem[far]
            far = parent[far]
        u[e], v[e], variance[e] = number[near], number[far], total


@njit(cache=True, nogil=True)
def leaves_above(parent, role, nodes):
    """Nodes taken out that current at some nodes, or at their parents, passes; in order."""
    seen = np.zeros(len(role), np.bool_)
    found = [np.int64(0) for _ in range(0)]
    for i in nodes:
        while role[i] != STAYS and not seen[i]:
            seen[i] = True
            found.append(i)
            i = parent[i]
    return np.sort(np.array(found))


@njit(cache=True, nogil=True)
def eliminate_leaves(leaves, comparison, parent, stem, a, b, sigma2, role, inflow):
    """Reduce current at eliminated leaves to current at the nodes that stay.

    ``leaves``: the nodes taken out that current may pass, in order; ``comparison``, shape (N,): the
    comparison of each leaf of one; ``parent``, ``stem``, shape (N,): hierarchy and the variance of
    each node's edge to its parent; ``a``, ``b``, ``sigma2``, shape (n,): comparisons and their
    variances; ``role``, shape (N,): ``STAYS``, ``ONCE`` or ``UNUSED``; ``inflow``, shape (N, k):
    current at each node, several at a time; overwritten. Returns shape (k,): energy dissipated in
    what was eliminated.
    """
    columns = inflow.shape[1]
    energy = np.zeros(columns)
    for near in leaves:
        if role[near] == UNUSED:
            for j in range(columns):
                current = inflow[near, j]
                energy[j] += current**2 * stem[near]
                inflow[parent[near], j] += current
                inflow[near, j] = 0.0
    for near in leaves:
        if role[near] == ONCE:
            # `near` lies between its parent and `far`; then `far`, between the two parents.
            e = comparison[near]
            far = b[e] if a[e] == near else a[e]
            for j in range(columns):
                rest = sigma2[e]
                current = inflow[near, j]
                if current != 0.0:
                    whole = stem[near] + rest
                    inflow[parent[near], j] += current * rest / whole
                    inflow[far, j] += current * stem[near] / whole
                    energy[j] += current * current * stem[near] * rest / whole
                    inflow[near, j] = 0.0
                current = inflow[far, j]
                if current != 0.0 and role[far] == ONCE:
                    rest += stem[near]
                    whole = stem[far] + rest
                    inflow[parent[far], j] += current * rest / whole
                    inflow[parent[near], j] += current * stem[far] / whole
                    energy[j] += current * current * stem[far] * rest / whole
                    inflow[far, j] = 0.0
    return energy


@njit(cache=True, nogil=True)
def restore_leaves(parent, stem, a, b, sigma2, role, inflow, potential):
    """Fill in the potentials of leaves that :func:`eliminate_leaves` took out, in place.

    ``inflow`` is the current before the elimination, and overwritten; the other arguments are the
    same.
    """
    for i in range(len(role)):
        if role[i] == UNUSED:
            inflow[parent[i]] += inflow[i]
    for e in range(len(a)):
        near, far = a[e], b[e]
        if role[near] != ONCE:
            near, far = far, near
        if role[near] != ONCE:
            continue
        if role[far] == ONCE:
            rest = stem[near] + sigma2[e]
            passed = inflow[far] + inflow[near] * stem[near] / rest
            inverse = 1.0 / stem[far] + 1.0 / rest
            potential[far] = (
                passed + potential[parent[far]] / stem[far] + potential[parent[near]] / rest
            ) / inverse
        inverse = 1.0 / stem[near] + 1.0 / sigma2[e]
        potential[near] = (
            inflow[near] + potential[parent[near]] / stem[near] + potential[far] / sigma2[e]
        ) / inverse
    for i in range(len(role) - 1, -1, -1):
        if role[i] == UNUSED:
            potential[i] = potential[parent[i]] + inflow[i] * stem[i]
