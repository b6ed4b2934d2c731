"""Typical mistakes in exercise 18: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" / len(t)", "")], "each has 1/n of it"),
    ([("torch.softmax(logits, dim=1)", "torch.softmax(logits, dim=0)")], "over dim 1"),
    ([(" - normal * (g * normal).mean(dim=0)", "")], "the mean of g x̂"),
    ([("(slope * normal).sum(dim=0)", "(g * normal).sum(dim=0)")], "sum slope x̂ over the rows"),
    ([(", slope.sum(dim=0)", ", slope.mean(dim=0)")], "sum the slope over the rows"),
]
