"""Typical mistakes in exercise 4: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(", keepdim=True", "")], "keepdim=True"),
    ([("    for _ in range(missing):\n        grad = grad.sum(dim=0)\n", "")], "sum over what shape lacks"),
    ([("grad.sum(", "grad.mean(")], "the sum, not the mean"),
    ([("grad = grad.sum(dim=0)\n", "grad = grad.sum(dim=-1)\n")], "on the left"),
]
