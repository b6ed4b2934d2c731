"""Typical mistakes in exercise 5: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("w = w - lr", "w = w + lr")], "uphill"),
    ([("m / (1 - 0.9**t)", "m"), ("s / (1 - 0.999**t)", "s")], "start at zero"),
    ([("0.001 * g**2", "0.001 * g")], "squared gradient"),
]
