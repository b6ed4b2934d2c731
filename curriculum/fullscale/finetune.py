"""How an encoder is fine-tuned: what of it learns, from when on, how fast, and with how much memory.

Freezing, gradual unfreezing and rates by layer: Howard and Ruder, Universal Language Model Fine-tuning for Text
Classification, ACL 2018. LoRA: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022; by PEFT.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .encoders import is_head
from .errors import Refused
from .settings import differing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("fine-tuning")
    group.add_argument(
        "--freeze", default="", metavar="LAYERS",
        help="layers that do not learn: `embeddings`, numbers of blocks as 0,1 or 0-3, `all` (but the head)",
    )  # fmt: skip
    group.add_argument("--freeze-embeddings", action="store_true", help="as --freeze embeddings: less to compute")
    group.add_argument(
        "--gradual", type=int, metavar="LAYERS",
        help="unfreeze from the head down: only the head learns in the first epoch, so many layers more in each after it",
    )  # fmt: skip
    group.add_argument(
        "--layer-decay", type=float, default=1.0, metavar="FACTOR",
        help="the rate of each layer as a share of the one above it (1; 0.9 is usual)",
    )  # fmt: skip
    group.add_argument(
        "--lora",
        type=int,
        metavar="RANK",
        help="train matrices of this rank beside the encoder's (8 is usual, with --lr 1e-3)",
    )
    group.add_argument(
        "--checkpointing", action="store_true",
        help="compute the layers' inner values again in the backward pass: a third more time, far less memory",
    )  # fmt: skip
    group.add_argument("--patience", type=int, help="end after so many evaluations without a better validation loss")
    group.add_argument(
        "--evaluate-every", type=int, metavar="STEPS", help="evaluate so often, not after each epoch alone"
    )


def blocks_of(model: nn.Module) -> tuple[str, int]:
    """The name of an encoder's list of blocks, and how many there are: the longest list of modules in it. Errors: Refused."""
    body = f"{model.base_model_prefix}."
    lists = [
        (len(module), name) for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and name.startswith(body) and not re.search(r"\.\d+\.", name + ".")
    ]  # fmt: skip
    if not lists:
        raise Refused(f"{type(model).__name__} has no list of blocks that could be frozen one by one.")
    count, name = max(lists, key=lambda row: row[0])
    return name, count


def layers(model: nn.Module) -> dict[str, list[str]]:
    """The names of the parameters of each layer, from the input to the head: embeddings, block 0, block 1, ..., head.

    What comes before the blocks counts to the embeddings, what comes after them (norms, poolers) to the head.
    """
    name, count = blocks_of(model)
    found: dict[str, list[str]] = {"embeddings": [], **{str(n): [] for n in range(count)}, "head": []}
    passed = False
    for parameter, _ in model.named_parameters():
        if parameter.startswith(f"{name}."):
            found[parameter.removeprefix(f"{name}.").partition(".")[0]].append(parameter)
            passed = True
        else:
            found["head" if is_head(model, parameter) or passed else "embeddings"].append(parameter)
    return found


def frozen_layers(asked: str, there: list[str]) -> set[str]:
    """The layers that --freeze names. Errors: Refused for one that is not there."""
    body = there[:-1]
    chosen: set[str] = set()
    for part in (part.strip() for part in asked.split(",") if part.strip()):
        ends = re.fullmatch(r"(\d+)-(\d+)", part)
        named = body if part == "all" else [str(n) for n in range(int(ends[1]), int(ends[2]) + 1)] if ends else [part]
        if not named or not set(named) <= set(body):
            raise Refused(f"--freeze {part}: there are embeddings, the blocks 0-{len(body) - 2}, and all.")
        chosen |= set(named)
    return chosen


def check(arguments: argparse.Namespace) -> None:
    """Errors: Refused where the arguments cannot go together."""
    if not 0 < arguments.layer_decay <= 1:
        raise Refused(f"--layer-decay {arguments.layer_decay}: give a number above 0 and at most 1.")
    names = ("freeze", "freeze_embeddings", "gradual", "layer_decay")
    if arguments.lora and (beside := differing(arguments, add_arguments, *names)):
        raise Refused(f"--lora freezes the encoder and trains its own matrices: leave {beside[0]} away.")
    if arguments.lora and arguments.lr < 2e-4:
        print(f"--lora learns slowly at --lr {arguments.lr:g}: 1e-3 is usual, ten times what the whole encoder takes")


