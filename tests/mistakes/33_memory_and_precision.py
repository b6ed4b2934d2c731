"""Typical mistakes in exercise 33: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([(" * bytes_of_a_number", "")], "several bytes"),
    ([("(m + 1) * n", "m * n")], "has a bias"),
    ([("(2 + state) * parameters", "(1 + state) * parameters")], "as many again"),
    ([("batch * sum(widths[1:-1])", "sum(widths[1:-1])")], "every example"),
    ([("widths[1:-1]", "widths[1:]")], "its result is not counted"),
    ([("widths[1:-1]", "widths[:-1]")], "the inputs are data"),
    ([(" * (len(part_x) / len(x))", "")], "means were added up"),
    ([("(len(part_x) / len(x))", "(1 / -(-len(x) // size))")], "given a third"),
    ([("    model.zero_grad()\n", "")], "clear them first"),
    ([("        loss.backward()\n", "        model.zero_grad()\n        loss.backward()\n"), (" * (len(part_x) / len(x))", "")],
     "Only the last piece"),
    ([("x.split(size), y.split(size)", "x.split(len(x)), y.split(len(x))")], "at most 4 rows"),
    ([("        total += loss.item()\n", "        total = loss.item()\n")], "returns the mean loss"),
    ([("(bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000", "bits & 0xFFFF0000")], "cut off"),
    ([("0x7FFF + ((bits >> 16) & 1)", "0x8000")], "in the middle"),
    ([("np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))", "rounded.astype(np.uint32).view(np.float32)")],
     "treat NaN apart"),
    ([("return loss * self.scale", "return loss")], "times the scale"),
    ([("                g.div_(self.scale)\n", "                pass\n")], "divide by the scale first"),
    ([("        optimizer.step()\n        self.good += 1\n", "        self.good += 1\n"),
      ("        gradients = [", "        optimizer.step()\n        gradients = [")], "divide by the scale first"),
    ([("            self.scale /= 2\n            self.good = 0\n", "            self.scale /= 2\n")], "begins the count anew"),
    ([("g.isfinite().all()", "(~g.isinf()).all()")], "NaN is not finite either"),
]  # fmt: skip

# Changes of the solution that leave it right, and why.
HARMLESS = {
    "line 47: sign or not dropped": "the same text",
}
