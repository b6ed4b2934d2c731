"""The training loop: any model, one process or several, resumable at every step.

What a step computes depends on the weights, the optimizer's state, the settings and the step's number alone: the order of
an epoch is drawn from (seed, epoch), all randomness of a step from (seed, step, process). So a run that was killed and
resumed ends with the weights of one that was not, to the bit on a CPU.

A batch is cut into micro-batches first, and each of these among the processes, so that batch norm sees the same pictures
however many processes there are. Losses are sums over samples, divided by the whole batch's size, so that parts of unlike
size weigh what they should. A process without a sample in a micro-batch computes one that counts nothing: every exchange
needs all of them. So N processes compute what one would. (Dropout masks are drawn by each process for its own part: with
dropout they agree in distribution, not in numbers.)

What is a library's here, and what is not. Mixed precision, the scaling of fp16's losses, the processes' exchange, clipping
and torch.compile are PyTorch's own; encoders, gradient checkpointing and LoRA are transformers' and PEFT's. Lightning Fabric
and Accelerate wrap just these, and add no more that is wanted here than their own names for them. The loop is ours for what
none of Fabric, Accelerate and transformers.Trainer does:
  - resuming to the bit at any step. Trainer and Accelerate keep the states of the generators and skip the batches that were
    seen; a state that is kept can be lost or belong to another number of workers, a state that is drawn anew cannot.
  - checkpoints that are whole or absent at every moment, with their checksums, and the one before beside them.
  - several processes that compute one process's numbers, for every remainder of batch and epoch; the libraries repeat or
    drop samples to make the parts even, and divide by each part's own size.
  - batches of like length drawn anew in each epoch, and throughput counted in real tokens.
"""

from __future__ import annotations

import collections
import contextlib
import math
import signal
import sys
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

from . import checkpoint, cuda, distributed, dropout
from .errors import Diverged, Refused, Stopped
from .folder import Folder
from .metrics import Metrics
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
    patience: int | None = None  # evaluations without a better validation loss until the training ends
    evaluate_every: int | None = None  # steps between evaluations, beside the one after each epoch
    clip: float | None = None  # largest norm of the gradient
    before_epoch: Callable[[int], None] = lambda epoch: None  # e.g. to unfreeze layers
    tokens: Callable[[Any], int] | None = None  # real tokens of a part, for the throughput


