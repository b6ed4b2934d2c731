"""Checks exercise 3."""

import random
from typing import Any

from curriculum.check import Wrong


def _write(solution: dict[str, Any]) -> None:
    Number, backward = solution["Number"], solution["backward"]

    quotient = Number(3) / Number(4)
    if not isinstance(quotient, Number) or quotient.value != 0.75:
        raise Wrong("Number(3) / Number(4) must be a Number with the value 0.75.")
    product = Number(3) * Number(5)
    if not isinstance(product, Number) or product.value != 15:
        raise Wrong("Number(3) * Number(5) must still be a Number with the value 15.")
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

    x, y = Number(3), Number(4)
    backward(x / y)
    if (x.grad, y.grad) == (0.25, 0.1875):
        raise Wrong(
            "The slope of a quotient towards what it is divided by has the wrong sign: a larger y makes x / y smaller."
        )
    if (x.grad, y.grad) != (0.25, -0.1875):
        raise Wrong(
            f"For 3 / 4 the slopes must be 0.25 and -0.1875; they are {x.grad} and {y.grad}. Towards x the slope of x / y is 1 / y; "
            "for y write it as x times a power of y."
        )

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

    x, one = Number(2), Number(1)
    y = x
    for _ in range(20_000):
        y = y + one
    try:
        backward(y * x)
    except RecursionError:
        raise Wrong(
            "A chain of 20,000 numbers is too deep for a function that calls itself: keep a list of what is to be done."
        ) from None
    if (x.grad, one.grad) != (20_004, 40_000):
        raise Wrong(
            f"In a chain of 20,000 numbers the gradients must be 20004 and 40000; they are {x.grad} and {one.grad}."
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


def _again(solution: dict[str, Any]) -> None:
    Number, walk = solution["Number"], solution["walk_again"]
    a, b = Number(3), Number(5)
    m = a * a
    f = m * b + m
    for walks in (1, 2, 3):
        walk(f)
        if (a.grad, b.grad) == (36 * walks, 9 * walks):
            continue
        found = f"For m = a * a, f = m * b + m at a = 3, b = 5 the slopes are 36 and 9. After {walks} walks a and b have {a.grad} and {b.grad}"
        if walks == 1:
            raise Wrong(f"{found}: the first walk was right before you changed something.")
        if (a.grad, b.grad) == (36, 9):
            raise Wrong(f"{found}: now the leaves forget the walks before. Leaves add up; which numbers must not?")
        raise Wrong(
            f"{found}, wanted are {36 * walks} and {9 * walks}. Print m.grad after each walk: what should it be?"
        )
    c = Number(2)
    g = m * c  # another graph that shares m
    walk(g)
    if (a.grad, b.grad, c.grad) != (108 + 12, 27, 9):
        raise Wrong(
            "After the walks through f, a walk through g = m * c, which shares m, adds something wrong: a number between must begin at 0 "
            "in every walk, also if the last walk was another graph's."
        )
    x = Number(7)
    walk(x)
    if x.grad != 1:
        raise Wrong(f"A number that was made of nothing has the slope 1 towards itself; it is {x.grad}.")


def _steps(solution: dict[str, Any]) -> None:
    for doublings in (3, 1, 2, 0, 10, 200):
        found = solution["naive_steps"](doublings)
        if not isinstance(found, int) or isinstance(found, bool):
            raise Wrong(f"naive_steps({doublings}) is a {type(found).__name__}, wanted is a whole number, an int.")
        calls = last = 1
        for _ in range(doublings):  # every call for a number calls twice for the one that it was made from
            last *= 2
            calls += last
        if found == calls:
            continue
        if found == calls - 1:
            raise Wrong(f"naive_steps({doublings}) is one too few: the call that begins the walk counts too.")
        if found == last:
            raise Wrong(
                f"naive_steps({doublings}) is the number of paths. The calls for the numbers between count too."
            )
        if found == doublings + 1:
            raise Wrong("That is how many numbers there are. The naive walk comes to most of them several times.")
        raise Wrong(
            f"naive_steps({doublings}) is {found}, and that is not what a counter in naive_backward shows: put one in and try."
        )


CHECKS = {
    "a quotient, and a walk through long chains": _write,
    "the second walk": _again,
    "steps of the naive walk": _steps,
}
