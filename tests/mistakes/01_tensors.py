"""Typical mistakes in exercise 1: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("centred = x - x.mean(dim=0)", "centred = x - x.mean()")], "down the rows"),
    ([("(centred**2).mean(dim=0).sqrt()", "x.std(dim=0)")], "minus 1"),
    ([("torch.where(deviation > 0, deviation, torch.ones_like(deviation))", "deviation")], "0 / 0"),
    ([("centred = x - x.mean(dim=0)", "x -= x.mean(dim=0)\n    centred = x")], "x itself was changed"),
    (
        [
            ("    centred = x", "    x = x.numpy()\n    centred = x"),
            ("torch.where(deviation > 0, deviation, torch.ones_like(deviation))", "(deviation + 1e-12)"),
            (".sqrt()", " ** 0.5"),
            ("dim=0", "axis=0"),
        ],
        "stay with the tensor's own",
    ),
    (
        [("torch.where(deviation > 0, deviation, torch.ones_like(deviation))", "(deviation + 1e-5)")],
        "A column of small numbers",
    ),
    ([("return centred /", "return -centred /")], "signs must stay"),
    (
        [
            (
                "return centred / torch.where(deviation > 0, deviation, torch.ones_like(deviation))",
                "return torch.stack([c / d if d > 0 else 0 * c for c, d in zip(centred.T, deviation)]).T",
            )
        ],
        "without a loop",
    ),
    ([("    return centred", "    centred")], "NoneType"),
]
