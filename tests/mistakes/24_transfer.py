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
    ([("    body.eval()\n", "    body.train()\n")], "In which mode does a frozen body belong?"),
    ([("    for module, training in modes:\n        module.training = training\n", "")], "another mode than before"),
    (
        [("    for module, training in modes:\n        module.training = training\n", "    body.train()\n")],
        "another mode than before",
    ),
    (
        [
            ("    with torch.no_grad():\n        features = body(x)", "    features = body(x)"),
            ("head(features)", "head(body.eval()(x))"),
        ],
        "",
    ),
    (
        [
            (
                "    optimizer = torch.optim.SGD(head.parameters(), lr=lr)\n    losses",
                "    optimizer = torch.optim.SGD([*head.parameters(), *body.parameters()], lr=lr, weight_decay=0.1)\n    losses",
            )
        ],
        "",
    ),
    (
        [
            (
                "        features = body(x)\n",
                "        features = body(x)\n    for parameter in body.parameters():\n        parameter.requires_grad = False\n",
            )
        ],
        "put it back",
    ),
]
