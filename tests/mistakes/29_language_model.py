"""Typical mistakes in exercises 29: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("data[s + 1 : s + context + 1]", "data[s : s + context]")], "learn to copy"),
    (
        [("    y = torch.stack([data[s + 1 : s + context + 1] for s in starts])", "    y = torch.roll(x, -1, 1)")],
        "piece's beginning",
    ),
    ([("logits[:, -1] / temperature", "logits[:, 0] / temperature")], "take the last place"),
    ([(" / temperature", "")], "temperature is ignored"),
    ([(" / temperature", " * temperature")], "Divide by the temperature"),
    ([("dim=1)", "dim=0)")], "sum to 1"),
    ([("    return x, y", "    return x")], "must return 2 things"),
    ([("for s in starts])\n    y", "for s in sorted(starts)])\n    y")], "from 3 and from 0 on"),
    (
        [
            (
                "torch.softmax(logits[:, -1] / temperature, dim=1)",
                "torch.exp(logits[:, -1] / temperature) / torch.exp(logits[:, -1] / temperature).sum(dim=1, keepdim=True)",
            )
        ],
        "overflows",
    ),
    ([("logits[:, -1]", "logits[:, -2]")], "last place"),
    (
        [
            (
                "    return torch.softmax(logits[:, -1] / temperature, dim=1)",
                "    return torch.softmax(logits[:, -1] / temperature, dim=1).numpy()",
            )
        ],
        "of NumPy",
    ),
    # the perplexity of a text
    ([("torch.exp(losses.mean())", "torch.exp(losses).mean()")], "not the mean of 2 and 8"),
    ([("torch.exp(losses.mean())", "torch.exp(losses.sum())")], "by token"),
    ([("torch.exp(losses.mean())", "losses.mean()")], "e to its power"),
    ([("torch.exp(losses.mean())", "2 ** losses.mean()")], "it is 4; it is"),
    # among the likeliest
    ([("kept / kept.sum(dim=1, keepdim=True)", "kept")], "divided by its sum"),
    ([("probabilities.topk(k, dim=1)", "probabilities.topk(k, dim=1, largest=False)")], "unlikeliest"),
    ([("kept.sum(dim=1, keepdim=True)", "kept[0].sum()")], "of its own"),
    ([("topk(k, dim=1)", "topk(2, dim=1)")], "With k = 4"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 21: without dim=": "the last dimension is dimension 1",
}
