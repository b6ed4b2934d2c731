"""Carry a model elsewhere, with all that it takes to use it, and prove that other programs answer the same.

Into RUN/export: the model as ONNX in float32 and int8 and as a torch.export program, its labels, tokenizer and
preprocessing, predict.py, which needs nothing of this project, and, of what transformers knows, a folder that its pipeline
loads. Each is then used by a fresh process (predict.py without PyTorch) on real inputs, and its answers are compared with
the model's own.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from curriculum.archives import why

from . import encoders, real_inputs, reviews, runs
from .errors import Refused
from .owned import Owned, claim_in_run
from .settings import add_data_arguments, from_one, set_data_dir

LIMIT = 1e-3  # of the logits' differences, relative to the largest logit
STANDALONE = Path(__file__).parent / "standalone"
FILES = ("model.pt2", "model.onnx", "model.int8.onnx", "predict.py", "preprocessing.json", "tokenizer.json", "compared.json", "README.md")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, required=True, dest="folder", help="folder of a finished run")
    parser.add_argument("--samples", type=int, default=200, help="real inputs to compare on (200)")
    parser.add_argument("--overwrite", action="store_true", help="replace what export wrote there before")
    add_data_arguments(parser, of_run=True)


TORCH = """
import json, sys, numpy as np, torch
model, inputs, out = sys.argv[1:]
given = {name: torch.from_numpy(value) for name, value in np.load(inputs).items()}
extra = {"preprocessing.json": ""}
program = torch.export.load(model, extra_files=extra).module()
json.loads(extra["preprocessing.json"])["labels"]
with torch.no_grad():
    parts = zip(*(value.split(32) for value in given.values()))
    np.save(out, torch.cat([program(**dict(zip(given, part))) for part in parts]).numpy())
"""
PIPELINE = """
import json, sys
from transformers import pipeline
model, inputs, out = sys.argv[1:]
judge = pipeline("text-classification", model=model, truncation=True, top_k=None, device="cpu")
texts = json.load(open(inputs))
json.dump([{answer["label"]: answer["score"] for answer in found} for found in judge(texts)], open(out, "w"))
"""


class Texts(nn.Module):
    """A model of texts, from token numbers and mask to logits."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return reviews.logits_of(self.model, input_ids, attention_mask)


def longest(model: nn.Module) -> int | None:
    """How many tokens of a text are read at most, special ones included; None where there is no table of positions."""
    inner: Any = getattr(model, "model", model)
    return encoders.longest(inner) if hasattr(inner, "config") else len(getattr(inner, "positions", ())) or None


class Pictures(nn.Module):
    """A model of pictures, from bytes (as float32) to logits."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        return self.model(pixels)


def recipe(run: runs.Run) -> dict[str, Any]:
    """All that it takes to use the model, but for its weights and its tokenizer."""
    if run.about_pictures:
        return {"kind": "pictures", "labels": run.classes, "shape": run.results["picture"], "range": [0, 255]}
    max_length, keep = runs.reading(run)
    return {"kind": "texts", "labels": run.classes, "max_length": max_length, "keep": keep, "pad_token_id": run.tokenizer.pad_token_id}  # fmt: skip


def samples_of(run: runs.Run, arguments: argparse.Namespace) -> tuple[Any, np.ndarray]:
    """Real inputs from the run's test part, drawn at random: texts, or pictures (n, c, h, w); and their classes."""
    source: Any = (real_inputs.pictures_of if run.about_pictures else real_inputs.texts_of)(run, arguments)
    rows = np.random.default_rng([0, 9]).permutation(len(source.test))[: arguments.samples]
    found = source.test[torch.from_numpy(rows)].float() if run.about_pictures else [source.test[i] for i in rows]
    return found, np.asarray(source.test_labels)[rows]


