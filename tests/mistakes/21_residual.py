"""Typical mistakes in exercise 21: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("torch.relu(skip + change)", "torch.relu(change)")], "the skip is missing"),
    ([("torch.relu(skip + change)", "skip + torch.relu(change)")], "after the sum"),
    ([("torch.relu(skip + change)", "skip + change")], "last ReLU is missing"),
    ([(" + 4 * outputs", "")], "a scale and a shift"),
    ([("        count += inputs * outputs + 2 * outputs", "        pass")], "the skip where it has weights"),
    ([("3, padding=1, bias=False", "3, padding=1")], "need no bias"),
]
