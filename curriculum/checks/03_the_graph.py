"""Checks exercise 3."""

import random
from typing import Any

from curriculum.check import Wrong


def check(solution: dict[str, Any]) -> None:
    Number, backward = solution["Number"], solution["backward"]

    product = Number(3) * Number(5)
    if not isinstance(product, Number) or product.value != 15:
        raise Wrong("Number(3) * Number(5) must be a Number with the value 15.")
    total = Number(3) + Number(5)
    if not isinstance(total, Number) or total.value != 8:
        raise Wrong("Number(3) + Number(5) must still be a Number with the value 8.")

    x, y = Number(3), Number(5)
    backward(x * y)
    if (x.grad, y.grad) == (3, 5):
        raise Wrong("The slopes of the product are exchanged: towards x the slope is y, and towards y it is x.")
    if (x.grad, y.grad) == (0, 0):
        raise Wrong("No gradient arrives: the walk must begin with last.grad = 1, since dc/dc = 1.")
    if (x.grad, y.grad) == (1, 1):
        raise Wrong("The slope is left out: a parent receives slope * number.grad.")
    if (x.grad, y.grad) != (5, 3):
        raise Wrong(f"For 3 * 5 the gradients must be 5 and 3; they are {x.grad} and {y.grad}.")

    x, y = Number(3), Number(5)
    backward(x + y)
    if (x.grad, y.grad) != (1, 1):
        raise Wrong(f"For 3 + 5 both slopes are 1, as they were given; the gradients are {x.grad} and {y.grad}.")

    x = Number(3)
    backward(x * x)
    if x.grad == 3:
        raise Wrong("For x * x only one of the two paths counts: add to .grad (+=), do not replace it (=).")
    if x.grad != 6:
        raise Wrong(f"For x * x at 3 the gradient must be 6; it is {x.grad}.")

    a = Number(1)
    b = a + a
    backward(b + b)
    if a.grad == 6:
        raise Wrong(
            "For a + a, twice, the gradient is 6 instead of 4: b handed its gradient on before it was complete."
        )
    if a.grad != 4:
        raise Wrong(f"For b = a + a, c = b + b the gradient must be 4; it is {a.grad}. Is each number visited once?")

    a = Number(3)
    m = a + a
    n = m * m
    backward(m + n)
    if a.grad != 26:
        raise Wrong(
            f"For m = a + a, n = m * m, f = m + n at a = 3 the gradient must be 26; it is {a.grad}. m is used by n and by f: it "
            "may hand on only after both. A number must be put down after all its parents, before the list is reversed."
        )
    small_graphs(Number, backward)

    y = x = Number(1)
    for _ in range(16):
        y = y + y
    visits = 0

    class Counted(tuple):
        def __iter__(self) -> Any:
            nonlocal visits
            visits += 1
            return super().__iter__()

    node = y
    while node.parents:
        node.parents, node = Counted(node.parents), tuple.__getitem__(node.parents, 0)[0]
    backward(y)
    if x.grad != 2**16:
        raise Wrong(f"For sixteen doublings the gradient must be {2**16}; it is {x.grad}.")
    if visits > 1000:
        raise Wrong(
            "The walk takes every path, and there are 2^16 of them: visit each number once (remember which were seen)."
        )


def small_graphs(Number: Any, backward: Any) -> None:
    """Sums and products of whole numbers, in every order of use, against slopes carried forward."""
    rng = random.Random(3)
    for _ in range(60):
        leaves = [Number(rng.randint(-3, 3)) for _ in range(3)]
        numbers = list(leaves)
        slopes = [[int(a is b) for b in leaves] for a in leaves]  # of each number, towards each leaf
        text = [f"{name} = {leaf.value}" for name, leaf in zip("abc", leaves, strict=True)]
        for place in range(3, 8):
            i, j = rng.randrange(len(numbers)), rng.randrange(max(0, place - 3), len(numbers))
            one, two = numbers[i], numbers[j]
            times = rng.random() < 0.5
            numbers.append(one * two if times else one + two)
            pairs = zip(slopes[i], slopes[j], strict=True)
            slopes.append([p * two.value + q * one.value if times else p + q for p, q in pairs])
            text.append(f"{'abcdefgh'[place]} = {'abcdefgh'[i]} {'*' if times else '+'} {'abcdefgh'[j]}")
        backward(numbers[-1])
        found = [leaf.grad for leaf in leaves]
        if found != slopes[-1]:
            raise Wrong(
                f"For {'; '.join(text)} the slopes of h towards a, b, c must be {slopes[-1]}; they are {found}. Does every number "
                "come after all that use it, and is each visited once?"
            )
