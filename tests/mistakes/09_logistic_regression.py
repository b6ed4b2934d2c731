"""Typical mistakes in exercise 9: what is changed in the solution, and what the hint must say."""

FORMULA = "torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))"
MISTAKES = [
    ([(".mean()", ".sum()")], "take the mean"),
    ([(".mean()", "")], "one number"),
    ([("z * y", "z * (1 - y)")], "swapped"),
    ([("return (", "return -(")], "sign is turned"),
    ([(FORMULA, "torch.log1p(torch.exp(z)) - z * y")], "exp overflows"),
    ([(FORMULA, "torch.nn.functional.softplus(z) - z * y")], "`softplus` is not to be called"),
    (
        [("return (" + FORMULA + ").mean()", "return torch.nn.functional.binary_cross_entropy_with_logits(z, y)")],
        "is not to be called",
    ),
    ([("torch.log1p(torch.exp(-z.abs()))", "torch.log(1 + torch.exp(-z.abs()))")], "loses its digits"),
    ([(".mean()", ".mean(dim=0)")], "(2, 1)"),
    ([("return (", "z = z.detach()\n    return (")], "No gradient reaches z"),
    ([(FORMULA, "-(y * torch.log(torch.sigmoid(z)) + (1 - y) * torch.log(1 - torch.sigmoid(z)))")], "exp overflows"),
    ([(".mean()", ".mean().numpy()")], "detach"),
]
