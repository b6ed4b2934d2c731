"""Judge texts with the model in this folder, one JSON object a line:

    python predict.py "a film that I will not forget" ...
    python predict.py --file reviews.txt --model model.int8.onnx

Needs numpy, onnxruntime and tokenizers, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent


def load(model: str = "model.onnx", threads: int = 0) -> tuple[onnxruntime.InferenceSession, Tokenizer, dict]:
    """The model, its tokenizer, and what preprocessing.json says: labels, and how texts are cut."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(HERE / model), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return session, tokenizer, json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))


def clean(text: str) -> str:
    """Without the markup of line breaks, and with single spaces, as in training."""
    return re.sub(r"\s+", " ", text.replace("<br />", " ")).strip()


def encode(texts: list[str], tokenizer: Tokenizer, recipe: dict) -> dict[str, np.ndarray]:
    """Token numbers and mask, (texts, longest), int64. A text that is too long is cut as in training."""
    rows, most = [], recipe["max_length"]
    tail = most // 2 if recipe["keep"] == "both" else 1  # of both ends; or the beginning, and the end mark
    for encoding in tokenizer.encode_batch([clean(text) for text in texts]):
        row = encoding.ids
        rows.append(row if len(row) <= most else row[: most - tail] + row[-tail:])
    length = max(2, *map(len, rows))
    ids = np.full((len(rows), length), recipe["pad_token_id"], np.int64)
    mask = np.zeros((len(rows), length), np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def judge(texts: list[str], session: onnxruntime.InferenceSession, tokenizer: Tokenizer, recipe: dict) -> list[dict]:
    """An answer for each text."""
    (logits,) = session.run(["logits"], encode(texts, tokenizer, recipe))
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
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument("--file", type=Path, help="a text a line")
    parser.add_argument("--model", default="model.onnx", help="or model.int8.onnx: smaller (model.onnx)")
    arguments = parser.parse_args()
    texts = list(arguments.texts)
    if arguments.file:
        texts += [line for line in arguments.file.read_text(encoding="utf-8").split("\n") if line.strip()]
    if not texts or not all(text.strip() for text in texts):
        parser.error("give a TEXT that is not empty, or --file with a text a line")
    loaded = load(arguments.model)
    for start in range(0, len(texts), 16):
        for answer in judge(texts[start : start + 16], *loaded):
            print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
