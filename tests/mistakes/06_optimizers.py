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
    ([("plain = lr * abs(slope)", "plain = lr * slope")], "not negative"),
    ([('"momentum": plain', '"momentum": plain * 0.1')], "velocity was 0 before"),
    ([('"AdaGrad": lr', '"AdaGrad": plain')], "sum of squares is its square"),
    ([("lr / root", "lr")], "not corrected"),
    ([('"Adam": lr', '"Adam": 0.1 * lr')], "begin at 0"),
    ([('{"SGD": plain, ', "{")], "with the names"),
    ([("self.velocities[i]", "self.velocities[0]")], "whose is it"),
    (
        [
            ("[0.0] * len(self.weights)", "[torch.zeros(1)] * len(self.weights)"),
            ("import math", "import math\n\nfrom curriculum.engine import torch"),
            (
                "self.velocities[i] = self.mu * self.velocities[i] + g",
                "self.velocities[i] *= self.mu; self.velocities[i] += g",
            ),
        ],
        "one weight see of another",
    ),
    (
        [
            (
                "self.velocities[i] = self.mu * self.velocities[i] + g",
                "self.velocities[i] = self.mu * self.velocities[i] + (1 - self.mu) * g",
            )
        ],
        "weight 1 is",
    ),
    ([("mu=0.9", "mu=0.99")], "keeps 0.9 of itself"),
    ([("w -= self.lr", "w = w - self.lr")], "in place"),
]
