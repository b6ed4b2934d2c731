"""A training, watched: what happens at each step is written down, in bounded room, and becomes one page.

The training runs as it would alone. Its own numbers are looked at where they are: weights and gradients when the optimizer
has taken a step, outputs of modules when they are called, the loss when `backward` is called on it. Only steps that are
kept are looked at, and those get fewer as the training goes on (thinning.py).
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .. import files
from ..autograd.modes import is_grad_enabled
from ..autograd.variable import Array, Variable
from ..counted import counted
from ..foreign import said
from ..nn.module import Module
from ..nn.parameter import is_lazy
from ..optim.optimizer import Optimizer
from ..tensor import Tensor
from . import film, pictures, watch_page
from .probe import Probe
from .summary import norm, plain, silent, summary
from .thinning import Losses, Thinned

POINTS = 1000  # of a curve
FRAMES = 100  # unless told
LAYERS = 60  # that are looked into
NUMBERS = 60_000, 400_000  # that curves and histograms may need together: with many layers points and frames are fewer

_call: Callable[..., Any] = Module.__dict__["__call__"]
_backward: Callable[..., Any] = Tensor.__dict__["backward"]
_watching: list[watch] = []  # those under way


def _called(self: Module, *args: Any, **kwargs: Any) -> Any:
    out = _call(self, *args, **kwargs)
    if is_grad_enabled():  # (whoever asks the model in between, a validation, is not the training)
        for one in _watching:
            one._see_output(self, args, out)
    return out


def _went_backward(self: Tensor, *args: Any, **kwargs: Any) -> None:
    before = [(one, one._gradients()) for one in _watching]
    _backward(self, *args, **kwargs)
    for one, gradients in before:
        one._see_loss(self, gradients)


def _place(cls: Any, name: str, function: Callable[..., Any], instead_of: Callable[..., Any]) -> None:
    """Let a method be so, unless somebody else has put his own there meanwhile (`viz.recording` does)."""
    if cls.__dict__[name] is instead_of:
        setattr(cls, name, function)


class watch(contextlib.AbstractContextManager["watch"]):
    """Watch a training, and write what was seen as one page that needs nothing else: `watch.html`.

        with viz.watch(model, optimizer, data=(x, y)):
            for x_batch, y_batch in batches:
                optimizer.zero_grad()
                F.cross_entropy(model(x_batch), y_batch).backward()
                optimizer.step()

    Nothing in the loop changes. Each step of the optimizer is one step of the page: loss; gradient norm and ratio of update to
    weight, by layer; histograms of weights, gradients and activations; dead units. With `data`, a part of the training
    data or others: the decision boundary or the fitted curve as it moves (inputs of one or two numbers), confusion and accuracy
    (classes). The page is written when the block ends, also when the training is interrupted or fails.

    model: a module, or a part of a larger one. optimizer: whose steps count; without one call `step(loss)` after each update and
    before the gradients are cleared. data: (x, y), tensors of as many rows; x alone, or a tuple of several inputs, is fine.
    path: the file of the page. title: its title. frames: how many moments the slider has at most, at least half as many are kept of a
    long training.

    The training's results are the same to the last bit, random streams included. For boundary and confusion the model is asked in
    evaluation mode, and put back as it was: weights, buffers, attributes, modes. (Hooks that the program registered on it do run.)
    The loss is what `backward()` was called on, also where that was scaled; several before one step are added up; `step(loss)`
    says another one. Memory is bounded: when the room for points (1000) or frames is full, every second one goes, and from then on
    only every second step is looked at, then every fourth, and so on; with many layers there is room for fewer. The loss of every
    step still counts in the range that its curve shows.
    After the block, `png("watch.png")` and `gif("watch.gif")` draw with matplotlib.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer | None = None,
        *,
        data: Any = None,
        path: str | os.PathLike[str] = "watch.html",
        title: str | None = None,
        frames: int = FRAMES,
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"viz.watch wants a model, a minigrad.nn.Module, not {said(model)}")
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            raise TypeError(f"viz.watch wants an optimizer of minigrad.optim, or none, not {said(optimizer)}")
        if isinstance(frames, bool) or not isinstance(frames, int) or frames < 2:
            raise ValueError(f"viz.watch: frames is {frames!r}; a whole number from 2 on is wanted")
        x, y = (
            (data if isinstance(data, tuple | list) and len(data) == 2 else (data, None))
            if data is not None
            else (None, None)
        )
        self.model, self.optimizer, self.path = model, optimizer, Path(path)
        self.title = title or f"Training of {type(model).__name__}"
        self.probe = Probe(model, x, y)
        self.steps, self.ended, self.notes = 0, "", list[str]()
        self.modules = {id(m): name for name, m in _looked_into(model, self.notes)}
        many = sum(1 for _ in model.parameters())
        self.parameters: dict[str, dict[str, Any]] = {}  # by name: shape, layer, frozen
        self._named: list[tuple[str, Any]] = []  # they themselves
        self.layers: dict[str, str] = {}  # by the name of a module that was looked into: its kind
        self.losses = Losses(POINTS)
        self.points = Thinned(min(POINTS, max(60, NUMBERS[0] // max(1, many))))
        self.frames = Thinned(min(frames, max(20, NUMBERS[1] // (24 * max(1, 2 * many + len(self.modules))))))
        self._handles: list[Any] = []
        self._pending: list[float] = []  # losses whose gradients are in .grad
        self._in_step, self._closures = False, 0
        self._weights: dict[str, Array] = {}  # before the step
        self._outputs: dict[str, dict[str, Any]] = {}  # of modules, in this step
        self._seen: dict[int, Array] = {}  # outputs by the id of their arrays, in this step
        self._over = False
        self._note_parameters()

    # -- the block

    def __enter__(self) -> watch:
        if self in _watching or self._over:
            raise RuntimeError("viz.watch: one watch is for one training; make another for the next")
        folder = self.path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"viz.watch: there is no folder {str(folder)!r} for the page {self.path.name}")
        if self.optimizer is not None:
            self._handles = [
                self.optimizer.register_step_pre_hook(self._before_step),
                self.optimizer.register_step_post_hook(self._after_step),
            ]
        _watching.append(self)
        _place(Tensor, "backward", _went_backward, _backward)
        self._keep_frame(0, None)
        self._arm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self in _watching:
            _watching.remove(self)
        self._arm()
        if not _watching:
            _place(Tensor, "backward", _backward, _went_backward)
        for handle in self._handles:
            handle.remove()
        self._over = True
        if kind is not None:
            self.ended = f"The training ended early, after {counted(self.steps, 'step')}: {kind.__name__}{f': {error}' if str(error) else ''}"[
                :300
            ]
        if error is None:
            self._finish()
            return
        try:  # what ended the training is the news, not what may happen now
            self._finish()
        except Exception as other:
            warnings.warn(f"viz.watch: the page was not written: {type(other).__name__}: {other}", stacklevel=2)

    def _finish(self) -> None:
        if self.steps and (not self.frames.steps or self.frames.steps[-1] != self.steps):
            self._keep_frame(self.steps, self.losses.stretches[-1][2] if self.losses.stretches else None)
        self.write()

    # -- what the program calls

    def step(self, loss: Any = None) -> None:
        """One step was taken, its loss was this. Needed only without an optimizer, or where the loss is not what backward() saw."""
        value = None if loss is None else _number(loss)
        if self.optimizer is None:
            if value is not None:
                self._pending = [value]
            self._after_step()
        elif value is not None and self.steps:
            if self.losses.stretches and self.losses.stretches[-1][1] == self.steps:
                self.losses.amend(value)
            else:
                self.losses.add(self.steps, value)
            for kept in (self.points, self.frames):
                if kept.steps and kept.steps[-1] == self.steps:
                    kept.kept[-1]["loss"] = plain(value)

    def write(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the page of what was seen so far, also in the midst of a training. The file's path."""
        target = self.path if path is None else Path(path)
        files.write(target, watch_page.html(self.told()))
        return target

    def told(self) -> dict[str, Any]:
        """All that was seen, as plain data (see film.py)."""
        return film.told(self)

    def png(self, path: str | os.PathLike[str] = "watch.png", step: int | None = None) -> Path:
        """The training as a picture, with the state at a step (the last) in it. Needs matplotlib, which is in the extra `lessons`."""
        return pictures.png(self.told(), Path(path), step)

    def gif(self, path: str | os.PathLike[str] = "watch.gif", seconds: float = 8.0) -> Path:
        """The training as a film of so many seconds. Needs matplotlib and pillow, which are in the extra `lessons`."""
        return pictures.gif(self.told(), Path(path), seconds)

    # -- what is seen

    def _note_parameters(self) -> None:
        """Look through the model anew: at the beginning and with each frame, since parameters may come and be unfrozen."""
        self._named = [(name, p) for name, p in self.model.named_parameters() if not is_lazy(p)]
        owners = {
            f"{path}.{own}" if path else own: path for path, m in self.model.named_modules() for own in m._parameters
        }
        kinds = {path: type(m).__name__ for path, m in self.model.named_modules()}
        for name, p in self._named:
            layer = owners.get(name, "")
            self.parameters[name] = {"shape": list(p.array.shape), "layer": layer, "frozen": not p.requires_grad}
            self.layers.setdefault(layer, kinds.get(layer, ""))

    def _gradients(self) -> list[Array | None]:
        """Copies of the gradients as they are now; mostly None, since a step begins without any."""
        found = [p._grad for _, p in self._named]
        return [None if g is None else np.array(g.array) for g in found]

    def _see_loss(self, loss: Any, before: list[Array | None]) -> None:
        """backward() was called on a tensor. It counts if it left something in the gradients; alone, if they were empty."""
        after = self._gradients()
        if len(after) == len(before) and all(map(_same, before, after)):
            return
        fresh = not any(g is not None and g.any() for g in before)
        if self._in_step and fresh:
            self._closures += 1
        if (
            self._in_step and self._closures > 1
        ):  # the first is the loss of this step: the others are looked at on its way
            return
        if fresh:
            self._pending = []
        if loss.array.size == 1 and loss.array.dtype.kind == "f":
            self._pending.append(float(loss.array.item()))

    def _before_step(self, *_: Any) -> None:
        self._in_step, self._closures = True, 0
        if self.points.wants(self.steps + 1):
            self._weights = {name: np.array(p.array) for name, p in self._named}

    def _after_step(self, *_: Any) -> None:
        self._in_step = False
        self.steps += 1
        value = math.fsum(self._pending) if all(map(math.isfinite, self._pending)) else sum(self._pending)
        loss = value if self._pending else None
        self._pending = []
        if loss is not None:
            self.losses.add(self.steps, loss)
        if self.points.wants(self.steps):
            self.points.add(self.steps, self._point(loss))
        if self.frames.wants(self.steps):
            self._keep_frame(self.steps, loss)
        self._weights = {}
        if self.optimizer is None and self.points.wants(self.steps + 1):
            self._weights = {name: np.array(p.array) for name, p in self._named}
        self._arm()

    def _point(self, loss: float | None) -> dict[str, Any]:
        """Of each parameter the norms of gradient, update and weight (before the step): None for what there was not."""
        norms = {}
        for name, p in self._named:
            grad, before = p._grad, self._weights.get(name)
            old = before is not None and before.shape == p.array.shape
            norms[name] = [
                None if grad is None else plain(norm(grad.array)),
                plain(norm(p.array - before)) if old else None,
                plain(norm(before)) if old and before is not None else plain(norm(p.array)),
            ]
        rates = [] if self.optimizer is None else [_rate(group.get("lr")) for group in self.optimizer.param_groups]
        return {"norms": norms, "lr": rates, "loss": None if loss is None else plain(loss)}

    def _keep_frame(self, step: int, loss: float | None) -> None:
        """What the page shows at one moment. Under the hood of the step it belongs to, so the numbers are that step's."""
        self._note_parameters()
        weights, gradients = {}, {}
        for name, p in self._named:
            weights[name] = summary(p.array)
            if p._grad is not None and step:
                gradients[name] = summary(p._grad.array)
        frame = {"weights": weights, "gradients": gradients, "outputs": self._outputs, "asked": self.probe.ask()}
        frame["loss"] = None if loss is None else plain(loss)
        self._outputs = {}
        self.frames.add(step, frame)

    def _arm(self) -> None:
        """Look at the modules' outputs in the step that comes, if it is one to keep."""
        self._outputs, self._seen = {}, {}
        wanted = any(one.frames.wants(one.steps + 1) for one in _watching)
        _place(Module, "__call__", *((_called, _call) if wanted else (_call, _called)))

    def _see_output(self, module: Module, args: tuple, out: Any) -> None:
        """A module was called. The last call before the step is the one that is kept."""
        if module is self.model and not self.probe.kind and not self.probe.x and args and isinstance(args[0], Variable):
            self.probe.surround(args[0])
        if id(module) not in self.modules or not self.frames.wants(self.steps + 1):
            return
        name = self.modules[id(module)]
        given = args[0] if args else None
        if (
            module._parameters
            and isinstance(given, Variable)
            and given._edge is not None
            and id(given.array) not in self._seen
        ):
            # What comes from no module: relu(...) called as a function, say.
            self._keep_output(f"{name} ←", f"input of {type(module).__name__}", given.array, True)
        first = out[0] if isinstance(out, tuple | list) and out else out
        if isinstance(first, Variable):
            self._seen[id(first.array)] = first.array
            self._keep_output(name, type(module).__name__, first.array, not module._parameters)

    def _keep_output(self, name: str, kind: str, array: Array, may_be_silent: bool) -> None:
        self.layers.setdefault(name, kind)
        self._outputs[name] = summary(array)
        found = silent(array) if may_be_silent else None
        if found is not None:
            self._outputs[name]["silent"] = list(found)


def _looked_into(model: Module, notes: list[str]) -> list[tuple[str, Module]]:
    """The modules whose outputs are looked at: those without parts, or with parameters of their own."""
    found = [(name, m) for name, m in model.named_modules() if not any(m.children()) or m._parameters]
    if len(found) <= LAYERS:
        return found
    notes.append(
        f"The model has {len(found)} layers: the outputs of {LAYERS} of them, evenly taken, are looked at. Watch a part of it to see all."
    )
    return [found[i] for i in np.linspace(0, len(found) - 1, LAYERS).astype(int)]


def _same(a: Array | None, b: Array | None) -> bool:
    return a is b if a is None or b is None else a.shape == b.shape and a.tobytes() == b.tobytes()


def _number(loss: Any) -> float:
    """A loss as a number. TypeError for what is none."""
    if isinstance(loss, Variable):
        if loss.array.size != 1:
            raise TypeError(f"watch.step wants a loss of one number, not a tensor of shape {list(loss.array.shape)}")
        return float(loss.array.item())
    if isinstance(loss, bool) or not isinstance(loss, int | float | np.number):
        raise TypeError(f"watch.step wants a loss, a number or a tensor of one, not {said(loss)}")
    return float(loss)


def _rate(lr: Any) -> Any:
    return None if lr is None else plain(lr.array.item() if isinstance(lr, Variable) else lr)
