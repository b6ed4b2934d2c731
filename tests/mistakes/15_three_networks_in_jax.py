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
    ([("momentum * speed[name] + g", "momentum * speed[name] + (1 - momentum) * g")], "is no mean"),
    ([("momentum * speed[name] + g", "momentum * speed[name] + lr * g")], "acts on the step"),
    ([("w - lr * faster[name]", "w - lr * speed[name]")], "the old one"),
    (
        [("    return loss.item(), moved, faster", "    speed.update(faster)\n    return loss.item(), moved, faster")],
        "makes new ones",
    ),
    ([("return loss.item(), moved, faster", "return loss.item(), moved")], "must return 3 things"),
    ([("momentum * speed[name] + g", "0.9 * speed[name] + g")], "momentum * speed + gradient"),
    (
        [
            (
                "w.detach().clone().requires_grad_() for name, w in weights.items()}\n        loss",
                "w.requires_grad_() for name, w in weights.items()}\n        loss",
            )
        ],
        "differentiate copies",
    ),
    (
        [
            ("    def transformed", "    fresh = {}\n\n    def transformed"),
            (
                "fresh = {name: w.detach().clone().requires_grad_() for name, w in weights.items()}",
                "fresh.update({name: w.detach().clone().requires_grad_() for name, w in weights.items() if name not in fresh})",
            ),
        ],
        "from call to call",
    ),
    ([("return loss.item(), {name: leaf.grad", "return loss, {name: leaf.grad")], "wanted is a number"),
    (
        [("{name: leaf.grad for name, leaf in fresh.items()}", "[leaf.grad for leaf in fresh.values()]")],
        "a dictionary like the weights",
    ),
    ([("    return transformed", "    return transformed({})")], "missing 1 required"),
]
