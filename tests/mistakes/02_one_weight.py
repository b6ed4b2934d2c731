"""Typical mistakes in exercise 2: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("-= lr", "+= lr")], "uphill"),
    ([("        w.grad = None\n        b.grad = None\n", "")], "clear it after each step"),
    ([("            b -= lr * b.grad\n", "")], "Only one of the two"),
    ([(".mean()", ".sum()")], "take the mean"),
    ([("with torch.no_grad():", "if True:")], "torch.no_grad()"),
    ([("w -= lr * w.grad", "w = w - lr * w.grad")], "tensor without one"),
]