def write_programs(
    model: nn.Module, names: list[str], example: dict[str, Tensor], folder: Path, facts: dict[str, Any]
) -> None:
    """model.pt2 and model.onnx, or those of `names`, for any number of inputs, and texts of any length that the model reads."""
    n = torch.export.Dim("n", min=1)
    length = torch.export.Dim("length", min=2, max=longest(model) or 1_000_000)
    shapes: dict[str, Any] = {name: {0: n} if name == "pixels" else {0: n, 1: length} for name in example}
    # an example with a length of 1 would be taken for a model that knows no other
    example = {name: value[:1].repeat(2, *[1] * (value.ndim - 1)) for name, value in example.items()}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of torchvision, which is not needed
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters, about themselves
        if "model.pt2" in names:
            program = torch.export.export(model, (), example, dynamic_shapes=shapes)
            extra = {"preprocessing.json": json.dumps(facts)}
            torch.export.save(program, str(folder / "model.pt2"), extra_files=extra)
        if "model.onnx" in names:
            exported = torch.onnx.export(
                model, kwargs=example, dynamic_shapes=shapes, dynamo=True, verbose=False, output_names=["logits"]
            )
            assert exported is not None
            exported.model.metadata_props["preprocessing"] = json.dumps(facts)
            exported.model.metadata_props["labels"] = json.dumps(facts["labels"])
            exported.save(str(folder / "model.onnx"), external_data=False)


def write_int8(folder: Path, calibration: np.ndarray | None) -> None:
    """model.int8.onnx, by ONNX Runtime: weights in int8; of pictures the values between the layers too, their ranges measured.

    calibration: pictures (n, c, h, w), float32.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    target = folder / "model.int8.onnx"
    with tempfile.TemporaryDirectory() as place:
        bare, prepared = Path(place) / "bare.onnx", Path(place) / "prepared.onnx"
        found = onnx.load(str(folder / "model.onnx"))
        del found.graph.value_info[:]  # shapes that the quantizer's own changes make wrong
        onnx.save(found, str(bare))
        quant_pre_process(str(bare), str(prepared), skip_symbolic_shape=True)
        if calibration is None:
            found = onnx.load(str(prepared))
            del found.graph.value_info[:]
            onnx.save(found, str(prepared))
            quantize_dynamic(prepared, target, weight_type=QuantType.QInt8)
            return
        parts = iter([{"pixels": part} for part in np.array_split(calibration, max(1, len(calibration) // 32))])

        class Reader(CalibrationDataReader):
            def get_next(self) -> Any:
                return next(parts, None)

        quantize_static(prepared, target, Reader(), weight_type=QuantType.QInt8, per_channel=True)


def another_program(*arguments: object) -> str:
    """What another program prints, which finds nothing of this project. Errors: Refused, with its last words."""
    given = [
        str(each.resolve() if isinstance(each, Path) else each) for each in arguments
    ]  # it begins in another folder
    done = subprocess.run([sys.executable, "-I", *given], capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise Refused(f"{arguments[0]} could not be used by another program: {last}")
    return done.stdout


def seconds_each(path: Path, given: dict[str, np.ndarray], most: int = 20) -> float:
    """The median time of one input by itself, in ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    taken = []
    for row in range(min(most, len(next(iter(given.values()))))):
        own = {name: value[row : row + 1] for name, value in given.items()}
        if "attention_mask" in own:  # by itself a text has no padding
            own = {name: value[:, : int(own["attention_mask"].sum())] for name, value in own.items()}
        begin = time.perf_counter()
        session.run(["logits"], own)
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken))


