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
    ([("1e-5 * abs(x) or 1e-5", "1e-14")], "how many digits"),
    ([("1e-5 * abs(x) or 1e-5", "1e-5")], "large beside x itself"),
    ([("1e-5 * abs(x) or 1e-5", "1e-5 * x")], "your step is 0"),
    ([("(f(x + h) - f(x - h))", "(f(x - h) - f(x + h))")], "larger x first"),
    ([("    h = 1e-5 * abs(x) or 1e-5\n    return (f(x + h) - f(x - h)) / (2 * h)", "    h = 1e-4 * abs(x) or 1e-4\n    return (f(x + h) - f(x)) / h")], "slope is 3;"),
    ([("    if factor >= 1:\n        return None\n", "")], "wanted is None"),
    ([("factor = abs(1 - 2", "factor = (1 - 2"), ("factor >= 1", "factor >= 1 or factor < 0")], "it gets there"),
    ([("math.ceil(math.log(share)", "math.floor(math.log(share)")], "one step too early"),
    ([("math.ceil(math.log(share) / math.log(factor))", "math.ceil(math.log(share) / math.log(factor)) + 1")], "one step too many"),
    ([("1 - 2 * lr", "1 - lr")], "has a factor 2"),
    ([("(xs * xs).mean()", "(xs * xs).sum()")], "one step too early"),
    ([("math.ceil(math.log(share) / math.log(factor))", "math.log(share) / math.log(factor)")], "wanted is a whole number"),
    ([("    if factor <= share:\n        return 1\n", "")], "math domain error"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 31: comparison turned": "where factor and share are equal, both ways give one step",
    "line 8: 200 became 201": "it has arrived by then",
}
