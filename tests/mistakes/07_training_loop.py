"""Typical mistakes in exercise 7: what is changed in the solution, and what the hint must say."""

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
