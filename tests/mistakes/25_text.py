"""Typical mistakes in exercise 25: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("start=2", "start=0")], "begin with 2"),
    ([("size - 2", "size")], "room for 2 words"),
    ([("numbers.get(word, 1)", "numbers[word]")], "must become 1"),
    ([("row + [0] * (longest - len(row))", "[0] * (longest - len(row)) + row")], "in front"),
    ([("(vectors * mask).sum(dim=1) / mask.sum(dim=1)", "vectors.mean(dim=1)")], "counted too"),
    ([("/ mask.sum(dim=1)", "/ ids.shape[1]")], "sum of the mask"),
    ([("for word in text.split())", "for word in text.lower().split())")], "as they are written"),
    ([("torch.tensor([row", "torch.tensor([[float(n) for n in row]"), (" + [0] *", " + [0.0] *")], "whole"),
    ([("(ids != 0)", "(ids > 1)")], ""),
    ([("start=2", "start=1")], "begin with 2"),
]
