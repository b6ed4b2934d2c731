"""Optimizers' steps as NumPy: a function of one parameter p, its gradient g and what the optimizer keeps of it, all changed in place."""

from __future__ import annotations

from typing import Any

from ..optim.adagrad import Adagrad
from ..optim.adam import Adam
from ..optim.adamw import AdamW
from ..optim.rmsprop import RMSprop
from ..optim.sgd import SGD


def update_text(optimizer: Any, group: dict[str, Any], name: str) -> list[str] | None:
    """The function, line by line, with the group's settings as they are now; None of an optimizer that has no text."""
    written = {SGD: _sgd, Adam: _adam, AdamW: _adam, RMSprop: _rmsprop, Adagrad: _adagrad}.get(type(optimizer))
    if written is None:
        return None
    signature, told, body = written(group)
    first = []
    if group.get("maximize"):
        first.append("g = -g  # (it is to grow)")
    decay = group.get("weight_decay")
    if decay and group.get("decoupled_weight_decay"):
        first.append(f"p *= 1 - lr * {decay!r}  # weights decay by themselves")
    elif decay:
        first.append(f"g = g + {decay!r} * p  # weight decay: the slope of {decay!r} p² / 2")
    return [f"def {name}({signature}):", f'    """{told}"""', *(f"    {line}" for line in (*first, *body))]


def _sgd(group: dict[str, Any]) -> tuple[str, str, list[str]]:
    momentum, dampening = group["momentum"], group["dampening"]
    if not momentum:
        return f"p, g, lr={group['lr']!r}", "Gradient descent, for each parameter p with gradient g.", ["p -= lr * g"]
    body = ["b *= momentum", "b += g" if not dampening else f"b += g * {1 - dampening!r}"]
    body.append("p -= lr * (g + momentum * b)" if group["nesterov"] else "p -= lr * b")
    return (
        f"p, g, b, lr={group['lr']!r}, momentum={momentum!r}",
        f"Gradient descent with momentum; b {'is the first gradient after the first step, which moves by it as it is' if dampening else 'begins as zeros'}.",
        body,
    )


def _adam(group: dict[str, Any]) -> tuple[str, str, list[str]]:
    beta1, beta2 = group["betas"]
    largest = group["amsgrad"]
    body = [
        "m += (g - m) * (1 - beta1)                  # the running mean of the gradients",
        "v *= beta2                                  # and of their squares",
        "v += g * g * (1 - beta2)",
        *(["np.maximum(largest, v, out=largest)         # the largest so far"] if largest else []),
        "root = np.sqrt(1 - beta2**t)                # m and v began at 0, which these two undo",
        f"p -= m / (np.sqrt({'largest' if largest else 'v'}) + eps * root) * (lr * root / (1 - beta1**t))",
    ]
    return (
        f"p, g, m, v,{' largest,' if largest else ''} t, lr={group['lr']!r}, beta1={beta1!r}, beta2={beta2!r}, eps={group['eps']!r}",
        f"Adam, for each parameter p with gradient g, at step t = 1, 2, ...; m{', v and largest' if largest else ' and v'} begin as zeros.",
        body,
    )


def _rmsprop(group: dict[str, Any]) -> tuple[str, str, list[str]]:
    momentum, centered = group["momentum"], group["centered"]
    body = ["v *= alpha                                  # the running mean of the squares", "v += g * g * (1 - alpha)"]
    if centered:
        body.append("mean += (g - mean) * (1 - alpha)            # and of the gradients")
    body.append(f"scale = np.sqrt({'v - mean * mean' if centered else 'v'}) + eps")
    body += [f"b *= {momentum!r}", "b += g / scale", "p -= lr * b"] if momentum else ["p -= lr * (g / scale)"]
    kept = ["v", *(["mean"] if centered else []), *(["b"] if momentum else [])]
    return (
        f"p, g, {', '.join(kept)}, lr={group['lr']!r}, alpha={group['alpha']!r}, eps={group['eps']!r}",
        f"RMSprop, for each parameter p with gradient g; {' and '.join(kept)} begin{'s' if len(kept) == 1 else ''} as zeros.",
        body,
    )


def _adagrad(group: dict[str, Any]) -> tuple[str, str, list[str]]:
    return (
        f"p, g, s, t, lr={group['lr']!r}, eps={group['eps']!r}",
        f"Adagrad, for each parameter p with gradient g, at step t = 1, 2, ...; s begins as {group['initial_accumulator_value']!r} everywhere.",
        [
            "s += g * g                                  # the sum of all squares so far",
            f"p -= lr / (1 + (t - 1) * {group['lr_decay']!r}) * (g / (np.sqrt(s) + eps))",
        ],
    )
