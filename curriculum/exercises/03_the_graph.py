"""Exercise 3: a better engine of numbers. Check it with `python -m curriculum check 03`.

1. Number / Number, and backward: write them.
2. walk_again: find the planted bug.
3. naive_steps: predict, then measure.
"""


class Number:
    """A value, and pairs (number that it was made from, slope towards it)."""

    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.grad = 0

    def __add__(self, other):
        return Number(self.value + other.value, ((self, 1), (other, 1)))

    def __mul__(self, other):
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def __truediv__(self, other):
        raise NotImplementedError("write the quotient as a step of its own")


def backward(last):
    """Fill in `.grad` of every number that `last` was made from.

    The function must not call itself, nor one inside it: Python stops after some thousand calls within calls, and this walk is to go
    through chains of 20,000 numbers.
    """
    raise NotImplementedError("count how many gradients each number still waits for")


def walk_again(last):
    """Add the slopes of `last` to the `.grad` of the leaves, on top of what is there; a leaf is a number without parents.

    So two walks give the leaves twice the slopes. This one is right the first time. A second walk through the same graph gives
    the leaves something else.
    """
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for parent, _ in number.parents:
                visit(parent)
            order.append(number)

    visit(last)
    last.grad = 1
    for number in reversed(order):
        for parent, slope in number.parents:
            parent.grad += slope * number.grad


def naive_steps(doublings):
    """Return how often the lesson's naive_backward is called in all, for a chain of that many doublings (2: b = a + a, c = b + b).

    The call that begins it counts too. A whole number, by a formula: the check asks for 200 doublings.
    """
    raise NotImplementedError("count for one doubling, for two, for three, by hand")