def prepared(
    model: nn.Module, arguments: argparse.Namespace, lr: float
) -> tuple[nn.Module, list[dict[str, Any]], Callable[[int], None]]:
    """The model as it is trained, AdamW's groups, and what is to be done before each epoch. Errors: Refused.

    Weight decay is on matrices alone, not on biases and norms.
    """
    if arguments.checkpointing:
        if not model.supports_gradient_checkpointing:
            raise Refused(
                f"--checkpointing: {type(model).__name__} of transformers cannot compute its layers again; leave it away."
            )
        name = "activation_checkpointing_enable"  # transformers 5.23's name for it
        enable = getattr(model, name, None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})  # type: ignore[operator]
    if arguments.lora:
        return adapted(model, arguments.lora), groups(model, lr), lambda epoch: None
    wanted = ",".join(filter(None, [arguments.freeze, "embeddings" * arguments.freeze_embeddings]))
    if not wanted and not arguments.gradual and arguments.layer_decay == 1:
        return model, groups(model, lr), lambda epoch: None
    by_layer = layers(model)
    frozen = frozen_layers(wanted, list(by_layer))
    for name in frozen:
        _let_learn(model, by_layer[name], False)
    if len(frozen) == len(by_layer) - 1 and (arguments.gradual or arguments.layer_decay != 1):
        asked = "--gradual" if arguments.gradual else "--layer-decay"
        raise Refused(f"--freeze leaves the head alone to learn, and {asked} is for layers below it: leave one away.")
    rates = {
        p: lr * arguments.layer_decay**depth for depth, name in enumerate(reversed(by_layer)) for p in by_layer[name]
    }
    made = groups(model, lr, rates)
    if not arguments.gradual:
        return model, made, lambda epoch: None

    def before_epoch(epoch: int) -> None:
        learning = [name for name in by_layer if name not in frozen][-(1 + epoch * arguments.gradual) :]
        for name, parameters in by_layer.items():
            _let_learn(model, parameters, name in learning)

    return model, made, before_epoch


def groups(model: nn.Module, lr: float, rates: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Groups of the parameters that learn, by rate and weight decay."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = (rates[name] if rates else lr, 0.01 if parameter.ndim > 1 else 0.0)
            found.setdefault(key, []).append(parameter)
    order = sorted(found, key=lambda key: (-key[0], -key[1]))  # the head's first: its rate is the one that is shown
    return [{"params": found[key], "lr": key[0], "weight_decay": key[1]} for key in order]


def _let_learn(model: nn.Module, names: list[str], learns: bool) -> None:
    for name in names:
        model.get_parameter(name).requires_grad = learns


def adapted(model: nn.Module, rank: int) -> nn.Module:
    """The model with LoRA's matrices in every linear layer of its encoder; they and the head learn."""
    from peft import LoraConfig, TaskType, get_peft_model

    body = f"{model.base_model_prefix}."
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and name.startswith(body)]
    heads = [
        name for name, module in model.named_children() if f"{name}." != body and any(True for _ in module.parameters())
    ]
    if not linear:
        raise Refused(
            f"--lora: {type(model).__name__} has no linear layers of PyTorch's to adapt; fine-tune it without."
        )
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.05,
        target_modules=linear,
        modules_to_save=heads,
    )
    return get_peft_model(model, config)  # type: ignore[arg-type]


def merged(model: nn.Module) -> nn.Module:
    """The model with LoRA's matrices added to its own, as a model of transformers that needs no PEFT."""
    merge = getattr(model, "merge_and_unload", None)
    return model if merge is None else merge()


def optimizer_of(model: nn.Module, lr: float) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices alone, not on biases and norms."""
    return torch.optim.AdamW(groups(model, lr), lr=lr, fused=True)