def run(arguments: argparse.Namespace) -> int:
    set_data_dir(arguments.data_dir, arguments.data)
    from_one(arguments, "samples")
    found = runs.load(arguments.folder)
    owned = Owned(arguments.folder / "export", "export", resume=False, overwrite=arguments.overwrite)
    samples, truth = samples_of(found, arguments)
    claim_in_run(arguments.folder, "export/")
    owned.begin(anew=arguments.overwrite)
    owned.claim(*FILES)
    folder, facts = owned.path, recipe(found)
    if found.about_pictures:
        model: nn.Module = Pictures(found.model)
        given = {"pixels": samples}
    else:
        model = Texts(found.model)
        given = dict(zip(("input_ids", "attention_mask"), runs.encode(found, samples), strict=True))
        owned.write("tokenizer.json", found.tokenizer.backend_tokenizer.to_str())
    model.eval()
    with torch.no_grad():
        parts = zip(*(value.split(32) for value in given.values()), strict=True)
        wanted = torch.cat([model(*part) for part in parts]).numpy()
    owned.write("preprocessing.json", json.dumps(facts, indent=1) + "\n")
    owned.write("predict.py", (STANDALONE / ("pictures.py" if found.about_pictures else "texts.py")).read_text(encoding="utf-8"))  # fmt: skip
    with owned.scratch("programs") as made:  # their writers leave half a file where they are killed
        try:
            write_programs(model, ["model.pt2", "model.onnx"], given, made, facts)
            write_int8(made, samples.numpy() if found.about_pictures else None)
        except Exception as error:  # on a full disk each of their writers raises another
            for where in (made, Path(tempfile.gettempdir())):
                if shutil.disk_usage(where).free < 2**20:
                    raise Refused(
                        f"{where} has no room left ({why(error)}): make some; nothing was exported."
                    ) from None
            raise
        for part in sorted(made.iterdir()):
            owned.take(part, part.name)
    compared = Compared(folder, wanted, truth)
    with tempfile.TemporaryDirectory() as place:
        arrays = {name: value.numpy() for name, value in given.items()}
        inputs, alone = (
            Path(place) / "inputs.npz",
            Path(place) / ("inputs.npy" if found.about_pictures else "texts.txt"),
        )
        np.savez(inputs, **arrays)  # type: ignore[arg-type]
        if found.about_pictures:
            np.save(alone, samples.numpy())
        else:
            alone.write_text("".join(f"{each}\n" for each in samples), encoding="utf-8", newline="\n")
        which = [alone] if found.about_pictures else ["--file", alone]
        for name in ("model.onnx", "model.int8.onnx"):
            said = another_program(folder / "predict.py", *which, "--model", name)
            answers = np.array([json.loads(line)["logits"] for line in said.splitlines()])
            compared.add(name, answers, exact=name == "model.onnx", seconds=seconds_each(folder / name, arrays))
        out = Path(place) / "answer.npy"
        another_program("-c", TORCH, folder / "model.pt2", inputs, out)
        compared.add("model.pt2", np.load(out))
        if hasattr(found.model, "save_pretrained"):
            owned.fill("transformers", lambda path: for_pipeline(found, path))
            check_pipeline(found, folder / "transformers", samples, Path(place))
            print(f"{folder / 'transformers'}: transformers.pipeline loads it, and answers the same where it reads all of a text")  # fmt: skip
    owned.write("compared.json", json.dumps({"samples": len(wanted), "files": compared.rows}, indent=1) + "\n")
    owned.write("README.md", card(found, compared))
    return 0


