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
    ([("inputs + 1 + outputs, budget - outputs", "inputs + outputs, budget - outputs")], "Has every layer its biases"),
    ([("inputs + 1 + outputs, budget - outputs", "inputs + 1 + outputs, budget")], "Has every layer its biases"),
    ([("inputs + 1 + outputs, budget - outputs", "inputs + 2 + outputs, budget - outputs")], "which still fits"),
    ([("rest // each", "rest / each")], "a whole number"),
    ([("    if rest < 0:\n        return 0\n", "")], ""),
    ([("b = each + 1", "b = each")], "Has every layer its biases"),
    ([("(math.isqrt(b * b + 4 * rest) - b) // 2", "rest // b")], ""),
    ([("truth * classes + guess", "guess * classes + truth")], "exchanged"),
    ([("minlength=classes * classes", "minlength=0")], ""),
    ([("cells.reshape(classes, classes)", "cells.reshape(classes, classes).clamp(max=1)")], "named twice"),
    ([("cells.reshape(classes, classes)", "cells.reshape(classes, classes).to(torch.float32)")], "wanted is int64"),
    ([("cells.reshape(classes, classes)", "cells")], "also for one that does not occur"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 19: comparison turned": "with nothing left the width is 0 either way",
    "line 19: 0 became 1": "with nothing left the width is 0 either way",
    "line 30: arguments exchanged": "classes, classes",
}
