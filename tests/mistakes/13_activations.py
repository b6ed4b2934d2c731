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
    ([("torch.exp(z.clamp(max=0.0))", "torch.exp(z) * 0 + 1")], ""),
    ([("below = alpha * torch", "below = torch")], "alpha is a factor"),
    (
        [("torch.where(z > 0, torch.ones_like(z), below)", "torch.where(z > 0, alpha * torch.ones_like(z), below)")],
        "plays no part",
    ),
    ([("return s + beta * z * s * (1 - s)", "return s * (1 - s)")], ""),
    ([("return s + beta * z * s * (1 - s)", "return beta * z * s * (1 - s)")], "product rule"),
    ([("return s + beta * z * s * (1 - s)", "return s + z * s * (1 - s)")], "a factor beta"),
    ([("return share + z * bell", "return share + bell")], "z times the slope of Phi"),
    ([("return share + z * bell", "return share")], "product rule"),
    ([("math.sqrt(2 * math.pi)", "(2 * math.pi)")], "z times the slope of Phi"),
    (
        [("(h <= 0).all(dim=0).sum().item() / h.shape[1]", "(h <= 0).sum().item() / h.numel()")],
        "which of its numbers decide",
    ),
    ([(".all(dim=0)", ".any(dim=0)")], "which of its numbers decide"),
    ([(".all(dim=0)", ".all(dim=1)")], "which of its numbers decide"),
    ([("h.shape[1]", "h.shape[0]")], "which of its numbers decide"),
    ([(".sum().item() / h.shape[1]", ".sum() / h.shape[1]")], "wanted is a number"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 26: 0.0 became 1.0": "up to 1 exp does not overflow, and the other piece is taken there",
    "line 27: comparison turned": "at z = 0 both pieces have the slope 1 for alpha = 1, and no slope otherwise",
}
