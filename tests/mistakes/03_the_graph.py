"""Typical mistakes in exercise 3: what is changed in the solution, and what the hint must say."""

from pathlib import Path

_TEXT = (Path(__file__).parents[2] / "curriculum" / "solutions" / Path(__file__).name).read_text(encoding="utf-8")
# backward's body in the solution, and others in its place
WALK = _TEXT[_TEXT.index("    waiting, found") : _TEXT.index("\n\ndef walk_again")]
RECURSIVE = """\
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
"""
PREORDER = (
    RECURSIVE.replace("            order.append(number)\n", "")
    .replace("            seen.add(number)\n", "            seen.add(number)\n            order.append(number)\n")
    .replace("reversed(order)", "order")
)
BREADTH_FIRST = """\
    order, seen, queue = [], set(), [last]
    while queue:
        number = queue.pop(0)
        if number not in seen:
            seen.add(number)
            order.append(number)
            queue += [parent for parent, _ in number.parents]
    last.grad = 1
    for number in order:
        for parent, slope in number.parents:
            parent.grad += slope * number.grad
"""
NAIVE = """\
    def walk(number):
        for parent, slope in number.parents:
            parent.grad += slope * number.grad
            walk(parent)

    last.grad = 1
    walk(last)
"""
PATHS = """\
    todo = [(last, 1)]
    while todo:
        number, slope = todo.pop()
        number.grad += slope
        todo += [(parent, slope * local) for parent, local in number.parents]
"""
CLEAR = "    for number in order:\n        if number.parents:\n            number.grad = 0\n"

MISTAKES = [
    ([("(self, 1 / other.value), (other, -quotient / other.value)", "(self, -quotient / other.value), (other, 1 / other.value)")], "For 3 / 4"),
    ([("-quotient / other.value", "quotient / other.value")], "wrong sign"),
    ([("        return Number(quotient", "        return quotient\n        return Number(quotient")], "must be a Number"),
    ([("self.value / other.value\n", "self.value // other.value\n")], "value 0.75"),
    ([("((self, other.value), (other, self.value))", "((self, self.value), (other, other.value))")], "exchanged"),
    ([(WALK, WALK.replace("parent.grad += ", "parent.grad = "))], "do not replace it"),
    ([(WALK, WALK.replace("    last.grad = 1\n", ""))], "last.grad = 1"),
    ([(WALK, WALK.replace("+= slope * number.grad", "+= number.grad"))], "slope is left out"),
    # Walks in another order: right on chains and on the doublings, wrong where paths differ in length.
    ([(WALK, PREORDER)], "must be 26"),
    ([(WALK, BREADTH_FIRST)], "must be 26"),
    ([(WALK, NAIVE)], "6 instead of 4"),
    ([(WALK, PATHS)], "2^16"),
    ([(WALK, RECURSIVE)], "too deep for a function that calls itself"),
    ([(WALK, WALK.replace("            waiting[parent] += 1\n", "            waiting[parent] = 1\n"))], "must be 26"),
    ([(WALK, WALK.replace("waiting[parent] == 0", "waiting[parent] <= 1"))], "visited once"),
    ([(CLEAR, "")], "Print m.grad after each walk"),
    ([(CLEAR, CLEAR.replace("        if number.parents:\n    ", ""))], "the leaves forget"),
    ([(CLEAR, CLEAR.replace("if number.parents", "if number is not last and not number.parents"))], "wanted are"),
    (
        [(CLEAR, ""), ("            parent.grad += slope * number.grad\n\n\ndef naive", "            parent.grad += slope * number.grad\n        if number.parents and number is not last:\n            number.grad *= 0.5\n\n\ndef naive")],
        "wanted are",
    ),
    ([(CLEAR, "    if last.parents and last.grad:\n        return walk_again(Number(last.value, last.parents))\n")], "wanted are"),
    ([("2 ** (doublings + 1) - 1", "2 ** (doublings + 1) - 2")], "one too few"),
    ([("2 ** (doublings + 1) - 1", "2**doublings")], "number of paths"),
    ([("2 ** (doublings + 1) - 1", "doublings + 1")], "how many numbers there are"),
    ([("2 ** (doublings + 1) - 1", "2.0 ** (doublings + 1) - 1")], "wanted is a whole number"),
    ([("2 ** (doublings + 1) - 1", "doublings**2 + 2")], "a counter in naive_backward"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 11: tuple exchanged": "a sum's parents in the other order",
    "line 14: tuple exchanged": "a product's parents in the other order",
    "line 22: 0 became 1": "nothing waits for the last",
    "line 22: 0 became -1": "nothing waits for the last",
    "line 18: tuple exchanged": "a quotient's parents in the other order",
}
