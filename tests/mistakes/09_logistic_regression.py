"""Typical mistakes in exercise 9: what is changed in the solution, and what the hint must say."""

FORMULA = "torch.relu(z) - z * y + torch.log1p(torch.exp(-z.abs()))"
MISTAKES = [
    ([("abs()))).mean()", "abs()))).sum()")], "take the mean"),
    ([("abs()))).mean()", "abs())))")], "one number"),
    ([("z * y", "z * (1 - y)")], "swapped"),
    ([("return (torch.relu", "return -(torch.relu")], "sign is turned"),
    ([(FORMULA, "torch.log1p(torch.exp(z)) - z * y")], "exp overflows"),
    ([(FORMULA, "torch.nn.functional.softplus(z) - z * y")], "`softplus` is not to be called"),
    (
        [("return (" + FORMULA + ").mean()", "return torch.nn.functional.binary_cross_entropy_with_logits(z, y)")],
        "is not to be called",
    ),
    ([("torch.log1p(torch.exp(-z.abs()))", "torch.log(1 + torch.exp(-z.abs()))")], "loses its digits"),
    ([("abs()))).mean()", "abs()))).mean(dim=0)")], "(2, 1)"),
    ([("return (torch.relu", "z = z.detach()\n    return (torch.relu")], "No gradient reaches z"),
    ([(FORMULA, "-(y * torch.log(torch.sigmoid(z)) + (1 - y) * torch.log(1 - torch.sigmoid(z)))")], "exp overflows"),
    ([("abs()))).mean()", "abs()))).mean().numpy()")], "detach"),
    ([("(rate - k * z).mean()", "(rate - k * z).sum()")], "take the mean"),
    ([("(rate - k * z).mean()", "(k * z - rate).mean()")], "sign is turned"),
    ([("(rate - k * z).mean()", "(rate - k * torch.log(z.abs())).mean()")], "term by term"),
    ([("(rate - k * z).mean()", "(rate - k * z)")], "one number, the mean"),
    ([("(rate - k) / len(z)", "rate - k")], "slope of the sum"),
    ([("(rate - k) / len(z)", "(k - rate) / len(z)")], "what the model expects"),
    ([("(rate - k) / len(z)", "((rate - k) / len(z)).sum()")], "one number for each sample"),
    (
        [("rate = torch.exp(z)", "rate = torch.exp(z)\n    torch.nn.functional.poisson_nll_loss(z, k)")],
        "is not to be called",
    ),
    ([("model(x) > 0 ", "model(x) > 0.5 ")], "change its mind"),
    ([("model(x) > 0 ", "torch.sigmoid(model(x)) > 0 ")], "change its mind"),
    ([("model(x) > 0 ", "model(x) < 0 ")], "change its mind"),
    ([("(guess == (y == 1)).sum().item()", "(guess & (y == 1)).sum().item()")], "change its mind"),
    ([("(guess == (y == 1)).sum().item()", "(guess == (y == 1)).sum()")], "wanted is a number"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 17: comparison turned": "at a logit of exactly 0 both classes are equally probable",
}
