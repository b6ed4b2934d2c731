"""Typical mistakes in exercise 13: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("return s * (1 - s)", "return s")], "s (1 - s)"),
    ([("return (z > 0).to(z.dtype)", "return (z >= 0).to(z.dtype)")], "at z = 0 too"),
    ([("return (z > 0).to(z.dtype)", "return z > 0")], "a tensor like z"),
    ([("torch.full_like(z, negative_slope)", "torch.zeros_like(z)")], "negative_slope elsewhere"),
    ([("return 1 - torch.tanh(z) ** 2", "return 1 - torch.tanh(z)")], "1 - tanh(z)²"),
    ([("torch.where(z > 0", "torch.where(z >= 0")], "at z = 0 too"),
    ([("torch.full_like(z, negative_slope)", "torch.full_like(z, 0.01)")], "negative_slope elsewhere"),
    (
        [
            (
                "    s = torch.sigmoid(z)\n",
                "    leaf = z.clone().requires_grad_()\n    torch.sigmoid(leaf).sum().backward()\n    return leaf.grad\n    s = torch.sigmoid(z)\n",
            )
        ],
        "`backward` is not to be called",
    ),
    ([("return 1 - torch.tanh(z) ** 2", "return 1 / torch.cosh(z.double()) ** 2")], "wanted is a tensor like z"),
    ([("return (z > 0).to(z.dtype)", "return z / z")], ""),
]
