"""Typical mistakes in exercises 25: what is changed in the solution, and what the hint must say."""

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
    # the maximum over the words
    (
        [('vectors.masked_fill(padding, float("-inf"))', "vectors * (~padding).to(vectors.dtype)")],
        "Where does the 0 come from",
    ),
    ([('vectors.masked_fill(padding, float("-inf"))', "vectors")], "padding's vectors are counted"),
    ([('float("-inf")', "-1000.0")], "smaller than every number"),
    ([("(ids == 0).unsqueeze(2)", "(ids != 0).unsqueeze(2)")], "padding's vectors are counted"),
    # the table's gradient
    ([("(rows == ids.reshape(-1)) & (rows != 0)", "rows == ids.reshape(-1)")], "must not learn"),
    ([("    return used @", "    return used / used.sum(dim=1, keepdim=True).clamp(min=1) @")], "not their mean"),
    (
        [
            ("rows == ids.reshape(-1)", "rows == ids[0]"),
            ("upstream.reshape(-1, upstream.shape[-1])", "upstream[0]"),
        ],
        "sum over the texts too",
    ),
    (
        [
            (
                "    return used @ upstream.reshape(-1, upstream.shape[-1])",
                "    out = torch.zeros(size, upstream.shape[-1])\n    out[ids] = upstream\n    out[0] = 0\n    return out",
            )
        ],
        "only the last one counts",
    ),
    ([("upstream.reshape(-1, upstream.shape[-1])", "upstream.reshape(-1, 2)"), ("arange(size)", "arange(5)")], ""),
]
