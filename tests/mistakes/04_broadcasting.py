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
    ([("result.append(b if a == 1 else a)", "result.append(max(a, b))")], "to 0 too"),
    ([("(1,) * (longest - len(shape)) + tuple(shape)", "tuple(shape) + (1,) * (longest - len(shape))")], "flush right"),
    ([("longest = max(", "longest = min(")], "as many dimensions"),
    ([("if a != b and a != 1 and b != 1:", "if a != b:")], "but they fit"),
    ([("if a != b and a != 1 and b != 1:", "if False:")], "do not fit, so ValueError"),
    ([("    return tuple(result)", "    return result")], "wanted is a tuple"),
    (
        [("    longest = max(", "    return tuple(torch.broadcast_shapes(one, two))\n    longest = max("), ('"""Solution of exercise 4."""', "from curriculum.engine import torch")],
        "`broadcast_shapes` is not to be called",
    ),
    ([("(prediction.reshape(-1) - target.reshape(-1))", "(prediction - target)")], "Print the shape of the difference"),
    ([("    if prediction.numel() != target.numel():\n        raise ValueError(\"not equally many\")\n", "")], "not equally many, ValueError"),
    ([("prediction.numel() != target.numel()", "prediction.shape != target.shape")], "both are three numbers"),
    ([("target.reshape(-1)) ** 2).mean()", "target.reshape(-1)) ** 2).sum()")], "the mean over the samples"),
    ([("((prediction.reshape(-1)", "((prediction.detach().reshape(-1)")], "no way back"),
    ([("target.reshape(-1)) ** 2).mean()", "target.reshape(-1)) ** 2).mean().item()")], "wanted is a tensor"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 20: tuple exchanged": "either may come first",
    "line 19: arguments exchanged": "either may come first",
}
