"""Typical mistakes in exercise 3: what is changed in the solution, and what the hint must say."""

ORDERED = """\
    for number in reversed(order):
        for parent, slope in number.parents:
            parent.grad += slope * number.grad
"""
NAIVE = """\
    def walk(number):
        for parent, slope in number.parents:
            parent.grad += slope * number.grad
            walk(parent)

    walk(last)
"""

MISTAKES = [
    ([("((self, other.value), (other, self.value))", "((self, self.value), (other, other.value))")], "exchanged"),
    ([("parent.grad += ", "parent.grad = ")], "do not replace it"),
    ([("    last.grad = 1\n", "")], "last.grad = 1"),
    ([("+= slope * number.grad", "+= number.grad")], "slope is left out"),
    ([("        if number not in seen:", "        if True:")], "visited once"),
    ([(ORDERED, NAIVE)], "6 instead of 4"),
]
