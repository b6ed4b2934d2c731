"""Typical mistakes in exercise 27: what is changed in the solution, and what the hint must say."""

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
]
