"""Typical mistakes in exercise 8: what is changed in the solution, and what the hint must say."""

FORMULA = "torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))"
MISTAKES = [
    ([(".mean()", ".sum()")], "take the mean"),
    ([(".mean()", "")], "one number"),
    ([("z * y", "z * (1 - y)")], "swapped"),
    ([("return (", "return -(")], "sign is turned"),
    ([(FORMULA, "torch.log1p(torch.exp(z)) - z * y")], "exp overflows"),
]
