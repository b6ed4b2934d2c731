"""Typical mistakes in exercise 8: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("        optimizer.zero_grad()\n", "")], "zero_grad() for every batch"),
    ([("        optimizer.step()\n", "")], "did not move"),
    ([("loss.item() * len(xb)", "loss.item()"), ("samples += len(xb)", "samples += 1")], "weigh each batch"),
    ([("loss.item()", "loss")], "as a float"),
    ([("    return total", "        return total")], "Only the first batch"),
    (
        [
            ("        optimizer.zero_grad()\n", ""),
            ("        optimizer.step()\n", "        optimizer.step()\n        optimizer.zero_grad()\n"),
        ],
        "belongs before",
    ),
    ([("loss_of(model(xb), yb)", "loss_of(yb, model(xb))")], "guess first"),
    ([("return total / samples", "return total")], "divide"),
    ([("        loss.backward()\n", "")], "did not move"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 5: tuple exchanged": "0 and 0.0",
}

# Answers spoiled as exercise_mutants.py does that are right all the same, and why.
SPOILED = {
    "answers as the first time": "it trains all the same, and the mean is the same",
}
