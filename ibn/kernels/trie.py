"""Compressed tries of sorted addresses, and current injected at addresses outside them.

An address is an integer of ``digits`` digits base ``branching``, its most significant digit
first; sorted addresses are the leaves of the hierarchy from left to right. Nodes are numbered
leaves first, in address order, then inner nodes in postorder: children before parents, the root
(depth 0, always present) last.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import leading_zeros


@njit(cache=True, nogil=True, inline="always")
def _bit_length(x):
    return 64 - np.int64(leading_zeros(np.uint64(x)))


@njit(cache=True, nogil=True)
def common_depth(x, y, powers, bits):
    """Depth of the deepest common ancestor of two addresses: the digits they share.

    ``x``, ``y``: addresses; ``powers``, shape (digits + 1,): powers of the branching number;
    ``bits``: bits a digit where the branching number is a power of two, else 0.
    """
    digits = len(powers) - 1
    if bits:
        return digits - (_bit_length(x ^ y) + bits - 1) // bits
    low, high = 0, digits
    while low < high:
        middle = (low + high) // 2
        if x // powers[middle] == y // powers[middle]:
            high = middle
        else:
            low = middle + 1
    return digits - low


@njit(cache=True, nogil=True)
def pack_keys(addresses, address_bits):
    """Pack the leading bits of each address and its position into one sortable integer.

    A plain integer sort of the keys orders addresses and positions at once, far faster than
    sorting an index; :func:`unpack_sorted` sorts out the ties.
    """
    keys = np.empty(len(addresses), np.uint64)
    low = np.uint64(max(1, _bit_length(np.uint64(len(addresses) - 1))))
    drop = np.uint64(max(0, np.int64(low) + address_bits - 64))
    for i in range(len(addresses)):
        keys[i] = ((addresses[i] >> drop) << low) | np.uint64(i)
    return keys


@njit(cache=True, nogil=True)
def unpack_sorted(addresses, keys, address_bits):
    """Distinct addresses in order, and the rank of each address among them.

    ``addresses``, shape (m,): in any order, repeats allowed; ``keys``, shape (m,): keys from
    :func:`pack_keys`, sorted; ``address_bits``: bits an address may have. Returns ``distinct``:
    sorted; ``rank``, shape (m,): ``distinct[rank]`` is ``addresses``.
    """
    m = len(addresses)
    low = np.uint64(max(1, _bit_length(np.uint64(m - 1))))
    mask = (np.uint64(1) << low) - np.uint64(1)
    order = np.empty(m, np.int64)
    ordered = np.empty(m, np.uint64)
    for i in range(m):
        order[i] = np.int64(keys[i] & mask)
        ordered[i] = addresses[order[i]]
    first = 0
    for i in range(1, m + 1):
        if i < m and (keys[i] >> low) == (keys[first] >> low):
            continue
        if i - first > 1:  # equal leading bits: sort the run by the whole address
            run = np.argsort(ordered[first:i])
            order[first:i] = order[first:i][run]
            ordered[first:i] = ordered[first:i][run]
        first = i
    rank = np.empty(m, np.int64)
    count = 0
    for i in range(m):
        if i == 0 or ordered[i] != ordered[count - 1]:
            ordered[count] = ordered[i]
            count += 1
        rank[order[i]] = count - 1
    return ordered[:count], rank


@njit(cache=True, nogil=True)
def trie_edges(parent, depth, half_variance):
    """Parents and variances of the edges above all nodes but the root."""
    edges = len(parent) - 1
    child = np.empty(edges, np.int32)
    variance = np.empty(edges)
    for i in range(edges):
        child[i] = i
        variance[i] = half_variance[depth[parent[i]]] - half_variance[depth[i]]
    return child, variance


@njit(cache=True, nogil=True)
def common_depths(x, y, powers, bits):
    """:func:`common_depth` elementwise over two arrays of addresses."""
    depth = np.empty(len(x), np.int64)
    for i in range(len(x)):
        depth[i] = common_depth(x[i], y[i], powers, bits)
    return depth


@njit(cache=True, nogil=True)
def build_trie(addresses, powers, bits):
    """Build the compressed trie of sorted distinct addresses in one pass with a stack.

    ``addresses``, shape (m,): sorted, without repeats, m >= 1; ``powers``, ``bits``: as in
    :func:`common_depth`. Returns ``parent``, shape (N,): parent of each node; the root, node N - 1,
    is its own; ``depth``, shape (N,): depth of each node; leaves lie at ``digits``.
    """
    m = len(addresses)
    digits = len(powers) - 1
    parent = np.empty(2 * m, np.int32)
    depth = np.empty(2 * m, np.int16)
    sibling = np.empty(2 * m, np.int32)
    open_depth = np.empty(digits + 2, np.int64)
    open_child = np.empty(digits + 2, np.int32)
    depth[:m] = digits
    top = 0
    open_depth[0] = 0
    open_child[0] = -1
    size = m
    done = 0  # the finished subtree that waits for its parent
    for i in range(1, m + 1):
        shared = -1
        if i < m:
            shared = common_depth(addresses[i - 1], addresses[i], powers, bits)
        while top >= 0 and open_depth[top] > shared:
            sibling[done] = open_child[top]
            child = done
            while child != -1:
                parent[child] = size
                child = sibling[child]
            depth[size] = open_depth[top]
            done = size
            size += 1
            top -= 1
        if i < m:
            if top < 0 or open_depth[top] < shared:
                top += 1
                open_depth[top] = shared
                open_child[top] = -1
            sibling[done] = open_child[top]
            open_child[top] = done
            done = i
    parent[size - 1] = size - 1
    return parent[:size].copy(), depth[:size].copy()


@njit(cache=True, nogil=True)
def locate(addresses, parent, depth, queries, powers, bits):
    """Find where addresses would hang on a trie.

    ``addresses``, ``parent``, ``depth``: a trie as :func:`build_trie` takes and returns it;
    ``queries``, shape (q,): addresses, in any order. Returns ``child``, shape (q,): lower node of
    the edge on which each query hangs; ``branch``, shape (q,): depth at which it leaves that edge,
    above ``depth[parent[child]]`` and at most ``depth[child]``; for a query that leaves at the
    root, ``child`` is the root.
    """
    q = len(queries)
    m = len(addresses)
    root = len(parent) - 1
    child = np.empty(q, np.int64)
    branch = np.empty(q, np.int64)
    for j in range(q):
        i = np.searchsorted(addresses, queries[j])
        best, leaf = -1, 0
        if i > 0:
            best = common_depth(addresses[i - 1], queries[j], powers, bits)
            leaf = i - 1
        if i < m:
            right = common_depth(addresses[i], queries[j], powers, bits)
            if right > best:
                best, leaf = right, i
        node = np.int64(leaf)
        while node != root and depth[parent[node]] >= best:
            node = np.int64(parent[node])
        child[j] = node
        branch[j] = best
    return child, branch


@njit(cache=True, nogil=True)
def inject_pairs(parent, depth, x, y, half_variance, powers, bits, inflow):
    """Inject a unit current at one end of each pair of points, and take it out at the other.

    A point inside an edge shares its current between the ends in inverse proportion to the
    resistance to each. What two points of *different* pairs dissipate together inside one edge,
    or on a stem that they share, is left out: exchanging the ends of a pair changes its sign, so
    that it is 0 on average over pairs of exchangeable ends.

    ``parent``, ``depth``: a trie, from :func:`build_trie`; ``x``, ``y``, shape (p,): addresses of
    the ends, then their ``child`` and ``branch`` from :func:`locate`; ``half_variance``, shape
    (digits + 1,): g(k)/2 by depth, 0 at the leaves: an edge between depths j < k has variance
    ``half_variance[j] - half_variance[k]``; ``powers``, ``bits``: as in :func:`common_depth`;
    ``inflow``, shape (N,): current at the nodes; added to. Returns energy dissipated outside the
    trie's nodes and edges as they are, all pairs together.
    """
    root = len(parent) - 1
    energy = 0.0
    for k in range(len(x[0])):
        for sign, point in ((1.0, x), (-1.0, y)):
            child = point[1][k]
            hang = half_variance[point[2][k]]
            down = hang - half_variance[depth[child]]
            up = half_variance[depth[parent[child]]] - hang if child != root else 0.0
            energy += hang
            if down > 0.0 and up > 0.0:
                inflow[child] += sign * up / (up + down)
                inflow[parent[child]] += sign * down / (up + down)
                energy += up * down / (up + down)
            else:
                inflow[child if down == 0.0 else parent[child]] += sign
        if x[1][k] == y[1][k]:
            child = x[1][k]
            high = half_variance[min(x[2][k], y[2][k])]
            low = half_variance[max(x[2][k], y[2][k])]
            down = low - half_variance[depth[child]]
            up = half_variance[depth[parent[child]]] - high if child != root else 0.0
            whole = half_variance[depth[parent[child]]] - half_variance[depth[child]]
            if down > 0.0 and up > 0.0:
                energy -= 2.0 * up * down / whole
            if x[2][k] == y[2][k]:
                shared = common_depth(x[0][k], y[0][k], powers, bits)
                energy -= 2.0 * (high - half_variance[shared])
    return energy
