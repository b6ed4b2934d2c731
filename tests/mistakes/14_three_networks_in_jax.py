"""Typical mistakes in exercise 14: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("w.detach().clone().requires_grad_()", "w.requires_grad_()")], "differentiate copies"),
    ([("w.detach() - lr * g", "w.detach() + lr * g")], "uphill"),
    ([("name: w.detach() - lr * g", "name: w - lr * g")], "hang on the graph"),
    ([("    return loss.item(), new", "    weights.update(new)\n    return loss.item(), new")], "was changed"),
]
