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

    def __truediv__(self, other):
        quotient = self.value / other.value
        return Number(quotient, ((self, 1 / other.value), (other, -quotient / other.value)))


def backward(last):
    waiting, found = {last: 0}, [last]
    for number in found:
        for parent, _ in number.parents:
            if parent not in waiting:
                waiting[parent] = 0
                found.append(parent)
            waiting[parent] += 1

    last.grad = 1
    ready = [last]
    for number in ready:  # the list grows while it is read
        for parent, slope in number.parents:
            parent.grad += slope * number.grad
            waiting[parent] -= 1
            if waiting[parent] == 0:
                ready.append(parent)


def walk_again(last):
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for parent, _ in number.parents:
                visit(parent)
            order.append(number)

    visit(last)
    for number in order:
        if number.parents:
            number.grad = 0
    last.grad = 1
    for number in reversed(order):
        for parent, slope in number.parents:
            parent.grad += slope * number.grad


def naive_steps(doublings):
    return 2 ** (doublings + 1) - 1
