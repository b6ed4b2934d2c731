"""Typical mistakes in exercise 6: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("n * (m + 1)", "n * m")], "a bias too"),
    ([("n * (m + 1)", "m * (n + 1)")], "n (m + 1)"),
    ([("second.weight @ first.bias + second.bias", "first.bias[:2] + second.bias")], "passes through"),
    ([("        merged.weight.copy_(second.weight @ first.weight)\n", "")], "is not second.weight @ first.weight"),
]
