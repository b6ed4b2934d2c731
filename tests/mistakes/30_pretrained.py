"""Typical mistakes in exercises 30: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    # pieces of words
    ([("pairs[pair] += count", "pairs[pair] += 1")], "stands twice"),
    ([("(-pairs[pair], pair)", "-pairs[pair]")], "alphabetically first"),
    ([("        words = [(joined(pieces, joins[-1]), count) for pieces, count in words]\n", "")], "are one piece"),
    ([("        if not pairs:\n            break\n", "")], "ValueError"),
    ([("(-pairs[pair], pair)", "(pairs[pair], pair)")], "the first join was"),
    # guessing left-out words
    ([("logits[hidden], ids[hidden]", "logits.flatten(0, 1), ids.flatten()")], "need only copy"),
    ([("logits[hidden], ids[hidden]", "logits[~hidden], ids[~hidden]")], "hidden is True"),
    ([("ids[hidden])", 'ids[hidden], reduction="sum")')], "not the sum"),
    ([("ids[hidden])", 'ids[hidden], reduction="sum") / ids.numel()')], "not by all places"),
    # a block's multiplications
    ([("4 * dim * dim", "3 * dim * dim")], "behind the heads"),
    ([("length * (4", "(4")], "for one word"),
    ([(", 2 * length * length", ", length * length")], "That is one product"),
    ([("4 * dim * dim + 2 * dim * hidden", "4 * dim * dim + dim * hidden")], "the layers take"),
    ([("2 * length * length * dim", "2 * length * length")], "however many heads"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 27: sign or not dropped": "a `not` is left as it is",
}
