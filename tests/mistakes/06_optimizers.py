"""Typical mistakes in exercise 6: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("w = w - lr", "w = w + lr")], "uphill"),
    ([("m / (1 - 0.9**t)", "m"), ("s / (1 - 0.999**t)", "s")], "start at zero"),
    ([("0.001 * g**2", "0.001 * g")], "squared gradient"),
    ([(".sqrt()", "")], "root is missing"),
    ([("0.9**t", "0.9 ** (t + 1)"), ("0.999**t", "0.999 ** (t + 1)")], "one step ahead"),
    ([("    m = 0.9 * m + 0.1 * g\n", "    m += 0.1 * (g - m)\n")], "in place"),
    ([("w - lr", "w - 0.1")], "does not follow lr"),
    ([(").sqrt() + 1e-8)", " + 1e-8).sqrt())")], "outside of the root"),
    ([("return w, m, s", "return w")], "must return 3 things"),
    (
        [("    return w, m, s", "    m, s = m / (1 - 0.9**t), s / (1 - 0.999**t)\n    return w, m, s")],
        "After three steps",
    ),
    ([("    return w, m, s", "    return w.numpy(), m, s")], "of NumPy"),
]