@dataclass
class Result:
    steps: int = 0
    epochs: int = 0
    seconds: float = 0.0  # in training steps, over all sittings
    compile_seconds: float = 0.0  # of these, in steps in which torch.compile compiled; the throughput is of the others
    samples_per_second: float = 0.0
    tokens_per_second: float | None = None
    best: dict[str, float] = field(default_factory=dict)
    stopped_early: bool = False
    micro_batches: int = 1
    skipped_steps: int = 0  # fp16: whose gradients overflowed, so that the weights stayed as they were

    def facts(self) -> dict[str, Any]:
        """What a model card says of the training."""
        facts = {
            "best_epoch": self.best.get("epoch"), "epochs": self.epochs, "steps": self.steps, "stopped_early": self.stopped_early,
            "training_seconds": round(self.seconds, 2), "samples_per_second": round(self.samples_per_second, 1),
            "micro_batches": self.micro_batches, "skipped_steps": self.skipped_steps,
        }  # fmt: skip
        if self.tokens_per_second is not None:
            facts["tokens_per_second"] = round(self.tokens_per_second)
        if self.compile_seconds:
            facts["compile_seconds"] = round(self.compile_seconds, 1)
        return facts


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
    """Remembers that the training was asked to stop, instead of dying in the middle of a step; a second time is obeyed at once.

    Ctrl-C, SIGTERM (of `kill`, batch systems, torchrun, containers) and SIGHUP (a terminal that was closed, unless nohup has it
    ignored).
    """

    def __enter__(self) -> _Interrupts:
        self.asked = 0  # the signal's number
        self.before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self.before[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number: int, *_: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = number

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


def _share(count: int, part: int, parts: int) -> slice:
    return slice(count * part // parts, count * (part + 1) // parts)


def _micro(count: int, parts: int) -> Iterator[slice]:
    """Parts of nearly equal size of a batch of `count` samples, none of them empty."""
    parts = min(parts, count)
    for part in range(parts):
        yield _share(count, part, parts)


def _own(part: slice, rank: int, world: int) -> tuple[slice, bool]:
    """What a process takes of a micro-batch; where that is nothing, the batch's first sample, and True: it counts nothing."""
    mine = _share(part.stop - part.start, rank, world)
    if mine.stop == mine.start:
        return slice(0, 1), True
    return slice(part.start + mine.start, part.start + mine.stop), False


def train(job: Job, settings: Settings, folder: Folder, rank: int = 0, world: int = 1) -> tuple[Result, Metrics]:
    """Train to the end, with the best evaluation's weights in `job.model` at last.

    A run that has ended and is given more epochs goes on with a rate that rises and falls once more; one that had not ended
    has its schedule stretched.

    Errors: Stopped after an interruption, when all is saved; Diverged where the numbers became NaN or infinite; Refused where
    memory is too small for a single sample.
    """
    device = torch.device(settings.device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    order = job.order or random_order(job.samples, settings.batch_size, settings.seed)
    batches = order(0)
    per_epoch = len(batches)
    steps = settings.epochs * per_epoch
    some_idle = any(len(batch) // min(settings.accumulate, len(batch)) < world for batch in batches)
    model = distributed.share_batch_norm(job.model, settings.device, some_idle).to(device, settings.dtype)
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    late = _late(device, world, scaler, job.optimizer)
    if late or scaler.is_enabled():
        _begin_momentum(job.optimizer)
    rates = [group["lr"] for group in job.optimizer.param_groups]

    state: dict[str, Any] = {
        "step": 0, "best": {}, "best_model": None, "waited": 0, "seconds": 0.0, "seen": 0, "tokens": 0, "micro": settings.accumulate,
    }  # fmt: skip
    ended = False
    if settings.resume:
        found = checkpoint.load(folder.path)
        if found is None and (folder.path / "results.json").exists():
            raise Refused(
                f"{folder.path} holds a run that has ended, without its checkpoint: begin anew with --overwrite."
            )
        if found is not None:
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
    # of steps in which torch.compile compiled; steps that fp16 skipped; the steps over which the rate rises and falls
    new: dict[str, Any] = {
        "compile_seconds": 0.0,
        "compile_seen": 0,
        "compile_tokens": 0,
        "skipped": 0,
        "skipped_now": 0,
        "span": [0, steps],
    }
    state = new | state
    begin, end = state["span"]
    if steps > end:
        if ended or state["step"] >= end:
            begin, ended, state["waited"] = state["step"], False, 0
        state["span"] = [begin, end := steps]
    metrics = Metrics(folder, state["step"])

    def save(step: int) -> None:
        state["step"] = step
        if folder.writes:
            weights = model.state_dict()
            if state["best"].get("step") == step:
                state["best_model"] = weights  # PyTorch writes memory that is named twice once
            whole = state | {"model": weights, "optimizer": job.optimizer.state_dict(), "scaler": scaler.state_dict(), "ended": ended}  # fmt: skip
            checkpoint.save(folder.path, whole)
            if state["best"].get("step") == step:
                state["best_model"] = kept_best

    def diverged(at: int, done: int, what: str) -> Diverged:
        """What is said at step `at`, after `done` steps of the optimizer. Where all weights and statistics are numbers they are
        saved; else the checkpoint from before stays."""
        broken = _broken(model)
        if broken is None:
            save(done)
        metrics.close()
        lr = rates[0] * job.schedule(max(done - 1 - begin, 0) / (end - begin))
        if broken is not None and done == 0 and dict(model.named_parameters()).get(broken) is not None:
            cause = f"The weights that it began with are not finite ({broken}): take others."
        elif settings.precision == "fp16":
            cause = "Probably numbers beyond fp16's 65,504: try --precision bf16 or fp32, or a lower --lr."
        elif done == 0:
            cause = "The weights are finite, so probably the data is not, or is far too large."
        else:
            cause = (
                f"Probably the learning rate ({lr:.2g} at step {done}) is too large: try --lr {settings.lr / 10:.2g}."
            )
        there = checkpoint.newest_step(folder.path)
        kept = "no checkpoint had been saved" if there is None else f"the weights after step {there} are saved"
        return Diverged(f"Step {at} of {steps}: {what}. {cause} Stopped; {kept} in {settings.out}.")

    def joined() -> nn.Module:
        """What steps go through: it compiles the model and joins the processes. Evaluations look at the model itself."""
        made: nn.Module = torch.compile(model) if settings.compile else model  # type: ignore[assignment]
        if world > 1:
            made = DistributedDataParallel(made, device_ids=[device] if device.type == "cuda" else None)
        return made

    stepped, learning = joined(), _learning(model)
    kept_best = state["best_model"]
    bar = tqdm(total=steps, initial=state["step"], unit="step", disable=rank > 0 or None, dynamic_ncols=True)
    lines = rank == 0 and not sys.stderr.isatty()  # a line now and then where nobody watches a bar
    said, clock = time.monotonic(), time.perf_counter()
    pending: collections.deque[tuple[int, int, float, int, bool, _Issued]] = collections.deque()

    def booked(step: int, epoch: int, factor: float, count: int, compiled: bool, issued: _Issued) -> None:
        """Read the loss of the step that is `step` steps from the beginning, and write down what there is to say of it."""
        nonlocal said, clock
        loss, (_, tokens, skipped) = float(issued[0]), issued
        seconds, clock = time.perf_counter() - clock, time.perf_counter()
        for name, amount in {"seconds": seconds, "seen": count, "tokens": tokens}.items():
            state[name] += amount
            if compiled:
                state[f"compile_{name}"] += amount
        state["skipped"] += skipped
        state["skipped_now"] = (state["skipped_now"] + 1) * skipped
        if not math.isfinite(loss) and not (skipped and state["skipped_now"] <= _SKIPPED_MOST):
            metrics.add(step=step, epoch=epoch, loss=loss)
            raise diverged(step, step - 1, f"the loss became {loss}")
        if state["skipped_now"] > _SKIPPED_MOST:
            raise diverged(step, step - 1, f"the gradients of {_SKIPPED_MOST + 1} steps in a row were not finite")
        pace = _pace(state, "seen")
        spent = {"seconds": round(state["seconds"], 4), "samples_per_second": round(pace, 1)}
        if skipped:
            spent["skipped"] = True
        metrics.add(step=step, epoch=epoch, loss=loss, lr=rates[0] * factor, **spent)
        words = f"epoch {epoch + 1}/{settings.epochs} loss {loss:.4f} {pace:,.0f} samples/s"
        bar.set_postfix_str(words, refresh=False)
        bar.update()
        if lines and time.monotonic() - said > _LINE_EVERY:
            said = time.monotonic()
            print(f"step {step}/{steps} {words}", flush=True)

    with _Interrupts() as interrupts, bar:
        step, epoch = state["step"], -1
        while step < steps and not ended:
            if epoch != step // per_epoch:
                epoch = step // per_epoch
                batches = order(epoch)
                job.before_epoch(epoch)
                if (
                    _learning(model) != learning
                ):  # the processes exchange the gradients of what learned when they were joined
                    stepped, learning = joined(), _learning(model)
            chosen = batches[step % per_epoch]
            factor = job.schedule((step - begin) / (end - begin))
            for group, rate in zip(job.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            if not pending:
                clock = time.perf_counter()
            graphs = _compiled(settings)
            issued = _step(job, model, stepped, scaler, chosen, step, state, settings, rank, world, late)
            step += 1
            pending.append((step, epoch, factor, len(chosen), _compiled(settings) != graphs, issued))
            evaluated = step % per_epoch == 0 or (job.evaluate_every is not None and step % job.evaluate_every == 0)
            while pending and (len(pending) > late or evaluated or step % settings.save_every == 0):
                booked(*pending.popleft())

            if evaluated:
                measured = job.evaluate(model)
                metrics.add(step=step, epoch=epoch, **measured)
                if not math.isfinite(measured["validation_loss"]):
                    raise diverged(step, step, f"the validation loss became {measured['validation_loss']}")
                if rank == 0:
                    place = f"epoch {epoch + 1}" if step % per_epoch == 0 else f"step {step}"
                    bar.write(f"{place}: " + ", ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in measured.items()))
                better = measured["validation_loss"] < state["best"].get("validation_loss", math.inf)
                # every process has measured; the first one's judgement holds for all
                better = distributed.total([float(better and rank == 0)], settings.device)[0] > 0
                if better:
                    kept_best = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
                    state |= {
                        "best": measured | {"epoch": epoch + 1, "step": step},
                        "best_model": kept_best,
                        "waited": 0,
                    }
                else:
                    state["waited"] += 1
                ended = job.patience is not None and state["waited"] >= job.patience
            if evaluated or step % settings.save_every == 0:
                if _broken(model) is not None:
                    raise diverged(step, step, "weights became NaN or infinite")
                save(step)
            asked = max(distributed.all_of(interrupts.asked, settings.device))
            if asked:
                while pending:
                    booked(*pending.popleft())
                save(step)
                metrics.close()
                raise Stopped(
                    f"Stopped after step {step} of {steps}, all is saved in {settings.out}. The same command with --resume goes on.",
                    128 + asked,
                )
    metrics.close()
    if state["skipped"] and rank == 0:
        print(
            f"{state['skipped']} of {step} steps were skipped: their gradients overflowed fp16, as happens while it finds its scale"
        )
    if state["best_model"] is not None:
        model.load_state_dict(state["best_model"])
    return Result(
        steps=state["step"], epochs=math.ceil(state["step"] / per_epoch), seconds=state["seconds"], best=state["best"],
        compile_seconds=state["compile_seconds"], samples_per_second=_pace(state, "seen"),
        tokens_per_second=_pace(state, "tokens") if job.tokens else None, stopped_early=ended, micro_batches=state["micro"],
        skipped_steps=state["skipped"],
    ), metrics  # fmt: skip


_Issued = tuple[Any, int, bool]  # loss, a number or a tensor of the GPU; tokens; whether fp16 skipped the step
_SKIPPED_MOST = 30  # steps in a row: the scale has fallen from 65,536 to below 1 long before
_LINE_EVERY = 30  # seconds


def _step(
    job: Job, model: nn.Module, stepped: nn.Module, scaler: torch.amp.GradScaler, chosen: np.ndarray, step: int,
    state: dict[str, Any], settings: Settings, rank: int, world: int, late: int = 0,
) -> _Issued:  # fmt: skip
    """One step of the optimizer; the batch's mean loss (late: not read yet), its tokens, and whether fp16 skipped it.

    Takes smaller micro-batches where memory ends. Where the loss is not finite the weights stay as they are.
    """
    device = torch.device(settings.device)
    made: Any
    loss: Any
    while True:
        ended = False
        try:
            model.train()
            job.optimizer.zero_grad(set_to_none=True)
            torch.manual_seed(_mix(settings.seed, step, rank))  # dropout
            summed, tokens = torch.zeros((), dtype=torch.float64), 0
            parts = list(_micro(len(chosen), state["micro"]))
            for number, whole in enumerate(parts):
                part, idle = _own(whole, rank, world)
                randomness = torch.Generator().manual_seed(
                    _mix(settings.seed, step, 2**20)
                )  # the same in every process
                made = job.batch(chosen, part, randomness)
                last = number == len(parts) - 1
                waiting = contextlib.nullcontext() if last or world == 1 else stepped.no_sync()  # type: ignore[operator]
                with waiting, distributed.idle(idle), dropout.fast(device, settings.compile):
                    with settings.autocast():
                        loss = job.loss(stepped, made)
                    # the processes' gradients are averaged, so each sum is multiplied by their number first
                    scaler.scale(loss * (0.0 if idle else world / len(chosen))).backward()
                if not idle:
                    summed = summed.to(loss.device) + loss.detach().double()
                    tokens += job.tokens(made) if job.tokens else 0
        except (MemoryError, RuntimeError) as error:  # PyTorch's own are RuntimeErrors
            if not cuda.memory_ended(error):
                raise
            ended = True
        if not ended:
            break
        # out of `except`, where the error would hold what the failed step had computed
        if world > 1 or state["micro"] >= len(chosen):
            raise Refused(
                f"The memory of {settings.device} is too small for {len(chosen)} samples in {state['micro']} part(s) of {world} process(es): "
                "raise --accumulate, or lower --batch-size or the samples' length."
            )
        made = loss = None
        job.optimizer.zero_grad(set_to_none=True)
        state["micro"] *= 2
        cuda.forget(device)
        tqdm.write(f"The memory ended: from here on a batch is taken in {state['micro']} parts.")
    mean: Any = summed / len(chosen)
    if late:  # decided there: a loss that is no number, and all steps after it, leave the weights and their moments as they are
        before = getattr(job.optimizer, "found_inf", None)
        wrong = (~mean.isfinite()).float()
        job.optimizer.found_inf = wrong if before is None else torch.maximum(before, wrong)  # type: ignore[attr-defined]
    else:
        sums = distributed.total([summed.item(), float(tokens)], settings.device)
        mean, tokens = sums[0] / len(chosen), int(sums[1])
        if not math.isfinite(mean) and not scaler.is_enabled():
            return mean, tokens, False
    if job.clip is not None:
        scaler.unscale_(job.optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), job.clip)
    scaler.step(job.optimizer)
    scale = scaler.get_scale()
    scaler.update()
    return mean, tokens, scaler.get_scale() < scale


def _late(device: torch.device, world: int, scaler: torch.amp.GradScaler, optimizer: torch.optim.Optimizer) -> int:
    """How many steps a GPU is given before the loss of one is asked for: to ask is to wait, and the GPU would stand idle.

    0 or 1. It wants an optimizer that can be told by a number on the GPU to leave everything as it is, as the fused forms can.
    fp16's scale is read in every step, and several processes ask each other.
    """
    by_itself = bool(getattr(optimizer, "_step_supports_amp_scaling", False))
    return int(device.type == "cuda" and world == 1 and not scaler.is_enabled() and by_itself)


def _begin_momentum(optimizer: torch.optim.Optimizer) -> None:
    """SGD's momentum at 0, from which its first step is what it is from none.

    Where the scaling of fp16 skips the first step, the fused form leaves the memory that it took for it as it found it, and
    goes on from there.
    """
    for group in optimizer.param_groups:
        if isinstance(optimizer, torch.optim.SGD) and group["momentum"] and not group["dampening"]:
            for parameter in group["params"]:
                optimizer.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))


def _learning(model: nn.Module) -> list[bool]:
    return [parameter.requires_grad for parameter in model.parameters()]


def _broken(model: nn.Module) -> str | None:
    """The name of a parameter or a buffer that holds NaN or infinite numbers."""
    return next((name for name, value in model.state_dict().items() if not bool(value.isfinite().all())), None)


def _compiled(settings: Settings) -> int:
    """How many graphs torch.compile has compiled in this process."""
    if not settings.compile:
        return 0
    from torch._dynamo.utils import counters

    return counters["stats"]["unique_graphs"]


def _pace(state: dict[str, Any], name: str) -> float:
    """Samples or tokens a second, without the steps in which something was compiled, if there are others."""
    seconds, amount = state["seconds"] - state["compile_seconds"], state[name] - state[f"compile_{name}"]
    return amount / seconds if amount else state[name] / max(state["seconds"], 1e-9)


def _mix(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
