"""The training loop: any model, one process or several, resumable at every step.

What a step computes depends on the weights, the optimizer's state, the settings and the step's number alone: the order of
an epoch is drawn from (seed, epoch), all randomness of a step from (seed, step, process). So a run that was killed and
resumed ends with the weights of one that was not, to the bit on a CPU.

N processes take a part each of every batch. Their losses are sums over samples, divided by the whole batch's size, so
that parts of unlike size weigh what they should, and N processes compute what one would. (Dropout masks are drawn by each
process for its own part: with dropout they agree in distribution, not in numbers.)
"""

from __future__ import annotations

import contextlib
import copy
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from curriculum.archives import why

from . import checkpoint, distributed
from .errors import Refused, Stopped
from .folder import Folder, Metrics
from .settings import Settings

Batch = Callable[[np.ndarray, slice, torch.Generator], Any]


@dataclass
class Job:
    """What is trained, on what, and how it is judged."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    samples: int
    batch: Batch  # (numbers of the whole batch's samples, the part to make, randomness for the whole batch) -> the part
    loss: Callable[[nn.Module, Any], Tensor]  # of a part: the sum over its samples
    evaluate: Callable[[nn.Module], dict[str, float]]  # after an epoch: validation_loss, validation_accuracy, ...
    schedule: Callable[[float], float] = lambda done: 1.0  # share of the training that is done -> factor of the rate
    order: Callable[[int], list[np.ndarray]] | None = None  # batches of an epoch; None: a random order
    patience: int | None = None  # epochs without a better validation loss until the training ends
    clip: float | None = None  # largest norm of the gradient
    before_epoch: Callable[[int], None] = lambda epoch: None  # e.g. to unfreeze layers
    tokens: Callable[[Any], int] | None = None  # real tokens of a part, for the throughput


@dataclass
class Result:
    steps: int = 0
    epochs: int = 0
    seconds: float = 0.0  # in training steps, over all sittings
    samples_per_second: float = 0.0
    tokens_per_second: float | None = None
    best: dict[str, float] = field(default_factory=dict)
    stopped_early: bool = False
    micro_batches: int = 1


def one_cycle(warm_up: float = 0.1, shape: str = "cosine") -> Callable[[float], float]:
    """The factor of the learning rate: up to 1 over the share `warm_up`, then down to 0, as a cosine or linearly."""

    def factor(done: float) -> float:
        if done < warm_up:
            return max(done / warm_up, 0.01)
        rest = (done - warm_up) / (1 - warm_up)
        return 0.5 * (1 + math.cos(math.pi * rest)) if shape == "cosine" else 1 - rest

    return factor


def random_order(samples: int, batch_size: int, seed: int) -> Callable[[int], list[np.ndarray]]:
    """Batches of nearly equal size in a random order, drawn from (seed, epoch)."""
    parts = math.ceil(samples / batch_size)
    return lambda epoch: np.array_split(np.random.default_rng([seed, epoch]).permutation(samples), parts)


class _Interrupts:
    """Remembers an interruption (Ctrl-C) instead of dying in the middle of a step; the second one is obeyed at once."""

    def __enter__(self) -> _Interrupts:
        self.asked = False
        self.main = threading.current_thread() is threading.main_thread()
        if self.main:
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, *_: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *_: object) -> None:
        if self.main:
            signal.signal(signal.SIGINT, self.before)


def _share(count: int, part: int, parts: int) -> slice:
    return slice(count * part // parts, count * (part + 1) // parts)


def _micro(whole: slice, parts: int) -> Iterator[slice]:
    for part in range(parts):
        inner = _share(whole.stop - whole.start, part, parts)
        if inner.stop > inner.start:
            yield slice(whole.start + inner.start, whole.start + inner.stop)


def train(job: Job, settings: Settings, folder: Folder, rank: int = 0, world: int = 1) -> tuple[Result, Metrics]:
    """Train to the end, with the best epoch's weights in `job.model` at last.

    Errors: Stopped after an interruption, when all is saved; Refused where memory is too small for a single sample.
    """
    if settings.batch_size < world:
        raise Refused(f"--batch-size {settings.batch_size} is less than the {world} processes: give each a sample.")
    device = torch.device(settings.device)
    model = distributed.share_batch_norm(job.model, settings.device).to(device, settings.dtype)
    # Evaluations look at the model itself; steps go through what compiles it and joins the processes.
    stepped: nn.Module = torch.compile(model) if settings.compile else model  # type: ignore[assignment]
    if world > 1:
        stepped = DistributedDataParallel(stepped, device_ids=[device] if device.type == "cuda" else None)
    order = job.order or random_order(job.samples, settings.batch_size, settings.seed)
    batches = order(0)
    per_epoch = len(batches)
    steps = settings.epochs * per_epoch
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    rates = [group["lr"] for group in job.optimizer.param_groups]

    state: dict[str, Any] = {"step": 0, "best": {}, "best_model": None, "waited": 0, "seconds": 0.0, "seen": 0, "tokens": 0, "micro": settings.accumulate}  # fmt: skip
    ended = False
    if settings.resume and (found := checkpoint.load(folder.path)) is not None:
        state, remark = found
        if remark and rank == 0:
            print(remark)
        try:
            model.load_state_dict(state.pop("model"))
            job.optimizer.load_state_dict(state.pop("optimizer"))
            scaler.load_state_dict(state.pop("scaler"))
        except (RuntimeError, ValueError, LookupError, TypeError) as error:
            raise Refused(
                f"{folder.path} holds the checkpoint of another model ({why(error)}): begin anew with --overwrite."
            ) from None
        ended = state.pop("ended")
    metrics = Metrics(folder, state["step"])

    def save(step: int) -> None:
        state["step"] = step
        if folder.writes:
            whole = state | {"model": model.state_dict(), "optimizer": job.optimizer.state_dict(), "scaler": scaler.state_dict(), "ended": ended}  # fmt: skip
            checkpoint.save(folder.path, whole)

    bar = tqdm(total=steps, initial=state["step"], unit="step", disable=rank > 0 or None, dynamic_ncols=True)
    with _Interrupts() as interrupts, bar:
        step, epoch = state["step"], -1
        while step < steps and not ended:
            if epoch != step // per_epoch:
                epoch = step // per_epoch
                batches = order(epoch)
                job.before_epoch(epoch)
            chosen = batches[step % per_epoch]
            factor = job.schedule(step / steps)
            for group, rate in zip(job.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            begin = time.perf_counter()
            loss, tokens = _step(job, model, stepped, scaler, chosen, step, state, settings, rank, world)
            state["seconds"] += time.perf_counter() - begin
            state["seen"] += len(chosen)
            state["tokens"] += tokens
            step += 1
            pace = state["seen"] / state["seconds"]
            spent = {"seconds": round(state["seconds"], 4), "samples_per_second": round(pace, 1)}
            metrics.add(step=step, epoch=epoch, loss=loss, lr=rates[0] * factor, **spent)
            bar.set_postfix_str(
                f"epoch {epoch + 1}/{settings.epochs} loss {loss:.4f} {pace:,.0f} samples/s", refresh=False
            )
            bar.update()

            if step % per_epoch == 0:
                measured = job.evaluate(model)
                metrics.add(step=step, epoch=epoch, **measured)
                if rank == 0:
                    bar.write(
                        f"epoch {epoch + 1}: "
                        + ", ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in measured.items())
                    )
                better = measured["validation_loss"] < state["best"].get("validation_loss", math.inf)
                # every process has measured; the first one's judgement holds for all
                better = distributed.total([float(better and rank == 0)], settings.device)[0] > 0
                if better:
                    state |= {
                        "best": measured | {"epoch": epoch + 1},
                        "best_model": copy.deepcopy(model.state_dict()),
                        "waited": 0,
                    }
                else:
                    state["waited"] += 1
                ended = job.patience is not None and state["waited"] >= job.patience
            if step % per_epoch == 0 or step % settings.save_every == 0:
                save(step)
            if distributed.total([float(interrupts.asked)], settings.device)[0] > 0 if world > 1 else interrupts.asked:
                save(step)
                metrics.close()
                raise Stopped(
                    f"Stopped after step {step} of {steps}, all is saved in {settings.out}. The same command with --resume goes on."
                )
    metrics.close()
    if state["best_model"] is not None:
        model.load_state_dict(state["best_model"])
    seconds = max(state["seconds"], 1e-9)
    return Result(
        steps=state["step"], epochs=math.ceil(state["step"] / per_epoch), seconds=state["seconds"], best=state["best"],
        samples_per_second=state["seen"] / seconds, tokens_per_second=state["tokens"] / seconds if job.tokens else None,
        stopped_early=ended, micro_batches=state["micro"],
    ), metrics  # fmt: skip


def _step(
    job: Job, model: nn.Module, stepped: nn.Module, scaler: torch.amp.GradScaler, chosen: np.ndarray, step: int,
    state: dict[str, Any], settings: Settings, rank: int, world: int,
) -> tuple[float, int]:  # fmt: skip
    """One step of the optimizer; the batch's mean loss, and its tokens. Takes smaller micro-batches where memory ends."""
    whole = _share(len(chosen), rank, world)
    device = torch.device(settings.device)
    while True:
        try:
            model.train()
            job.optimizer.zero_grad(set_to_none=True)
            torch.manual_seed(_mix(settings.seed, step, rank))  # dropout
            summed, tokens = 0.0, 0
            parts = list(_micro(whole, state["micro"]))
            for number, part in enumerate(parts):
                randomness = torch.Generator().manual_seed(
                    _mix(settings.seed, step, 2**20)
                )  # the same in every process
                made = job.batch(chosen, part, randomness)
                last = number == len(parts) - 1
                waiting = contextlib.nullcontext() if last or world == 1 else stepped.no_sync()  # type: ignore[operator]
                with waiting:
                    with settings.autocast():
                        loss = job.loss(stepped, made)
                    # the processes' gradients are averaged, so each sum is multiplied by their number first
                    scaler.scale(loss * (world / len(chosen))).backward()
                summed += loss.detach().item()
                tokens += job.tokens(made) if job.tokens else 0
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _memory_ended(error):
                raise
            if world > 1 or state["micro"] >= whole.stop - whole.start:
                raise Refused(
                    f"The memory of {settings.device} is too small for {len(chosen)} samples in {state['micro']} part(s) of a process: "
                    "raise --accumulate, or lower --batch-size or the samples' length."
                ) from None
            state["micro"] *= 2
            if device.type == "cuda":
                torch.cuda.empty_cache()
            tqdm.write(f"The memory ended: from here on a batch is taken in {state['micro']} parts.")
            continue
        break
    if job.clip is not None:
        scaler.unscale_(job.optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), job.clip)
    scaler.step(job.optimizer)
    scaler.update()
    sums = distributed.total([summed, float(tokens)], settings.device)
    return sums[0] / len(chosen), int(sums[1])


def _memory_ended(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)


def _mix(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
