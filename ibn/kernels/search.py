"""Shortest paths between pairs of ports: bidirectional Dijkstra over hubs and all.

A port is a point of the network that can be entered through either of two nodes, each at its
own distance; a node is a port whose two entries agree.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HUB_DEGREE = 64


@njit(cache=True, nogil=True)
def arcs_from_edges(size, u, v, weight):
    """Compressed sparse rows of an undirected graph, each row's arcs from light to heavy.

    Arcs between two hubs (nodes of more than ``HUB_DEGREE`` arcs) come first in their rows, so
    that a search can scan a hub's few arcs to other hubs and take its many others one by one.

    ``size``: number of nodes; ``u``, ``v``, shape (e,): ends; loops are left out; ``weight``, shape
    (e,): positive. Returns ``start``, shape (size + 1,): where each node's arcs begin; ``lazy``,
    shape (size,): where the arcs that a search takes one by one begin: the row's end but for hubs;
    ``head``: where each arc leads; ``length``: its weight.
    """
    start = np.zeros(size + 1, np.int64)
    for e in range(len(u)):
        if u[e] != v[e]:
            start[u[e] + 1] += 1
            start[v[e] + 1] += 1
    for i in range(size):
        start[i + 1] += start[i]
    fill = start[:-1].copy()
    head = np.empty(start[size], np.int32)
    length = np.empty(start[size])
    for e in range(len(u)):
        if u[e] != v[e]:
            for tail, tip in ((u[e], v[e]), (v[e], u[e])):
                head[fill[tail]] = tip
                length[fill[tail]] = weight[e]
                fill[tail] += 1
    lazy = start[1:].copy()
    for i in range(size):
        low, high = start[i], start[i + 1]
        if high - low <= HUB_DEGREE:
            continue
        key = np.empty(high - low)
        hubs = 0
        heaviest = length[low:high].max()
        for k in range(low, high):
            j = head[k]
            is_hub = start[j + 1] - start[j] > HUB_DEGREE
            hubs += is_hub
            key[k - low] = length[k] - (2.0 * heaviest if is_hub else 0.0)
        order = np.argsort(key, kind="mergesort")
        head[low:high] = head[low:high][order]
        length[low:high] = length[low:high][order]
        lazy[i] = low + hubs
    return start, lazy, head, length


@njit(cache=True, nogil=True)
def push(keys, items, count, key, item):
    """Push onto a binary heap held in two arrays, grown when full; return them and the count."""
    if count == len(keys):
        keys = np.concatenate((keys, np.empty(count)))
        items = np.concatenate((items, np.empty(count, np.int64)))
    i = count
    while i > 0:
        up = (i - 1) >> 1
        if keys[up] <= key:
            break
        keys[i] = keys[up]
        items[i] = items[up]
        i = up
    keys[i] = key
    items[i] = item
    return keys, items, count + 1


@njit(cache=True, nogil=True)
def pop(keys, items, count):
    """Drop the least entry of a heap; return the new count."""
    count -= 1
    key, item = keys[count], items[count]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= count:
            break
        if child + 1 < count and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i] = keys[child]
        items[i] = items[child]
        i = child
    keys[i] = key
    items[i] = item
    return count


@njit(cache=True, nogil=True)
def _row_of(start, arc):
    """Find the node whose row an arc is in."""
    low, high = 0, len(start) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if start[middle] <= arc:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def path_lengths(start, lazy, head, length, sources, source_offset, targets, target_offset, bound):
    """Length of the shortest path between the two ports of each pair.

    Both ends grow in turn, nearest node first; a search stops once no undiscovered path can beat
    the best one met. A hub's arcs are taken one at a time, from light to heavy: an arc joins two
    hubs, and both scan it, or has an end that is no hub and scans it, so no meeting is missed.

    ``start``, ``lazy``, ``head``, ``length``: a graph, from :func:`arcs_from_edges`; ``sources``,
    ``targets``, shape (p, 2): the two entries of each port; ``source_offset``, ``target_offset``,
    shape (p, 2): their distances; ``bound``, shape (p,): length of the best path known not to enter
    the graph; infinity where there is none. Returns shape (p,): infinity where no path joins the
    two.
    """
    size = len(start) - 1
    result = np.empty(len(bound))
    label = np.empty((size, 2))
    stamp = np.full((size, 2), -1, np.int32)
    keys0, items0 = np.empty(1024), np.empty(1024, np.int64)
    keys1, items1 = np.empty(1024), np.empty(1024, np.int64)
    for p in range(len(bound)):
        best = bound[p]
        count0 = count1 = 0
        for e in range(2):
            node, key = sources[p, e], source_offset[p, e]
            if stamp[node, 0] != p or key < label[node, 0]:
                stamp[node, 0] = p
                label[node, 0] = key
                keys0, items0, count0 = push(keys0, items0, count0, key, node)
        for e in range(2):
            node, key = targets[p, e], target_offset[p, e]
            if stamp[node, 1] != p or key < label[node, 1]:
                stamp[node, 1] = p
                label[node, 1] = key
                keys1, items1, count1 = push(keys1, items1, count1, key, node)
            if stamp[node, 0] == p:
                best = min(best, label[node, 0] + key)
        while count0 and count1 and keys0[0] + keys1[0] < best:
            # Entries below `size` are nodes; those above are the next lazy arc of a hub.
            side = 0 if count0 <= count1 else 1
            if side == 0:
                key, item = keys0[0], items0[0]
                count0 = pop(keys0, items0, count0)
                other = keys1[0]
            else:
                key, item = keys1[0], items1[0]
                count1 = pop(keys1, items1, count1)
                other = keys0[0]
            if item < size:
                node = item
                if key > label[node, side]:  # a shorter way was found since
                    continue
                first, last = start[node], lazy[node]
                arc = last
                origin = key
                end = start[node + 1]
            else:
                # The arc's own entry: relax it alone, then queue the one after it.
                arc = item - size
                node = head[arc]
                first, last = arc, arc + 1
                origin = key - length[arc]
                end = start[_row_of(start, arc) + 1]
                arc += 1
            for k in range(first, last):
                tip = head[k]
                reach = origin + length[k]
                if stamp[tip, side] == p and label[tip, side] <= reach:
                    continue
                stamp[tip, side] = p
                label[tip, side] = reach
                if stamp[tip, 1 - side] == p:
                    best = min(best, reach + label[tip, 1 - side])
                if reach + other < best:
                    if side == 0:
                        keys0, items0, count0 = push(keys0, items0, count0, reach, tip)
                    else:
                        keys1, items1, count1 = push(keys1, items1, count1, reach, tip)
            if arc < end and origin + length[arc] + other < best:
                if side == 0:
                    keys0, items0, count0 = push(
                        keys0, items0, count0, origin + length[arc], size + arc
                    )
                else:
                    keys1, items1, count1 = push(
                        keys1, items1, count1, origin + length[arc], size + arc
                    )
        result[p] = best
    return result
