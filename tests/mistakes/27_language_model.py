"""Typical mistakes in exercise 27: what is changed in the solution, and what the hint must say."""

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
]
