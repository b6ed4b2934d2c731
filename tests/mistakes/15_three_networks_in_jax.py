"""Typical mistakes in exercise 15: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("w.detach().clone().requires_grad_()", "w.requires_grad_()")], "differentiate copies"),
    ([("w.detach() - lr * g", "w.detach() + lr * g")], "uphill"),
    ([("name: w.detach() - lr * g", "name: w - lr * g")], "hang on the graph"),
    ([("    return loss.item(), new", "    weights.update(new)\n    return loss.item(), new")], "was changed"),
    ([("lr * g", "0.1 * g")], "take the lr"),
    ([("return loss.item(), new", "return loss, new")], "hangs on the graph"),
    ([("return loss.item(), new", "return new")], "must return 2 things"),
    ([("return loss.item(), new", "return loss_of(new).item(), new")], "of the weights that came in"),
    ([("return loss.item(), new", "return loss.item(), list(new.values())")], "wanted is a dictionary"),
    ([("name: w.detach() - lr * g", "name: (w - lr * g).detach().numpy()")], "of NumPy"),
]
