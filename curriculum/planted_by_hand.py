"""Changes of lessons written by hand, for claims that the changes of planted.py reach late or not at all: `python -m curriculum claims` tries them first.

Each is an experiment that a reader could make: the remedy left out, a learning rate of 0, one step in place of many, another function in the
table. It names the claims that it is to refute, by the words they begin with, so that the lesson need not run further than to them.
"""

import ast
from dataclasses import dataclass

from . import planted


@dataclass(frozen=True)
class Edit:
    """A change of a lesson's text: each `old` stands in it exactly once and has as many lines as its `new`."""

    edits: tuple[tuple[str, str], ...]  # (old, new)
    refutes: tuple[str, ...]  # how the claims begin that it makes false


def _edit(old: str, new: str, *refutes: str) -> Edit:
    return Edit(((old, new),), refutes)


BY_HAND: dict[str, tuple[Edit, ...]] = {
    "13_activations": (
        # What is said of the sigmoid is said of tanh.
        _edit(
            '"Sigmoid": nn.Sigmoid, "Tanh"', '"Sigmoid": nn.Tanh, "Tanh"',
            "the sigmoid's slope is nowhere above 1/4", "with Sigmoid the first layer's gradient", "Tanh, ReLU and ELU carry more",
            "of the spread between points Sigmoid keeps", "the others keep more", "eight layers of Sigmoid do not get away",
        ),
        _edit('"ReLU": nn.ReLU, "LeakyReLU"', '"ReLU": nn.Sigmoid, "LeakyReLU"', "SiLU and GELU, in spite of their largest slopes"),
        _edit("STEPS, SEEDS = 120, 3", "STEPS, SEEDS = 1, 3", "ReLU learns with more than a sixth", "every other activation learns"),
    ),
    "14_three_networks": (
        # Untrained networks.
        _edit(
            "SEEDS, EPOCHS = 10, 250", "SEEDS, EPOCHS = 10, 0",
            "4-7-1 with 400 samples beats", "4-3-1 with 1,600 samples stays behind", "weight decay 0.01 costs accuracy", "with 40 samples it lowers",
        ),
        # The two losses with unequal trainings.
        _edit(
            "for epoch in range(EPOCHS):", 'for epoch in range(EPOCHS if loss_name == "BCE" else 1):', "judged by accuracy, the two losses lie within",
        ),
    ),
    "16_fitting": (_edit("lr=0.02, weight_decay=decay", "lr=0.0, weight_decay=decay", "without a remedy the loss on others"),),
    "17_initialization": (_edit("nn.ReLU, depth=10, width=64", "nn.ReLU, depth=1, width=64", "from deviation 0.01 ten ReLU layers"),),
    "18_batch_norm": (
        _edit("    model = network(normalized)\n", "    model = network(normalized, nn.ReLU)\n", "without it the first layer's gradient"),
    ),
    "20_written_out": (
        # Compiled anew at each call.
        _edit(
            '"compiled": compiled}', '"compiled": lambda *rows: minigrad.compile(plain_step)(*rows)}', "with 800 rows the compiled step is quicker",
        ),
    ),
    "22_cnn": (
        # What has the names is the plain network, so one epoch is enough.
        Edit(
            (
                ('"dropout": (False, 0.3)', '"dropout": (False, 0.0)'),
                ('"batch norm": (True, 0.0)', '"batch norm": (False, 0.0)'),
                ("train, validation, 5, 3e-3, 64, name)", "train, validation, 1, 3e-3, 64, name)"),
            ),
            ("batch normalization learns faster", "dropout makes the training loss larger"),
        ),
        _edit("train, validation, 5, 3e-3, 64, name)", "train, validation, 1, 0.0, 64, name)", "the network reads at least 98 %"),
    ),
    "24_transfer": (
        # Nothing is frozen.
        _edit(
            "parameter.requires_grad = key.startswith(WAYS[way])", "parameter.requires_grad = True",
            "frozen weights do not move", "the last layer alone is more than 10 points worse", "the last layer trains a hundredth",
        ),
    ),
    "26_attention": (
        # The mask is not handed over.
        _edit(
            "lost = {name: [right(model, allowed)", "lost = {name: [right(model)",
            "without the small words", "who may look only at itself",
        ),
    ),
    "27_sentiment": (
        # The bag of words gets the block too.
        _edit('2000, 100, 64, 8e-3, start, depth=0)', '2000, 200, 64, 8e-3, start, depth=1)', "the bag of words is near chance"),
        _edit(
            '"96 reviews": train("96 reviews", 96, 120, 32, 4e-3)', '"96 reviews": train("96 reviews", 96, 20, 32, 4e-3)',
            "96 reviews are learned by heart", "and its loss on others ends far above",
        ),
        _edit(
            '"96 reviews": train("96 reviews", 96, 120, 32, 4e-3)', '"96 reviews": train("96 reviews", 2000, 200, 64, 8e-3)',
            "on others that network is hardly better than guessing", "with 2,000 reviews the two losses",
        ),
    ),
    "28_four_strategies": (
        # What was learned from hotels is loaded, in place of what was learned from news.
        _edit('specialise("full", number, paths[other],', 'specialise("full", number, paths[MAIN],', "pre-training on news is worth nothing"),
    ),
    "31_debugging": (
        # Pixels from 0 to 16, as they are in the file.
        _edit("first = F.cross_entropy(model(x), y)", "first = F.cross_entropy(model(16 * x), y)", "the first loss lies within 5 %"),
        # Each rate with weights of its own.
        _edit(
            "for rate in rates:\n    torch.manual_seed(seed)", "for rate in rates:\n    torch.manual_seed(seed + int(1e6 * rate))",
            "plain gradient descent: the update is proportional",
        ),
        # The distance of the matrices alone.
        _edit("zip(model.parameters(), start, strict=True)).sqrt()", "zip(model.parameters(), start, strict=True) if w.ndim == 2).sqrt()", "the loss is a number and every gradient is NaN"),
    ),
    "33_memory_and_precision": (
        _edit("x = torch.utils.checkpoint.checkpoint(piece, x, use_reentrant=False)", "x = piece(x)", "for it nearly every layer is run twice"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Change(planted.Change):
    """A change by hand: where it begins, and the lesson with it."""

    body: tuple[ast.stmt, ...] = ()
    refutes: frozenset[int] = frozenset()  # the lines of the claims

    def rest(self, body: list[ast.stmt], last: int) -> list[ast.stmt]:
        return list(self.body[self.statement : last + 1])


def changes(name: str, source: str) -> list[Change]:
    """The changes by hand of the lesson `name`, whose text is `source`. Errors: ValueError where one does not fit the text any more."""
    return [_change(edit, source) for edit in BY_HAND.get(name, ())]


def _change(edit: Edit, source: str) -> Change:
    changed = source
    for old, new in edit.edits:
        if source.count(old) != 1 or old.count("\n") != new.count("\n"):
            raise ValueError(
                f"stands {source.count(old)} times in the lesson, or has not as many lines as what is planted: {old!r}"
            )
        changed = changed.replace(old, new)
    before, after = ast.parse(source).body, ast.parse(changed).body
    first = next(n for n, (a, b) in enumerate(zip(before, after, strict=True)) if ast.dump(a) != ast.dump(b))
    line = min(source[: source.index(old)].count("\n") + 1 for old, _ in edit.edits)
    text = "; ".join(f"{old} → {new}" for old, new in edit.edits)
    lines = frozenset(_line_of(before, words) for words in edit.refutes)
    return Change("hand", line, " ".join(text.split()), first, 0, lambda node: node, tuple(after), lines)


def _line_of(body: list[ast.stmt], words: str) -> int:
    """The line of the one claim that begins with these words."""
    calls = (node for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Call) and planted.is_claim(node))
    found = [
        call.lineno
        for call in calls
        if isinstance(call.args[0], ast.Constant) and str(call.args[0].value).startswith(words)
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} claims of the lesson begin with {words!r}")
    return found[0]
