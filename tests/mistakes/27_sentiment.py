"""Typical mistakes in exercises 27: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" * weight + bias", "")], "times weight, plus bias"),
    (
        [
            ("x.mean(dim=-1, keepdim=True)", "x.mean()"),
            (".mean(dim=-1, keepdim=True)\n    return", ".mean()\n    return"),
        ],
        "a mean of its own",
    ),
    (
        [
            (
                "((x - mean) ** 2).mean(dim=-1, keepdim=True)",
                "((x - mean) ** 2).sum(dim=-1, keepdim=True) / (x.shape[-1] - 1)",
            )
        ],
        "not by n - 1",
    ),
    ([("loss < losses[best]", "loss < losses[epoch - 1]")], "not with the one before"),
    ([("epoch - best >= patience", "epoch - best >= patience - 1 and epoch > best")], "too early"),
    ([("(variance + eps).sqrt()", "(variance.sqrt() + eps)")], "under the root"),
    (
        [("    mean = x", "    return torch.nn.functional.layer_norm(x, (x.shape[-1],), weight, bias)\n    mean = x")],
        "`layer_norm` is not to be called",
    ),
    ([("loss < losses[best]", "loss <= losses[best]")], "only equal"),
    ([("epoch - best >= patience", "epoch - best > patience")], "is"),
    ([("return len(losses) - 1, best", "return len(losses), best")], "(2, 2)"),
    # a block's parameters
    ([(" + 4 * width\n", "\n")], "normalizations learns"),
    ([("+ 4 * width\n", "+ 2 * width\n")], "one of the two normalizations"),
    ([("(width + 1) * hidden + (hidden + 1) * width", "2 * width * hidden")], "biases of the two"),
    ([("4 * (width * width + width)", "3 * (width * width + width)")], "mixes what they found"),
    ([("(hidden + 1) * width", "hidden * width + 2 * width // 2 * hidden // 12")], "not in one ratio"),
    # the loss of a data set
    ([("total / sum(sizes)", "sum(losses) / len(losses)")], "counts as much as the others"),
    ([("total / sum(sizes)", "total / len(sizes)")], "have the mean 2"),
    ([("total / sum(sizes)", "max(losses)")], "have the mean 2"),
    (
        [
            (
                "for loss, size in zip(losses, sizes, strict=True)",
                "for loss, size in zip(losses[:-1], sizes[:-1], strict=True)",
            )
        ],
        "have the mean 2",
    ),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 29: arguments exchanged": "a product has no order",
}
