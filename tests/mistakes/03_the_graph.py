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
    # A walk in preorder, and other orders that are none: right on chains and on the doublings, wrong where paths differ in length.
    (
        [
            (
                "            for parent, _ in number.parents:\n                visit(parent)\n            order.append(number)\n",
                "            order.append(number)\n            for parent, _ in number.parents:\n                visit(parent)\n",
            ),
            ("reversed(order)", "order"),
        ],
        "must be 26",
    ),
    (
        [
            (
                "    visit(last)\n",
                "    queue = [last]\n    while queue:\n        number = queue.pop(0)\n        if number not in seen:\n            seen.add(number)\n            order.insert(0, number)\n            queue += [parent for parent, _ in number.parents]\n",
            )
        ],
        "must be 26",
    ),
    ([("reversed(order)", "order")], "gradient must be 4"),
    (
        [
            (
                "self.value + other.value, ((self, 1), (other, 1))",
                "self.value + other.value, ((self, 1), (other, other.value))",
            )
        ],
        "both slopes are 1",
    ),
    ([("self.value * other.value, (", "self.value + other.value, (")], "value 15"),
    (
        [
            (
                "    return Number(self.value * other.value",
                "    return (self.value * other.value)\n        return Number(self.value * other.value",
            )
        ],
        "must be a Number",
    ),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 11: tuple exchanged": "a sum's parents in the other order",
    "line 14: tuple exchanged": "a product's parents in the other order",
}

# Answers spoiled as exercise_mutants.py does that are right all the same, and why.
SPOILED = {
    "returns nothing": "backward answers nothing",
    "returns what is of NumPy": "backward answers nothing",
    "returns NaN": "backward answers nothing",
    "a dimension too many": "backward answers nothing",
    "a little off": "backward answers nothing",
    "answers as the first time": "backward answers nothing",
}
