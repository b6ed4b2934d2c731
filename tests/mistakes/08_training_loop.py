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
    ([("epochs * (full + 1), rest", "epochs * full, rest")], "fill no whole batch"),
    ([("epochs * (full + 1), rest", "full + 1, rest"), ("epochs * full, b", "full, b")], "steps of one epoch"),
    ([("batch_size if full else 0", "rest")], "a full one"),
    ([("rest and not drop_last", "rest")], "drop_last"),
    ([("epochs * (full + 1), rest", "epochs * samples / batch_size, rest")], "a loader gives"),
    ([("(other - mean) / deviation", "(other - other.mean(dim=0)) / other.std(dim=0)")], "whose mean was taken"),
    ([("(other - mean) / deviation", "(other - mean) / other.std(dim=0)")], "the same number must mean the same"),
    ([("train.mean(dim=0), train.std(dim=0)", "train.mean(), train.std()")], "each feature for itself"),
    ([("return (train - mean) / deviation", "return (train - mean) / deviation**2")], "mean 0 and deviation 1"),
    (
        [("    mean, deviation", "    del train\n    train = other\n    mean, deviation")],
        "",
    ),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 5: tuple exchanged": "0 and 0.0",
    "line 18: sign or not dropped": "`not` is put for `not`",
}
