"""Typical mistakes in exercise 22: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" / (1 - p)", "")], "divide what is kept"),
    ([(">= p", "< p"), ("(1 - p)", "p")], "not to be kept"),
    ([("    if not training:\n        return x\n", "")], "change nothing"),
    ([("torch.rand(x.shape)", "torch.rand(len(x), 1)")], "Whole rows"),
    ([("(test - mean) / spread", "(test - test.mean()) / test.std()")], "by its own numbers"),
    (
        [("mean, spread = train.mean(), train.std()", "mean, spread = torch.cat([train, test]).mean(), train.std()")],
        "training part must have mean 0",
    ),
    ([("torch.rand(x.shape)", "torch.rand(x.shape[1])")], "Whole columns"),
    (
        [("    kept = torch", "    return torch.nn.functional.dropout(x, p)\n    kept = torch")],
        "`dropout` is not to be called",
    ),
    ([("    kept = torch", "    torch.manual_seed(3)\n    kept = torch")], "without a seed"),
    ([("x * kept / (1 - p)", "x * kept * (x.sum() / (x * kept).sum())")], "each divided by 1 - p"),
    ([("        apart *= s\n", "")], "2 pixels apart"),
    ([("seen, apart = 1, 1", "seen, apart = 0, 1"), ("(k - 1) * apart", "k")], "overlap"),
    (
        [
            (
                "        seen += (k - 1) * apart\n        apart *= s\n",
                "        apart *= s\n        seen += (k - 1) * apart\n",
            )
        ],
        "its own window",
    ),
    ([("seen += (k - 1) * apart", "seen *= k")], "adds (k - 1) times"),
    ([("seen, apart = 1, 1", "seen, apart = 0, 1")], "is 3, not 2"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 19: tuple exchanged": "1 and 1",
    "line 7: sign or not dropped": "the same text",
    "line 9: comparison turned": "a draw that is p exactly",
}
