"""Typical mistakes in exercises 26: what is changed in the solution, and what the hint must say."""

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
    # heads
    (
        [
            (
                "x.reshape(batch, length, heads, width // heads).transpose(1, 2)",
                "x.reshape(batch, heads, length, width // heads)",
            )
        ],
        "no exchange of dimensions",
    ),
    (
        [
            (
                "x.reshape(batch, length, heads, width // heads).transpose(1, 2)",
                "x.reshape(batch, length, width // heads, heads).permute(0, 3, 1, 2)",
            )
        ],
        "every second number",
    ),
    ([(".transpose(1, 2)", "")], "wanted is (2, 2, 3, 2)"),
    ([("width // heads", "2")], "RuntimeError"),
    # gradients
    ([(" - (weights * by_weights).sum(dim=-1, keepdim=True)", "")], "push one another"),
    ([("weights.T @ upstream", "weights @ upstream")], "v gets"),
    ([("keepdim=True)) / root", "keepdim=True))")], "root of d"),
    ([("by_scores.T @ q", "by_scores @ q")], "k stands transposed"),
    (
        [("(weights * by_weights).sum(dim=-1, keepdim=True)", "by_weights.mean(dim=-1, keepdim=True)")],
        "softmax's slope",
    ),
]

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 10: arguments exchanged": "transpose(-1, -2)",
    "line 11: arguments exchanged": "a square mask",
    "line 19: arguments exchanged": "transpose(2, 1)",
    "line 23: sign or not dropped": "q has two dimensions",
    "line 24: sign or not dropped": "the scores have two dimensions",
    "line 26: sign or not dropped": "the weights have two dimensions",
}
