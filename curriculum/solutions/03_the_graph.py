"""Solution of exercise 3."""


class Number:
    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.grad = 0

    def __add__(self, other):
        return Number(self.value + other.value, ((self, 1), (other, 1)))

    def __mul__(self, other):
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))


def backward(last):
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
