"""Typical mistakes in exercise 17: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("torch.sqrt(var + eps)", "torch.sqrt(var)")], "eps is missing"),
    ([("((x - mean) ** 2).mean(dim=0)", "x.var(dim=0)")], "divided by n, not"),
    ([("running_mean += momentum", "running_mean = running_mean + momentum")], "in place"),
    ([("var * n / (n - 1)", "var")], "divided by n - 1"),
    ([("mean, var = running_mean, running_var", "mean, var = x.mean(dim=0), x.var(dim=0)")], "by the running mean"),
]
