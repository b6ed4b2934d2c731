"""Typical mistakes in exercise 24: what is changed in the solution, and what the hint must say."""

RULE = 'any(name == layer or name.startswith(layer + ".") for layer in trained)'

MISTAKES = [
    ([('startswith(layer + ".")', "startswith(layer)")], "the whole layer name"),
    ([(RULE, f"not {RULE}")], "the other way round"),
    ([("parameter.requires_grad = any", "parameter.frozen = not any")], "Nothing is frozen"),
    ([("        if parameter.requires_grad:", "        if True:")], "no others"),
    ([("nn.Linear(old.in_features, classes)", "nn.Linear(classes, old.in_features)")], "in_features"),
    ([("*layers, nn", "*[nn.Linear(3, 3) for _ in layers], nn")], "old ones themselves"),
    ([("return kept", "return (p for p in kept)")], "no generator"),
    ([("        parameter.requires_grad = any", "        parameter.requires_grad |= any")], "Nothing is frozen"),
    (
        [
            (
                "    old = model[-1]\n",
                "    old = model[-1]\n    model[-1] = nn.Linear(old.in_features, classes)\n    return model\n",
            )
        ],
        "",
    ),
    ([("nn.Sequential(*layers, nn.Linear(old.in_features, classes))", "nn.Sequential(*layers, old)")], ""),
]
