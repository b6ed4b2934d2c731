"""Typical mistakes in exercise 7: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("n * (m + 1)", "n * m")], "a bias too"),
    ([("n * (m + 1)", "m * (n + 1)")], "n (m + 1)"),
    ([("second.weight @ first.bias + second.bias", "first.bias[:2] + second.bias")], "passes through"),
    ([("        merged.weight.copy_(second.weight @ first.weight)\n", "")], "is not second.weight @ first.weight"),
    ([("second.weight @ first.weight", "(second.weight @ first.weight).T")], "must match"),
    ([("        merged.bias.copy_(second.weight @ first.bias + second.bias)\n", "")], "bias is not"),
    ([("return merged", "return torch.nn.Sequential(first, second)")], "wanted is one nn.Linear"),
    ([("n * (m + 1)", "n * m + 1")], "n (m + 1)"),
    ([("    with torch.no_grad():", "    if True:")], "in-place"),
    ([("return sum(", "return str(sum("), ("pairwise(sizes))", "pairwise(sizes)))")], "wanted is a number"),
]
