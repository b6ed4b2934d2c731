"""Carry a model elsewhere, as ONNX and as a torch.export program, and prove that other programs answer the same.

Each file is loaded in a fresh process that knows nothing of this project (ONNX by onnxruntime, without PyTorch), fed real
inputs, and its logits are compared with the model's own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import images, runs, text
from .errors import Refused
from .folder import Owned
from .settings import add_data_arguments, from_one, set_data_dir

LIMIT = 1e-3  # of the logits' differences, relative to the largest logit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a finished run")
    parser.add_argument("--samples", type=int, default=16, help="real inputs to compare on (16)")
    parser.add_argument("--overwrite", action="store_true")
    add_data_arguments(parser)


ONNX = """
import sys, numpy as np, onnxruntime
model, inputs, out = sys.argv[1:]
given = dict(np.load(inputs))
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
np.save(out, session.run(None, {i.name: given[i.name] for i in session.get_inputs()})[0])
"""
TORCH = """
import sys, numpy as np, torch
model, inputs, out = sys.argv[1:]
given = {name: torch.from_numpy(value) for name, value in np.load(inputs).items()}
with torch.no_grad():
    np.save(out, torch.export.load(model).module()(**given).numpy())
"""


class Logits(nn.Module):
    """A model of transformers that puts out the logits alone."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def real_inputs(run: runs.Run, arguments: argparse.Namespace) -> dict[str, Tensor]:
    """Inputs from the test part of the run's data."""
    settings: Any = argparse.Namespace(data=arguments.data, limit=None, seed=0)
    if run.about_pictures:
        source = images.load(run.config["options"].get("dataset", "mnist"), settings)
        return {"x": source.test[: arguments.samples].float()}
    ids, mask = runs.encode(run, text.imdb(settings).test[: arguments.samples])
    return {"input_ids": ids, "attention_mask": mask}


def run(arguments: argparse.Namespace) -> int:
    set_data_dir(arguments.data_dir)
    from_one(arguments, "samples")
    found = runs.load(arguments.folder)
    owned = Owned(arguments.folder / "export", "export", resume=False, overwrite=arguments.overwrite)
    owned.begin(anew=arguments.overwrite)
    owned.claim("model.pt2", "model.onnx", "model.onnx.data", "inputs.npz", "answer.npy", "compared.json")
    folder = owned.path
    given = real_inputs(found, arguments)
    model = found.model if found.about_pictures else Logits(found.model)
    model.eval()
    with torch.no_grad():
        wanted = model(**given).numpy()
    n = torch.export.Dim("n", min=1)
    longest = getattr(getattr(found.model, "config", None), "max_position_embeddings", 512)
    length = torch.export.Dim("length", min=2, max=longest)
    shapes: dict[str, Any] = {"x": {0: n}} if found.about_pictures else {k: {0: n, 1: length} for k in given}
    with torch.no_grad():
        program = torch.export.export(model, (), dict(given), dynamic_shapes=shapes)
        torch.export.save(program, str(folder / "model.pt2"))
        exported = torch.onnx.export(model, kwargs=dict(given), dynamic_shapes=shapes, dynamo=True, verbose=False)
        assert exported is not None
        exported.save(str(folder / "model.onnx"))
    np.savez(folder / "inputs.npz", **{name: value.numpy() for name, value in given.items()})  # type: ignore[arg-type]
    apart: dict[str, float] = {}
    for name, program_text, path in (
        ("ONNX", ONNX, folder / "model.onnx"),
        ("torch.export", TORCH, folder / "model.pt2"),
    ):
        out = folder / "answer.npy"
        done = subprocess.run([sys.executable, "-c", program_text, str(path), str(folder / "inputs.npz"), str(out)], capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode:
            raise Refused(f"{path} could not be used by another program: {done.stderr.strip().splitlines()[-1]}")
        answer = np.load(out)
        out.unlink()
        apart[name] = float(np.abs(answer - wanted).max() / max(1.0, np.abs(wanted).max()))
        same = int((answer.argmax(1) == wanted.argmax(1)).sum())
        size = path.stat().st_size / 2**20
        print(
            f"{name}: {path} ({size:.1f} MiB), in another program {same} of {len(wanted)} answers are the same, logits {apart[name]:.0e} apart"
        )
        if apart[name] > LIMIT or same < len(wanted):
            raise Refused(f"{path} answers otherwise than the model: {apart[name]:.0e} is more than {LIMIT:g}.")
    owned.write("compared.json", json.dumps({"samples": len(wanted), "logits_apart": apart}, indent=1) + "\n")
    return 0
