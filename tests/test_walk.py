"""The backward pass by its definition: `plain_walk` and `walk` give the same gradients, to the bit."""

from collections import deque

import numpy as np
import pytest

import minigrad
from minigrad.autograd.graph import plain_walk, walk
from minigrad.autograd.node import Node
from parity import programs


def results_of(program: programs.Program) -> list:
    """The tensors that a program computes in minigrad; none if minigrad refuses one of its in-place changes."""
    space = {"torch": minigrad}
    for name, x in program.inputs.items():
        leaf = minigrad.tensor(np.asarray(x), dtype=minigrad.float64, requires_grad=name not in program.frozen)
        space[name] = leaf
    try:
        for line in program.lines:
            exec(line, space)
    except RuntimeError:
        return []
    return [space[name] for name in program.results]


def leaves_under(root: Node) -> list:
    """The leaves of a graph, in the order of their making."""
    seen, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(edge[0] for edge in node._edges if edge is not None)
    return [node.variable for node in sorted(seen, key=lambda n: n.sequence_nr) if node.variable is not None]


def gradients(out, walker, seed=None) -> list[np.ndarray]:
    leaves = leaves_under(out.grad_fn)
    for leaf in leaves:
        leaf.grad = None
    if seed is None:
        seed = np.random.default_rng(0).normal(size=out.array.shape)
    walker(out._edge[0], np.asarray(seed, out.array.dtype))
    return [leaf.grad.array.copy() for leaf in leaves]


def plainly(node, seed):
    plain_walk(node, seed)


def fast(node, seed):
    walk([(node, 0)], [seed], retain_graph=True, create_graph=False)


@pytest.mark.parametrize("part", range(4))
def test_random_programs_are_walked_alike(part):
    walked = operations = 0
    for i in range(250):
        program = programs.draw(programs.Seeded(7_000_003 * (part + 1) + i))
        for out in results_of(program):
            if out.grad_fn is None:
                continue
            try:
                expected = gradients(out, plainly)
            except RuntimeError:  # a program that overwrites a saved value: both say so
                for walker in (plainly, fast):
                    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                        gradients(out, walker)
                continue
            for a, b in zip(expected, gradients(out, fast), strict=True):
                assert a.dtype == b.dtype
                assert a.tobytes() == b.tobytes(), program.script()
            walked += 1
        operations += program.steps
    assert walked > 200
    assert operations > 2500


def test_float32_is_walked_alike_too():
    minigrad.manual_seed(0)
    model = minigrad.nn.Sequential(
        minigrad.nn.Conv2d(1, 4, 3), minigrad.nn.ReLU(), minigrad.nn.Flatten(), minigrad.nn.Linear(4 * 36, 3)
    )
    loss = minigrad.nn.functional.cross_entropy(model(minigrad.randn(5, 1, 8, 8)), minigrad.tensor([0, 1, 2, 1, 0]))
    for a, b in zip(gradients(loss, plainly), gradients(loss, fast), strict=True):
        assert a.tobytes() == b.tobytes()


def first_come(root: Node, gradient: np.ndarray) -> None:
    """A wrong walk: nodes run in the order in which gradients reach them, each once."""
    arrived, queue, ran = {root: gradient}, deque([root]), set()
    while queue:
        node = queue.popleft()
        if node in ran:
            continue
        ran.add(node)
        results = node.run_backward(arrived[node])
        for edge, result in zip(node._edges, results if isinstance(results, tuple) else (results,), strict=False):
            if edge is not None and result is not None:
                arrived[edge[0]] = arrived[edge[0]] + result if edge[0] in arrived else result
                queue.append(edge[0])


def early_and_late(a):
    m = a + a
    n = m * m
    return m + n  # m is used early, by n, and late, here


def test_the_example_of_the_docstring_needs_the_order():
    """f = 2a + 4a²: f' = 2 + 8a = 26 at a = 3. In the order of arrival m runs before n's gradient has come to it."""
    for walker, expected in ((plainly, 26.0), (fast, 26.0), (first_come, 2.0)):
        a = minigrad.tensor(3.0, dtype=minigrad.float64, requires_grad=True)
        (gradient,) = gradients(early_and_late(a), walker, 1.0)
        assert gradient == expected


def test_the_old_example_does_not():
    """b = a + a; c = b + b: both of b's gradients come from c, so even the wrong walk gives 4."""
    a = minigrad.tensor(1.0, dtype=minigrad.float64, requires_grad=True)
    b = a + a
    (gradient,) = gradients(b + b, first_come, 1.0)
    assert gradient == 4.0
