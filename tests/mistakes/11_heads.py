"""Typical mistakes in exercise 11: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("(log_sum - right).mean()", "(log_sum - right).sum()")], "mean, not the sum"),
    ([("log_sum - right", "right - log_sum")], "sign"),
    ([("logits - logits.max(dim=1, keepdim=True).values", "logits")], "subtract each row's largest"),
    ([(".sum(dim=1).log()", ".sum(dim=0).log()[:2]")], "dim=1"),
    ([("shifted = logits", "logits = logits.detach()\n    shifted = logits")], "no graph"),
    ([("logits.max(dim=1, keepdim=True).values", "logits.max()")], "each row's largest"),
    (
        [
            (
                "    log_sum = shifted",
                "    return torch.nn.functional.cross_entropy(logits, target)\n    log_sum = shifted",
            )
        ],
        "is not to be called",
    ),
    ([("shifted.exp().sum(dim=1).log()", "torch.logsumexp(shifted, dim=1)")], "`logsumexp` is not to be called"),
    ([("torch.arange(len(target))", "torch.arange(2)")], ""),
    ([("(log_sum - right).mean()", "(log_sum - right)")], "one number"),
    ([("(log_sum - right).mean()", "(log_sum - right).mean().item()")], "wanted is a tensor"),
]
