"""Typical mistakes in exercise 2: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("-= lr", "+= lr")], "uphill"),
    ([("        w.grad = None\n        b.grad = None\n", "")], "clear it after each step"),
    ([("            b -= lr * b.grad\n", "")], "Only one of the two"),
    ([(".mean()", ".sum()")], "take the mean"),
    ([("with torch.no_grad():", "if True:")], "torch.no_grad()"),
    ([("w -= lr * w.grad", "w = w - lr * w.grad")], "tensor without one"),
    ([("range(steps)", "range(200)")], "With no steps"),
    ([("lr * w.grad", "0.1 * w.grad"), ("lr * b.grad", "0.1 * b.grad")], "take the lr"),
    ([("return w, b", "return w.item(), b.item()")], "wanted is a tensor"),
    (
        [("    for _ in range(steps):\n", "    optimizer = torch.optim.SGD([w, b], lr)\n    for _ in range(steps):\n")],
        "`SGD` is not to be called",
    ),
    ([("    return w, b", "    return b, w")], "starting ones"),
    ([("return w, b", "w, b")], "returns nothing"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 6: 200 became 201": "it has arrived by then",
}
