"""Typical mistakes in exercise 1: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("centred = x - x.mean(dim=0)", "centred = x - x.mean()")], "down the rows"),
    ([("(centred**2).mean(dim=0).sqrt()", "x.std(dim=0)")], "minus 1"),
    ([("torch.where(deviation > 0, deviation, torch.ones_like(deviation))", "deviation")], "0 / 0"),
    ([("centred = x - x.mean(dim=0)", "x -= x.mean(dim=0)\n    centred = x")], "x itself was changed"),
]
