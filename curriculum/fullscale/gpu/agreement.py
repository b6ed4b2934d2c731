"""Layers, models, optimizers and groups on a device, beside float64 on the CPU; and the places where a step waits for it.

An error is relative: |found - wanted| / |wanted|, of outputs and of each gradient the largest. In fp32 it is rounding that
grows with the length of sums; in bf16 and fp16, which keep 8 and 11 bits, what mixed precision costs in any framework.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ..settings import PRECISIONS
from .context import Context, encoder, full_scale

# In low precision a deep network's gradient says little of itself: ReLU and max pooling pass it elsewhere where rounding
# turned a sign. So models are held against what the same precision costs on a CPU.
BOUNDS = {
    "layers": {"fp32": 1e-5, "bf16": 1e-2, "fp16": 2e-3},
    "models": {"fp32": 1e-3},
    "optimizers": {"fp32": 1e-5},
}
TIMES = 2.0  # of the CPU's error in the same precision

Part = tuple[nn.Module, tuple[Tensor, ...]]  # what is computed, on what


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


def _relative(found: Tensor, wanted: Tensor) -> float:
    found, wanted = found.detach().double().cpu(), wanted.detach().double().cpu()
    if not bool(found.isfinite().all()):
        return float("nan")
    return float((found - wanted).norm() / wanted.norm().clamp_min(1e-30))


def _gradients(part: Part, device: str, dtype: torch.dtype, autocast: torch.dtype | None) -> list[Tensor]:
    """The output and all gradients of a sum of the outputs with fixed weights, on the device."""
    module, inputs = copy.deepcopy(part[0]).to(device, dtype), []
    for one in part[1]:
        own = one.detach().clone().to(device, dtype if one.is_floating_point() else None)
        inputs.append(own.requires_grad_() if own.is_floating_point() else own)
    with torch.autocast(torch.device(device).type, autocast, enabled=autocast is not None):
        out = module(*inputs)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    out.backward(weights.to(device, out.dtype))
    learned = [p.grad for p in module.parameters() if p.grad is not None]
    return [out, *(x.grad for x in inputs if x.grad is not None), *learned]


def _errors(parts: Iterator[tuple[str, Part]], device: str, precision: str, together: bool) -> dict[str, float]:
    """The largest relative error of each part; together: of all gradients as one vector."""
    low = PRECISIONS[precision] if precision in ("bf16", "fp16") else None
    found = {}
    for name, part in parts:
        here = _gradients(part, device, torch.float32, low)
        wanted = _gradients(part, "cpu", torch.float64, None)
        if together:
            flat = [torch.cat([g.detach().double().cpu().flatten() for g in side[1:]]) for side in (here, wanted)]
            found[name] = max(_relative(here[0], wanted[0]), _relative(*flat))
        else:
            found[name] = max(_relative(a, b) for a, b in zip(here, wanted, strict=True))
    return found


def layers(device: str, precision: str) -> dict[str, float]:
    return _errors(_layers(), device, precision, together=False)


def _layers() -> Iterator[tuple[str, Part]]:
    torch.manual_seed(0)
    x, pictures = torch.randn(64, 256), torch.randn(8, 16, 14, 14)
    yield "linear", (nn.Linear(256, 512), (x,))
    yield "convolution", (nn.Conv2d(16, 32, 3, padding=1), (pictures,))
    last = pictures.contiguous(memory_format=torch.channels_last)
    yield "convolution, channels last", (nn.Conv2d(16, 32, 3, padding=1).to(memory_format=torch.channels_last), (last,))  # type: ignore[call-overload]
    yield "batch norm", (nn.BatchNorm2d(16), (pictures,))
    yield "layer norm", (nn.LayerNorm(256), (x,))
    yield "max pooling", (nn.MaxPool2d(2), (pictures,))
    yield "adaptive pooling", (nn.AdaptiveAvgPool2d(3), (pictures,))
    yield "gelu", (nn.GELU(), (x,))
    yield "embedding", (nn.Embedding(300, 64), (torch.randint(0, 300, (8, 40)),))
    labels = torch.randint(0, 256, (64,))
    yield "cross-entropy", (Does(lambda x: F.cross_entropy(x, labels.to(x.device), label_smoothing=0.05)), (x,))
    theta = torch.tensor([[[0.9, 0.2, 0.1], [-0.2, 0.9, 0.0]]]).repeat(8, 1, 1)
    yield "turning", (Does(lambda x: _turned(x, theta)), (pictures,))
    q = torch.randn(4, 4, 48, 32)
    mask = torch.arange(48) < torch.tensor([[48], [31], [20], [7]])
    yield "attention", (Does(lambda q, k, v: _attention(q, k, v, mask)), (q, torch.randn_like(q), torch.randn_like(q)))


def _turned(x: Tensor, theta: Tensor) -> Tensor:
    """As `pictures.move` does, which is no part of the model, and so in float32."""
    with torch.autocast(x.device.type, enabled=False):
        grid = F.affine_grid(theta.to(x), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, mask.to(q.device)[:, None, None, :])


def models(device: str, precision: str) -> dict[str, float]:
    return _errors(_models(), device, precision, together=True)


def _models() -> Iterator[tuple[str, Part]]:
    from ..mnist_cnn import CNN
    from ..resnet18 import ResNet
    from ..transfer import Encoder

    torch.manual_seed(0)
    digits = torch.randn(16, 1, 14, 14)
    yield "CNN", (CNN(width=8, dropout=0.0), (digits,))
    yield "ResNet18", (ResNet(10, 1, width=4), (digits,))
    ids, mask = torch.randint(0, 300, (8, 40)), (torch.arange(40) < torch.randint(5, 41, (8, 1))).long()
    made = Encoder(300, 2, 40, width=64, heads=4, depth=2, dropout=0.0, pad=0)
    yield "encoder", (made, (ids, mask))
    try:
        from transformers import DistilBertConfig, DistilBertForSequenceClassification
    except ImportError:
        return
    shape: dict[str, Any] = {"dim": 64, "hidden_dim": 128, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 64}
    shape |= {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0, "attn_implementation": "sdpa"}
    config = DistilBertConfig(vocab_size=300, **shape)
    yield "DistilBERT", (_Logits(DistilBertForSequenceClassification(config).train()), (ids, mask))


class _Logits(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.model(input_ids=ids, attention_mask=mask).logits


def optimizers(device: str, precision: str) -> dict[str, float]:
    """Ten steps of the fused optimizers beside the plain ones in float64; weights are float32 whatever the precision is."""
    if precision != "fp32":
        return {}
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "AdamW": lambda p, **kind: torch.optim.AdamW(p, lr=1e-2, weight_decay=1e-2, **kind),
        "SGD": lambda p, **kind: torch.optim.SGD(p, lr=5e-2, momentum=0.9, nesterov=True, weight_decay=5e-4, **kind),
    }
    found = {}
    for name, make in kinds.items():
        ends = []
        for place, dtype, kind in (
            (device, torch.float32, {"fused": True}),
            ("cpu", torch.float64, {"foreach": False}),
        ):
            start = torch.randn(513, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
            weight = nn.Parameter(start.to(place, dtype))
            optimizer = make([weight], **kind)
            for step in range(10):
                gradient = torch.randn(513, generator=torch.Generator().manual_seed(step + 1), dtype=torch.float64)
                weight.grad = gradient.to(place, dtype)
                optimizer.step()
            ends.append(weight)
        found[name] = _relative(*ends)
    return found


def skipped_step(device: str) -> dict[str, Any]:
    """What a first step does whose gradient is infinite: nothing, and the next one is as if it had been the first."""
    found = {}
    for name, make in (
        ("AdamW", lambda p: torch.optim.AdamW(p, lr=1e-2, fused=True)),
        ("SGD", lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, fused=True)),
    ):
        ends = []
        for skips in (True, False):
            weight = nn.Parameter(torch.ones(64, device=device))
            optimizer = make([weight])
            scaler = torch.amp.GradScaler(torch.device(device).type, init_scale=2.0)
            for infinite in (True, False) if skips else (False,):
                scaled = scaler.scale((weight * 3).sum())
                optimizer.zero_grad()
                scaled.backward()
                assert weight.grad is not None
                if infinite:
                    weight.grad.fill_(float("inf"))
                scaler.step(optimizer)
                scaler.update()
            ends.append(weight)
        found[f"skipped_first_step_{name}_apart"] = _relative(*ends)
    return found


# -- where a step waits


@contextlib.contextmanager
def _watched(device: str, found: collections.Counter[str]) -> Iterator[None]:
    """Count the places that ask the device for a number, and so wait for it.

    On a GPU PyTorch itself tells (torch.cuda.set_sync_debug_mode); on a CPU the operation that reads a number is watched.
    """
    if not device.startswith("cuda"):
        with _Reads(found):
            yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")
    for one in caught:
        if "synchroniz" in str(one.message):
            found[_short(one.filename, one.lineno)] += 1


class _Reads(TorchDispatchMode):
    def __init__(self, found: collections.Counter[str]):
        super().__init__()
        self.found = found

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.ops.aten._local_scalar_dense.default:
            frame = sys._getframe(1)
            inside = str(Path(torch.__file__).parent)
            while frame.f_back is not None and (frame.f_code.co_filename.startswith(inside) or frame.f_code.co_filename == __file__):  # fmt: skip
                frame = frame.f_back
            self.found[_short(frame.f_code.co_filename, frame.f_lineno)] += 1
        return function(*args, **(kwargs or {}))


def _short(file: str, line: int) -> str:
    parts = Path(file).parts
    for root in ("curriculum", "site-packages"):
        if root in parts:
            return f"{'/'.join(parts[len(parts) - parts[::-1].index(root) - (root == 'curriculum') :])}:{line}"
    return f"{file}:{line}"


def waits(device: str) -> dict[str, int]:
    """The places where steps of a picture's and of a review's training wait for the device, and how often.

    A rehearsal on a CPU runs what a GPU would: PyTorch's dropout, not the one whose masks the CPU draws.
    """
    from .. import dropout, loop

    found: collections.Counter[str] = collections.Counter()
    step, fast = loop._step, dropout.fast

    def watched(*given: Any, **named: Any) -> Any:
        with _watched(device, found):
            return step(*given, **named)

    import tempfile

    loop._step = watched  # type: ignore[assignment]
    dropout.fast = lambda *given: contextlib.nullcontext()  # type: ignore[assignment]
    try:
        with tempfile.TemporaryDirectory() as scratch:
            small = ["--data", "embedded", "--limit", "64", "--epochs", "1", "--batch-size", "16", "--device", device]
            full_scale("mnist-cnn", *small, "--width", "4", "--out", f"{scratch}/pictures")
            context = Context(device, rehearse=True, model="", scratch=scratch)
            reads = ["--model", encoder(context), "--max-length", "40", "--test-limit", "16"]
            full_scale("distilbert-imdb", *small, *reads, "--out", f"{scratch}/reviews")
    finally:
        loop._step, dropout.fast = step, fast
    return dict(found)


# -- a group of one process


def group_of_one(context: Context) -> dict[str, Any]:
    """Join a group of one; the sum over it, DistributedDataParallel and SyncBatchNorm beside what needs no group."""
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    from .. import distributed
    from ..mnist_cnn import CNN

    device = torch.device(context.device)
    named: dict[str, Any] = {}
    if context.cuda:
        torch.cuda.set_device(device)
        named = {"device_id": device}
    backend = "nccl" if context.cuda else "gloo"
    dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1, **named)
    try:
        summed = torch.arange(4.0, device=device)
        dist.all_reduce(summed)
        context.bar("a sum over one process, error", _relative(summed, torch.arange(4.0)), "at most", 0)
        assert distributed.processes() == 1
        torch.manual_seed(0)
        plain = CNN(width=4, dropout=0.0).to(device)
        joined = DistributedDataParallel(copy.deepcopy(plain), device_ids=[device] if context.cuda else None)
        x = torch.randn(16, 1, 28, 28, device=device)
        for part in (x[:5], x[5:]):
            plain(part).square().sum().backward()
        with joined.no_sync():
            joined(x[:5]).square().sum().backward()
        joined(x[5:]).square().sum().backward()
        pairs = zip(joined.parameters(), plain.parameters(), strict=True)
        apart = max(_relative(a.grad, b.grad) for a, b in pairs if a.grad is not None and b.grad is not None)
        context.bar("DistributedDataParallel, gradients beside none's", apart, "at most", 1e-4)
        if context.cuda:
            context.bar("SyncBatchNorm, beside batch norm", _sync_batch_norm(device), "at most", 1e-5)
        return {"backend": backend, "version": ".".join(map(str, torch.cuda.nccl.version())) if context.cuda else ""}
    finally:
        dist.destroy_process_group()


def _sync_batch_norm(device: torch.device) -> float:
    """Its kernels, which the module leaves aside where a process is alone; output, gradients and running statistics."""
    import torch.distributed as dist
    from torch.nn.modules._functions import SyncBatchNorm

    torch.manual_seed(0)
    x = (2 * torch.randn(8, 6, 7, 7, device=device) + 1).contiguous(memory_format=torch.channels_last)
    wanted, alone = nn.BatchNorm2d(6).to(device), nn.BatchNorm2d(6).to(device)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    weights = torch.randn_like(x)
    out = wanted(a)
    out.backward(weights)
    group = dist.distributed_c10d._get_default_group()
    same = SyncBatchNorm.apply(
        b, alone.weight, alone.bias, alone.running_mean, alone.running_var, alone.eps, alone.momentum, group, 1
    )
    same.backward(weights)
    pairs = [
        (same, out),
        (b.grad, a.grad),
        (alone.weight.grad, wanted.weight.grad),
        (alone.bias.grad, wanted.bias.grad),
    ]
    pairs += [(alone.running_mean, wanted.running_mean), (alone.running_var, wanted.running_var)]
    return max(_relative(one, other) for one, other in pairs)
