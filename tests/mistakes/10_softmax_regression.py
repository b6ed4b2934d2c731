"""Typical mistakes in exercise 10: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("shifted.sum(dim=1, keepdim=True)", "shifted.sum()")], "each row must"),
    ([("shifted.sum(dim=1, keepdim=True)", "shifted.sum(dim=0)")], "along dim=1"),
    ([("z - z.max(dim=1, keepdim=True).values", "z")], "overflows"),
    ([(" / len(y)", "")], "number of samples"),
    ([("softmax(z) - one_hot", "one_hot - softmax(z)")], "sign is turned"),
    ([("z.max(dim=1, keepdim=True).values", "z.max()")], "With the largest of the whole batch"),
    (
        [("    shifted = torch", "    return torch.softmax(z, dim=1)\n    shifted = torch")],
        "`softmax` is not to be called",
    ),
    (
        [("    shifted = torch", "    return torch.nn.Softmax(dim=1)(z)\n    shifted = torch")],
        "`softmax` is not to be called",
    ),
    (
        [("    shifted = torch", "    return z.log_softmax(1).exp()\n    shifted = torch")],
        "`log_softmax` is not to be called",
    ),
    ([("    shifted = torch", "    z = z.numpy()\n    shifted = torch")], ""),
    ([("len(y)", "z.shape[1]")], "number of classes"),
    ([("z.max(dim=1", "z.max(dim=0")], "wanted is"),
    ([("z.shape[1])\n", "3)\n")], ""),
]