class Compared:
    """What was measured of each file. Errors: Refused where a file answers otherwise than the model."""

    def __init__(self, folder: Path, wanted: np.ndarray, truth: np.ndarray | None):
        self.folder, self.wanted, self.truth = folder, wanted, truth
        self.rows: dict[str, dict[str, Any]] = {}

    def add(self, name: str, answers: np.ndarray, exact: bool = True, seconds: float | None = None) -> None:
        path, wanted = self.folder / name, self.wanted
        if answers.shape != wanted.shape:
            raise Refused(f"{path} gave answers of shape {answers.shape}; wanted is {wanted.shape}.")
        apart = float(np.abs(answers - wanted).max() / max(1.0, np.abs(wanted).max()))
        same = int((answers.argmax(1) == wanted.argmax(1)).sum())
        row: dict[str, Any] = {"mib": round(path.stat().st_size / 2**20, 2), "same": same, "logits_apart": apart}
        said = f"{path} ({row['mib']:.1f} MiB): in another program {same} of {len(wanted)} answers are the same, logits {apart:.0e} apart"
        if self.truth is not None:
            row["accuracy"] = float((answers.argmax(1) == self.truth).mean())
            said += f"; {100 * row['accuracy']:.1f} % right"
        if seconds is not None:
            row["milliseconds"] = round(1000 * seconds, 3)
            said += f", {row['milliseconds']:.1f} ms each"
        print(said)
        self.rows[name] = row
        if not np.isfinite(answers).all() or (exact and (apart > LIMIT or same < len(wanted))):
            raise Refused(f"{path} answers otherwise than the model: {apart:.0e} is more than {LIMIT:g}.")


def for_pipeline(run: runs.Run, path: Path) -> None:
    """The model and its tokenizer as transformers saves them, with the labels' names and the length that is read."""
    names = dict(enumerate(run.classes))
    config: Any = run.model.config
    config.id2label, config.label2id = names, {name: k for k, name in names.items()}
    run.model.save_pretrained(path)  # type: ignore[operator]
    run.tokenizer.model_max_length = runs.reading(run)[0]
    run.tokenizer.save_pretrained(path)


def check_pipeline(run: runs.Run, folder: Path, texts: list[str], place: Path) -> None:
    """A pipeline in another process answers as the model does, on texts of which both read all. Errors: Refused."""
    max_length, _ = runs.reading(run)
    lengths = [len(ids) for ids in run.tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
    short = [text for text, length in zip(texts, lengths, strict=True) if length <= max_length][:8]
    short = short or [" ".join(texts[0].split()[: max_length // 4])]
    (place / "texts.json").write_text(json.dumps(short), encoding="utf-8")
    another_program("-c", PIPELINE, folder, place / "texts.json", place / "scores.json")
    scores = json.loads((place / "scores.json").read_text(encoding="utf-8"))
    found = np.array([[row[name] for name in run.classes] for row in scores])
    apart = float(np.abs(found - runs.probabilities(run, short).numpy()).max())
    if apart > LIMIT:
        raise Refused(f"{folder}: transformers.pipeline answers otherwise than the model, by {apart:.0e}.")


def card(run: runs.Run, compared: Compared) -> str:
    """The folder's README."""
    rows = [
        f"| {name} | {row['mib']:.1f} | {row['same']} of {len(compared.wanted)} | {row['logits_apart']:.0e} "
        f"| {100 * row['accuracy']:.1f} % | {row.get('milliseconds', '')} |" if "accuracy" in row else
        f"| {name} | {row['mib']:.1f} | {row['same']} of {len(compared.wanted)} | {row['logits_apart']:.0e} | | {row.get('milliseconds', '')} |"
        for name, row in compared.rows.items()
    ]  # fmt: skip
    example = "digit.png" if run.about_pictures else '"a text to judge"'
    needs = "numpy, onnxruntime and Pillow" if run.about_pictures else "numpy, onnxruntime and tokenizers"
    pipeline = (
        '\n`transformers/` loads with `pipeline("text-classification", model="transformers", truncation=True)`. Of a longer text the '
        "pipeline reads the beginning alone; predict.py reads what training read.\n"
        if "transformers" in {path.name for path in compared.folder.iterdir()}
        else ""
    )
    return (
        f"# {run.config['command']}, exported\n\n`python predict.py {example}` judges; it needs {needs}. Answers: {', '.join(run.classes)}. "
        f"`preprocessing.json` says how inputs are prepared.\n\n"
        "| file | MiB | same answers | logits apart | right | ms each |\n| --- " + "| --- " * 5 + "|\n" + "\n".join(rows) + f"\n{pipeline}"
    )  # fmt: skip
