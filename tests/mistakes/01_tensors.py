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
    ([("(4,), (3, 1, 3)", "(3,), (3, 1, 3)")], "dim names what disappears"),
    ([("(3, 1, 3), 28", "(3, 3, 1), 28")], "at place 1"),
    ([("(3, 1, 3), 28", "[3, 1, 3], 28")], "wanted is a tuple"),
    ([("28, 5, 50", "22, 5, 50")], "which columns"),
    ([("28, 5, 50", "28, 4, 50")], "Write the transposed"),
    ([("50, 11\n", "11, 11\n")], "which number of a"),
    ([("50, 11\n", "50, 50\n")], "a view or a copy"),
    ([("28, 5, 50, 11", "28.0, 5, 50, 11")], "wanted is a whole number"),
    ([("pictures.clone()", "pictures")], "a second way of reading"),
    ([("pictures.clone()", "pictures[:]")], "a second way of reading"),
    ([("pictures.clone()", "pictures.view(pictures.shape)")], "a second way of reading"),
    ([("pictures.clone()", "torch.zeros_like(pictures)")], "the rest is as it was"),
    ([("result[:, 7, :]", "result[:, 6, :]")], "is not right"),
    ([("    return result\n", "    return result[:, :, :7]\n")], "that of the pictures"),
    ([("    return result\n", "    pictures[:] = result\n    return result\n")], "a second way of reading"),
]
