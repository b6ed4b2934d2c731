"""Typical mistakes in exercise 16: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("hits / max(1, alarm.sum().item()), hits / max(1, ill.sum().item())",
       "hits / max(1, ill.sum().item()), hits / max(1, alarm.sum().item())")], "swapped"),
    ([("max(1, alarm.sum().item())", "alarm.sum().item()")], "divide by 0"),
    ([("((mean - truth) ** 2).mean()", "((answers - truth) ** 2).mean()")], "over the models first"),
    ([("((answers - mean) ** 2).mean()", "answers.var(dim=0).mean()")], "not by one less"),
    ([("((mean - truth) ** 2).mean()", "(mean - truth).abs().mean()")], "squared"),
    ([("((answers - mean) ** 2)", "((answers - truth) ** 2)")], "own mean answer"),
    ([("answers.mean(dim=0)", "answers.mean(dim=1)")], ""),
    ([("(alarm & ill)", "(alarm == ill)")], "2 of 4 alarms"),
    ([("hits = (alarm & ill).sum().item()", "hits = (alarm & ill).sum()")], "wanted is a number"),
    ([("return bias, variance", "return variance, bias")], "Bias²"),
    ([("sorted(held_out.items())", "sorted(own.items())")], "by which losses"),
    ([("mean = sum(losses) / len(losses)", "mean = sum(losses)")], "do not compare sums"),
    ([("mean = sum(losses) / len(losses)", "mean = min(losses)")], "compare means"),
    ([("mean = sum(losses) / len(losses)", "mean = max(losses)")], "compare means"),
    ([("if mean < lowest", "if mean <= lowest")], "the smallest is wanted"),
    ([("    return best\n", "    return lowest\n")], "not a loss"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 6: arguments exchanged": "max(1, n)",
}
