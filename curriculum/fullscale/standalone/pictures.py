"""Judge pictures with the model in this folder, one JSON object a line:

    python predict.py digit.png ...
    python predict.py --invert scan.jpg --model model.int8.onnx     dark ink on light ground
    python predict.py pictures.npy                                  an array (n, channels, height, width), 0 to 255

Needs numpy and onnxruntime, and Pillow for pictures in files; nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent


def load(model: str = "model.onnx", threads: int = 0) -> tuple[onnxruntime.InferenceSession, dict]:
    """The model, and what preprocessing.json says: labels, and the pictures' shape."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(HERE / model), options, providers=["CPUExecutionProvider"])
    return session, json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))


def read(path: Path, recipe: dict, invert: bool) -> np.ndarray:
    """Pictures (n, channels, height, width), float32, 0 to 255; what lies behind the scaling is part of the model."""
    channels, height, width = recipe["shape"]
    if path.suffix == ".npy":
        pictures = np.load(path).astype(np.float32)
    else:
        from PIL import Image

        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB").resize((width, height)), np.float32)
        pictures = pixels[None, None] if channels == 1 else pixels.transpose(2, 0, 1)[None]
    if pictures.shape[1:] != (channels, height, width):
        raise SystemExit(f"{path} has the shape {pictures.shape}; wanted is (n, {channels}, {height}, {width})")
    return 255 - pictures if invert else pictures


def judge(pictures: np.ndarray, session: onnxruntime.InferenceSession, recipe: dict) -> list[dict]:
    """An answer for each picture."""
    (logits,) = session.run(["logits"], {"pixels": pictures})
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    labels = recipe["labels"]
    return [
        {
            "label": labels[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(labels, row.tolist(), strict=True)),
            "logits": own.tolist(),
        }
        for row, own in zip(p, logits, strict=True)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--invert", action="store_true", help="dark ink on light ground becomes light on dark")
    parser.add_argument("--model", default="model.onnx", help="or model.int8.onnx: smaller (model.onnx)")
    arguments = parser.parse_args()
    session, recipe = load(arguments.model)
    for path in arguments.pictures:
        for answer in judge(read(path, recipe, arguments.invert), session, recipe):
            print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
