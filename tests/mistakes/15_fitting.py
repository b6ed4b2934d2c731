"""Typical mistakes in exercise 15: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("hits / max(1, alarm.sum().item()), hits / max(1, ill.sum().item())",
       "hits / max(1, ill.sum().item()), hits / max(1, alarm.sum().item())")], "swapped"),
    ([("max(1, alarm.sum().item())", "alarm.sum().item()")], "divide by 0"),
    ([("((mean - truth) ** 2).mean()", "((answers - truth) ** 2).mean()")], "over the models first"),
    ([("((answers - mean) ** 2).mean()", "answers.var(dim=0).mean()")], "not by one less"),
]  # fmt: skip
