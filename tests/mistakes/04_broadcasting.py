"""Typical mistakes in exercise 4: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(", keepdim=True", "")], "keepdim=True"),
    ([("    for _ in range(missing):\n        grad = grad.sum(dim=0)\n", "")], "sum over what its shape lacks"),
    ([("grad.sum(", "grad.mean(")], "the sum, not the mean"),
    ([("grad = grad.sum(dim=0)\n", "grad = grad.sum(dim=-1)\n")], "size 1"),
    ([("-grad * a / b**2", "grad * a / b**2")], "wrong sign"),
    ([("unbroadcast(grad / b, a.shape)", "unbroadcast(grad, a.shape) / b")], "has the shape"),
    ([("grad / b, a", "grad * b, a")], "it is grad / b"),
    ([("a / b**2", "a / b")], "(1/b)' is -1/b²"),
    ([("unbroadcast(-grad * a / b**2, b.shape)", "-grad * a / b**2")], "has the shape"),
    ([("    return grad\n", "    return grad.numpy()\n")], "stay with the tensor's own"),
    (
        [("    return unbroadcast(grad / b, a.shape),", "    return (grad / b).sum_to_size(a.shape),")],
        "`sum_to_size` is not to be called",
    ),
]  # fmt: skip
