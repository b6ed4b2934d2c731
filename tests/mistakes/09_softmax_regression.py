"""Typical mistakes in exercise 9: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("shifted.sum(dim=1, keepdim=True)", "shifted.sum()")], "each row must"),
    ([("shifted.sum(dim=1, keepdim=True)", "shifted.sum(dim=0)")], "along dim=1"),
    ([("z - z.max(dim=1, keepdim=True).values", "z")], "overflows"),
    ([(" / len(y)", "")], "number of samples"),
    ([("softmax(z) - one_hot", "one_hot - softmax(z)")], "sign is turned"),
]
