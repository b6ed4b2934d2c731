"""Typical mistakes in exercise 26: what is changed in the solution, and what the hint must say."""

MASKED = '    scores = scores.masked_fill(~allowed, float("-inf"))\n    weights = torch.softmax(scores, dim=-1)\n'
AFTER = "    weights = torch.softmax(scores, dim=-1) * allowed\n"

MISTAKES = [
    ([("~allowed", "~allowed.T")], "turned round"),
    ([(" / math.sqrt(q.shape[-1])", "")], "root of d is missing"),
    ([(MASKED, AFTER)], "mask before the softmax"),
    ([('float("-inf")', "0.0")], "looks ahead"),
    ([("dtype=torch.bool))", "dtype=torch.bool), diagonal=-1)")], "may look at itself"),
    ([("weights @ v, weights", "weights @ k, weights")], "weights @ v"),
    ([('float("-inf")', "-10.0")], "looks ahead"),
    (
        [
            (
                "    length = ",
                "    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True), None\n    length = ",
            )
        ],
        "is not to be called",
    ),
    ([("weights @ v, weights", "weights @ v")], "must return 2 things"),
    ([("math.sqrt(q.shape[-1])", "2")], "take L and d"),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 10: arguments exchanged": "transpose(-1, -2)",
    "line 11: arguments exchanged": "a square mask",
}
