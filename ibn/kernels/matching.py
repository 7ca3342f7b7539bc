"""Shortest paths where each response of a hierarchy was compared at most once.

Such a network needs no graph. From a leaf at distance L, every leaf under its ancestor at depth k
lies within L + g(k), and these leaves are neighbours in the order of addresses; each leads on over
its one comparison. Only leaves come into a search's queue; ancestors are prefixes of addresses,
marked in a hash table small enough for the cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ibn.kernels.search import pop, push
from ibn.kernels.trie import common_depth

SLOTS = 2**14
NONE = np.int64(0)  # a plain 0 has a type of its own, for which callees would be compiled again
# A climb: its side, the visit and the address where it begins, the leaves visited from low to
# high, the depth of the next ancestor, and the depth at which another climb comes first.
SIDE, BASE, FOOT, LOW, HIGH, DEPTH, LAST = range(7)


@njit(cache=True, nogil=True)
def match_leaves(u, v, partner, comparison):
    """Fill in each leaf's partner and their comparison; return whether each has one at most.

    ``u``, ``v``, shape (n,): comparisons by their leaves; loops are left out; ``partner``,
    ``comparison``, shape (m,): filled with -1; left half done where a leaf has several comparisons.
    """
    for e in range(len(u)):
        a, b = u[e], v[e]
        if a != b:
            if partner[a] >= 0 or partner[b] >= 0:
                return False
            partner[a] = b
            partner[b] = a
            comparison[a] = comparison[b] = e
    return True


@njit(cache=True, nogil=True)
def _grown(table):
    """Move a hash table into one of twice the size."""
    more = np.zeros((2 * len(table), 2), np.uint64)
    mask = len(more) - 1
    for i in range(len(table)):
        if table[i, 0] != 0:
            at = _home(table[i, 0]) & mask
            while more[at, 0] != 0:
                at = (at + 1) & mask
            more[at, 0], more[at, 1] = table[i, 0], table[i, 1]
    return more


@njit(cache=True, nogil=True, inline="always")
def _home(key):
    return np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(36))


@njit(cache=True, nogil=True)
def _ascend(table, held, address, depth, end, powers, half_variance, side, visit, label, key, best):
    """Mark an address's prefixes, from ``depth`` up to ``end`` or to one marked from as near.

    A mark is the number of a visit, plus one, each side's in its half of a word. Visits to come
    are no nearer than ``key``: prefixes by which none of them could beat the best are left alone.

    Returns ``depth``: of the prefix marked from as near; ``end - 1`` if there is none; ``held``:
    slots taken by now; ``best``: length of the best path seen by now: where the other side has
    marked a prefix too, an inductive-bias step joins the two.
    """
    mask = len(table) - 1
    own, other, word = np.uint64(32 * side), np.uint64(32 - 32 * side), np.uint64(0xFFFFFFFF)
    prefix = address // powers[len(powers) - 1 - max(depth, 0)]
    while depth >= end:
        reach = label[visit] + 2.0 * half_variance[depth]
        if reach >= best:
            break
        prefix_key = prefix + powers[depth]  # of no other depth
        at = _home(prefix_key) & mask
        while table[at, 0] != prefix_key and table[at, 0] != 0:
            at = (at + 1) & mask
        mark = table[at, 1] if table[at, 0] != 0 else np.uint64(0)
        mine, theirs = np.int64(mark >> own & word), np.int64(mark >> other & word)
        if mine and label[mine - 1] <= label[visit]:
            break
        if theirs:
            best = min(best, reach + label[theirs - 1])
        if reach + key < best:
            held += table[at, 0] == 0
            table[at, 0] = prefix_key
            table[at, 1] = (np.uint64(theirs) << other) | (np.uint64(visit + 1) << own)
        prefix //= powers[1]
        depth -= 1
    return depth, held, best


@njit(cache=True, nogil=True)
def _next_depth(addresses, address, low, high, powers, bits):
    """Depth of the nearest ancestor with other leaves than those from low to high; -1 for none."""
    depth = -1
    if low > 0:
        depth = common_depth(addresses[low - 1], address, powers, bits)
    if high + 1 < len(addresses):
        depth = max(depth, common_depth(addresses[high + 1], address, powers, bits))
    return depth


@njit(cache=True, nogil=True)
def _lone(addresses, address, at, powers, bits):
    """Find the one leaf under an address's nearest ancestor, if it is one: itself where known.

    Returns the leaf, -1 if there are several, and the depth of that ancestor.
    """
    near, depth = -1, -1
    for leaf in (at - 1, at):
        if 0 <= leaf < len(addresses):
            shared = common_depth(addresses[leaf], address, powers, bits)
            if shared > depth:
                near, depth = leaf, shared
    if _next_depth(addresses, addresses[near], near, near, powers, bits) >= depth:
        near = -1
    return near, depth


@njit(cache=True, nogil=True)
def _twice(values):
    return np.append(values, values)


@njit(cache=True, nogil=True)
def _visit_leaves(
    table, held, climb, visit, addresses, partner, comparison, sigma2,
    half_variance, powers, bits, label, key, best, reached, reach,
):  # fmt: skip
    """Visit the leaves under a climb's ancestor that are new to it, and cross their comparisons.

    Returns as :func:`_ascend` leaves them; leaves at the other ends of the comparisons, their
    distances, and how many.
    """
    m, digits, arrived = len(addresses), len(powers) - 1, NONE
    side, address = climb[SIDE], np.uint64(climb[FOOT])
    step = powers[digits - climb[DEPTH]]
    least = address - address % step
    while True:
        if climb[LOW] > 0 and addresses[climb[LOW] - 1] >= least:
            climb[LOW] -= 1
            leaf = climb[LOW]
        elif climb[HIGH] + 1 < m and addresses[climb[HIGH] + 1] - least < step:
            climb[HIGH] += 1
            leaf = climb[HIGH]
        else:
            return table, held, best, reached, reach, arrived
        if 2 * (held + digits + 1) > len(table):
            table = _grown(table)
        met, held, best = _ascend(
            table, held, addresses[leaf], digits, digits,
            powers, half_variance, side, visit, label, key, best,
        )  # fmt: skip
        if met == digits:
            continue
        nearest = _next_depth(addresses, addresses[leaf], leaf, leaf, powers, bits)
        _, held, best = _ascend(
            table, held, addresses[leaf], nearest, NONE,
            powers, half_variance, side, visit, label, key, best,
        )  # fmt: skip
        if partner[leaf] >= 0:
            if arrived == len(reached):
                reached, reach = _twice(reached), _twice(reach)
            reached[arrived] = partner[leaf]
            reach[arrived] = key + sigma2[comparison[leaf] if len(sigma2) > 1 else 0]
            arrived += 1


@njit(cache=True, nogil=True)
def _place_query(
    address, addresses, partner, comparison, sigma2, half_variance, powers, bits, reached, reach
):
    """Find a query among the leaves; return its place, whether it is one, and what it reaches.

    A query on the edge above a lone leaf comes to it at once, for there it has an ancestor that
    the leaf's own visits do not mark.
    """
    leaf, arrived = np.searchsorted(addresses, address), 1
    known = leaf < len(addresses) and addresses[leaf] == address
    near, away = _lone(addresses, address, leaf, powers, bits)
    if near >= 0:
        reached[1], reach[1] = near, 2.0 * half_variance[away]
        arrived = 2
        if partner[near] >= 0:
            reached[2] = partner[near]
            reach[2] = reach[1] + sigma2[comparison[near] if len(sigma2) > 1 else 0]
            arrived = 3
    return leaf, known, arrived


@njit(cache=True, nogil=True)
def matched_distances(
    addresses, partner, comparison, sigma2, half_variance, powers, bits, ends, bound
):
    """Length of the shortest path between the two responses of each pair.

    Both ends grow at once, nearest leaf first. A visited leaf marks its ancestors, and so meets
    at once every leaf of the other side that an inductive-bias step can reach: a path shorter
    than the best one met would have two adjacent leaves, each within half of that of its end.

    ``addresses``, shape (m,): sorted, distinct; ``partner``, ``comparison``, shape (m,): from
    :func:`match_leaves`; ``sigma2``, shape (n,): variance of each comparison, or of all;
    ``half_variance``, ``powers``, ``bits``: the world's, as ``kernels.trie`` takes them; ``ends``,
    shape (p, 2): addresses of the pairs, among ``addresses`` or not; ``bound``, shape (p,): d_IB of
    each pair. Returns shape (p,).
    """
    m, digits = len(addresses), len(powers) - 1
    result = np.empty(len(bound))
    table = np.zeros((SLOTS, 2), np.uint64)
    queue, items = np.empty(1024), np.empty(1024, np.int64)
    label = np.empty(1024)  # distance of each visit
    # A climb begins where a path arrives at a leaf, and visits the leaves under one ancestor after
    # another, but for those that another climb comes to first.
    climb = np.empty((1024, 8), np.int64)
    reached, reach = np.empty(1024, np.int64), np.empty(1024)  # arrivals and their distances
    for p in range(len(bound)):
        best = bound[p]
        table[:] = 0
        held = count = climbs = visits = NONE
        for side in range(2):
            queue, items, count = push(queue, items, count, 0.0, -1 - side)
        while count and 2.0 * queue[0] < best:
            key, c = queue[0], items[0]
            count = pop(queue, items, count)
            arrived = NONE
            if c < 0:
                side = -1 - c
                reached[0], reach[0] = m, 0.0  # the query itself
                arrived = 1
            else:
                side, address = climb[c, SIDE], np.uint64(climb[c, FOOT])
                if visits == len(label):
                    label = _twice(label)
                visit = visits
                label[visit] = key
                visits += 1
                table, held, best, reached, reach, arrived = _visit_leaves(
                    table, held, climb[c], visit, addresses, partner, comparison, sigma2,
                    half_variance, powers, bits, label, key, best, reached, reach,
                )  # fmt: skip
                nearest = _next_depth(
                    addresses, address, climb[c, LOW], climb[c, HIGH], powers, bits
                )
                if nearest > climb[c, LAST]:
                    ahead = label[climb[c, BASE]] + 2.0 * half_variance[nearest]
                    if 2.0 * ahead < best:
                        climb[c, DEPTH] = nearest
                        queue, items, count = push(queue, items, count, ahead, c)
            i = 0
            while i < arrived:
                leaf = reached[i]
                known = True
                if leaf < m:
                    address = addresses[leaf]
                else:
                    address = ends[p, side]
                    leaf, known, arrived = _place_query(
                        address, addresses, partner, comparison, sigma2,
                        half_variance, powers, bits, reached, reach,
                    )  # fmt: skip
                if visits == len(label):
                    label = _twice(label)
                label[visits] = reach[i]
                i += 1
                if 2 * (held + digits + 1) > len(table):
                    table = _grown(table)
                if known:
                    met, held, best = _ascend(
                        table, held, address, digits, digits,
                        powers, half_variance, side, visits, label, key, best,
                    )  # fmt: skip
                    if met == digits:
                        continue
                right = leaf if known else leaf - 1
                nearest = _next_depth(addresses, address, leaf, right, powers, bits)
                met, held, best = _ascend(
                    table, held, address, nearest, NONE,
                    powers, half_variance, side, visits, label, key, best,
                )  # fmt: skip
                ahead = label[visits] + 2.0 * half_variance[nearest]
                visits += 1
                if nearest > met and 2.0 * ahead < best:
                    if climbs == len(climb):
                        climb = np.concatenate((climb, climb))
                    climb[climbs, SIDE], climb[climbs, BASE] = side, visits - 1
                    climb[climbs, FOOT] = np.int64(address)
                    climb[climbs, LOW], climb[climbs, HIGH] = leaf, right
                    climb[climbs, DEPTH], climb[climbs, LAST] = nearest, met
                    queue, items, count = push(queue, items, count, ahead, climbs)
                    climbs += 1
        result[p] = best
    return result
