"""Where the nodes of a graph stand on paper: in layers, so that every edge goes down, with few crossings.

The backward page leaves this to dagre, in the browser. A drawing without a browser has to know the places in Python, where
the engine needs NumPy and Numba only: networkx puts nodes into layers but does not order them, and would be a dependency for this alone.
So here are the three steps of Sugiyama, Tagawa and Toda 1981, as plainly as they can be said: layers by the longest path,
order within them by the mean place of neighbours, and places by the same means.
"""

from __future__ import annotations

from collections.abc import Sequence

SWEEPS = 8


def place(n: int, edges: Sequence[tuple[int, int]]) -> list[tuple[float, int]]:
    """(column, layer) of the nodes 0 to n - 1. Edges lead from a node to one of a later layer, and nodes are sorted so."""
    above: list[list[int]] = [[] for _ in range(n)]
    below: list[list[int]] = [[] for _ in range(n)]
    for a, b in dict.fromkeys(edges):
        above[b].append(a)
        below[a].append(b)
    layer = _layers(n, above, below)
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node in range(n):
        rows[layer[node]].append(node)
    column = [0.0] * n
    for row in rows:
        for i, node in enumerate(row):
            column[node] = i
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            near = above if down else below
            wanted = {x: sum(column[y] for y in near[x]) / len(near[x]) if near[x] else column[x] for x in row}
            row.sort(key=lambda x: wanted[x])
            _spread(row, wanted, column)
    left = min(column, default=0.0)
    return [(column[x] - left, layer[x]) for x in range(n)]


def _layers(n: int, above: list[list[int]], below: list[list[int]]) -> list[int]:
    """As far from the start as the longest path; leaves and constants right above the first that uses them."""
    layer = [0] * n
    order = sorted(range(n), key=lambda x: _depth_first(x, above, n))
    for x in order:
        layer[x] = max((layer[y] + 1 for y in above[x]), default=0)
    for x in range(n):
        if not above[x] and below[x]:
            layer[x] = min(layer[y] for y in below[x]) - 1
    return layer


def _depth_first(x: int, above: list[list[int]], n: int) -> int:
    return x if all(y < x for y in above[x]) else n + x


def _spread(row: list[int], wanted: dict[int, float], column: list[float]) -> None:
    """Give each node the place that it wants, at least 1 from its neighbours: groups that touch share their mean."""
    groups: list[tuple[float, list[int]]] = []  # the first's place, the members
    for x in row:
        groups.append((wanted[x], [x]))
        while len(groups) > 1 and groups[-2][0] + len(groups[-2][1]) > groups[-1][0]:
            (_, last), (_, before) = groups.pop(), groups.pop()
            members = before + last
            groups.append((sum(wanted[y] - i for i, y in enumerate(members)) / len(members), members))
    for start, members in groups:
        for i, y in enumerate(members):
            column[y] = start + i
