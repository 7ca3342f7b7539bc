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

    Parameters
    ----------
    x, y : uint64
        Addresses.
    powers : ndarray of uint64, shape (digits + 1,)
        Powers of the branching number.
    bits : int
        Bits a digit where the branching number is a power of two, else 0.
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
    sorting an index; :func:`unpack_sorted` mends the ties.
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

    Parameters
    ----------
    addresses : ndarray of uint64, shape (m,)
        In any order, repeats allowed.
    keys : ndarray of uint64, shape (m,)
        Keys from :func:`pack_keys`, sorted.
    address_bits : int
        Bits an address may have.

    Returns
    -------
    distinct : ndarray of uint64
        Sorted.
    rank : ndarray of int64, shape (m,)
        ``distinct[rank]`` is ``addresses``.
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

    Parameters
    ----------
    addresses : ndarray of uint64, shape (m,)
        Sorted, without repeats, m >= 1.
    powers, bits
        As in :func:`common_depth`.

    Returns
    -------
    parent : ndarray of int32, shape (N,)
        Parent of each node; the root, node N - 1, is its own.
    depth : ndarray of int16, shape (N,)
        Depth of each node; leaves lie at ``digits``.
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

    Parameters
    ----------
    addresses, parent, depth
        A trie as :func:`build_trie` takes and returns it.
    queries : ndarray of uint64, shape (q,)
        Addresses, in any order.

    Returns
    -------
    child : ndarray of int64, shape (q,)
        Lower node of the edge on which each query hangs.
    branch : ndarray of int64, shape (q,)
        Depth at which it leaves that edge, above ``depth[parent[child]]`` and at most
        ``depth[child]``; for a query that leaves at the root, ``child`` is the root.
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
def _merge(addresses, queries, current):
    """Merge sorted distinct addresses with sorted queries, adding up currents at equal ones."""
    m, q = len(addresses), len(queries)
    merged = np.empty(m + q, np.uint64)
    inflow = np.zeros(m + q)
    known = np.zeros(m + q, np.bool_)
    i = j = k = 0
    while i < m or j < q:
        address = addresses[i] if j == q or (i < m and addresses[i] <= queries[j]) else queries[j]
        merged[k] = address
        if i < m and addresses[i] == address:
            known[k] = True
            i += 1
        while j < q and queries[j] == address:
            inflow[k] += current[j]
            j += 1
        k += 1
    return merged[:k], inflow[:k], known[:k]


@njit(cache=True, nogil=True)
def inject(addresses, size, queries, current, half_variance, powers, bits):
    """Reduce current injected at addresses to current injected at the nodes of a trie.

    The queries are inserted into the trie, and everything that the insertion adds is eliminated
    exactly: a subtree without known addresses is a dangling resistor that carries its whole
    current to where it hangs, and a point inside an edge shares its current between the ends in
    inverse proportion to the resistance to each.

    Parameters
    ----------
    addresses : ndarray of uint64, shape (m,)
        Sorted distinct addresses of the trie.
    size : int
        Nodes of the trie.
    queries : ndarray of uint64, shape (q,)
        Sorted addresses, repeats allowed, known addresses allowed.
    current : ndarray of float, shape (q,)
        Current injected at each query, positive in, adding up to 0.
    half_variance : ndarray of float, shape (digits + 1,)
        g(k)/2 by depth, 0 at the leaves: an edge between depths j < k has variance
        ``half_variance[j] - half_variance[k]``.
    powers, bits
        As in :func:`common_depth`.

    Returns
    -------
    inflow : ndarray of float, shape (size,)
        Equivalent current at the trie's nodes.
    energy : float
        Energy dissipated in what was eliminated, in squared units of reward.
    """
    merged, flow, known = _merge(addresses, queries, current)
    parent, depth = build_trie(merged, powers, bits)
    total, m = len(parent), len(merged)
    flow = np.concatenate((flow, np.zeros(total - m)))
    branches = np.zeros(total, np.int32)  # children whose subtree holds a known address
    below = np.zeros(total)  # variance down to the trie node under a point inside an edge
    under = np.zeros(total, np.int32)  # that trie node
    inflow = np.zeros(size)
    energy = 0.0
    leaf, inner = 0, len(addresses)
    root = total - 1
    for i in range(total):
        up = parent[i]
        variance = half_variance[depth[up]] - half_variance[depth[i]]
        is_node = False
        if i < m:
            is_node = known[i]
            if is_node:
                under[i] = leaf
                leaf += 1
        elif branches[i] > 1 or i == root:
            is_node = True
            under[i] = inner
            inner += 1
        if is_node:
            inflow[under[i]] += flow[i]
            below[i] = 0.0
        elif i < m or branches[i] == 0:
            flow[up] += flow[i]
            energy += flow[i] * flow[i] * variance
            continue
        else:
            whole = below[i] + variance
            flow_down = flow[i] * variance / whole
            inflow[under[i]] += flow_down
            flow[up] += flow[i] - flow_down
            energy += flow[i] * flow[i] * below[i] * variance / whole
        if i != root:
            branches[up] += 1
            below[up] = below[i] + variance
            under[up] = under[i]
    return inflow, energy
