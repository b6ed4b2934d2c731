"""`python -m benchmarks throughput`: fine-tuning an encoder, our loop beside `transformers.Trainer`, in real tokens a second.

    python -m benchmarks throughput                                 DistilBERT's shape, random weights, the data of MINIGRAD_DATA
    python -m benchmarks throughput --model FOLDER --max-length 256 --steps 30 --save NAME

Three ways, each in a process of its own, on the same reviews:

    ours             curriculum.fullscale: batches of like length, mixed precision, fused AdamW
    trainer          transformers.Trainer with its defaults
    trainer-tuned    transformers.Trainer with our precision and batch size

The first third of the steps warms up. Work is counted on real tokens alone, padding is waste: a review of n tokens costs
6 n P operations in the P weights of matrices and 12 n^2 w in the attention of a layer of width w, forward and backward
(Kaplan et al., Scaling Laws for Neural Language Models, 2020, section 2.1). The limit is the rate of a large product in
the run's precision, measured in the same process.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from curriculum import commands
from curriculum.commands import counted
from curriculum.files import write

WAYS = ("ours", "trainer", "trainer-tuned")


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks throughput",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", help="hub name or folder (DistilBERT's shape with random weights)")
    parser.add_argument("--tokenizer", help="hub name or folder, where --model is not given (one is trained)")
    parser.add_argument("--max-length", type=commands.whole(), default=512)
    parser.add_argument("--batch-size", type=commands.whole(), help="of our loop (64 on a GPU, 8 on a CPU)")
    parser.add_argument("--steps", type=commands.whole(3), default=60, help="of which a third warms up (60)")
    parser.add_argument("--device", default="auto", help="cpu or cuda (a GPU where there is one)")
    parser.add_argument("--precision", choices=["fp32", "bf16"], help="of our loop (bf16 on a GPU)")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the processor's seconds, not the clock's: where other programs run",
    )
    parser.add_argument("--compile", action="store_true", help="torch.compile in our loop")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"any of {','.join(WAYS)}")
    parser.add_argument("--data", choices=["auto", "folder", "hub", "embedded"], default="auto")
    parser.add_argument(
        "--save",
        type=commands.plain_name,
        metavar="NAME",
        help="keep the figures as benchmarks/fullscale/NAME.json and .md",
    )
    options = parser.parse_args(given)
    options.ways = [way.strip() for way in options.ways.split(",") if way.strip()]
    for way in options.ways:
        if way not in WAYS:
            parser.error(f"unknown way {way!r}; there are {', '.join(WAYS)}")
    if options.model:
        commands.refuse_beside(parser, given, ["tokenizer"], "beside --model, which brings its own")
    if "ours" not in options.ways:
        commands.refuse_beside(parser, given, ["compile"], "without our loop among --ways")
    if options.ways != ["ours"] and importlib.util.find_spec("accelerate") is None:
        parser.error("transformers.Trainer needs accelerate: pip install accelerate, or --ways ours")
    return options


def main(given: list[str]) -> int:
    options = arguments(given)
    results: dict[str, Any] = {}
    for way in options.ways:
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.throughput", way, json.dumps(vars(options))],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"TOKENIZERS_PARALLELISM": "false"},
        )  # fmt: skip
        lines = [line for line in child.stdout.splitlines() if line.startswith("{")]
        if child.returncode or not lines:
            print(f"{way} did not end well; what it said stands above", file=sys.stderr)
            return 1
        results[way] = json.loads(lines[-1])
    table = markdown(results)
    print(table, end="")
    if options.save:
        folder = Path(__file__).parent / "fullscale"
        write(folder / f"{options.save}.json", json.dumps(results, indent=1) + "\n")
        write(folder / f"{options.save}.md", table)
        print(f"kept as {folder / options.save}.json and .md")
    return 0


def markdown(results: dict[str, Any]) -> str:
    lines = [
        "| way | precision | batch | real tokens a second | padding | of the matrix peak | against Trainer's defaults |",
        "| --- " * 7 + "|",
    ]
    base = results.get("trainer", {}).get("tokens_per_second")
    for way, found in results.items():
        ratio = f"{found['tokens_per_second'] / base:.2f}" if base else ""
        lines.append(
            f"| {way} | {found['precision']} | {found['batch_size']} | {found['tokens_per_second']:,.0f} | {100 * found['padding']:.0f} % "
            f"| {100 * found['share']:.0f} % of {found['peak'] / 1e12:.2f} TFLOP/s | {ratio} |"
        )
    one = next(iter(results.values()))
    lines += ["", f"{one['model']}, {counted(one['parameters'], 'parameter', form=',')}, reviews cut to {counted(one['max_length'], 'token')} ({one['data']}), "
              f"{counted(one['steps'], 'step')} after {one['warm_up']} to warm up{', in seconds of the processor' * (one['clock'] == 'processor')}; {one['machine']}, PyTorch {one['torch']}, transformers {one['transformers']}, {one['date']}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def measure(way: str, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one way, in this process."""
    import datetime

    import torch
    import transformers

    from curriculum.fullscale import reviews, text, tokens, transfer
    from curriculum.fullscale.machine import machine
    from curriculum.fullscale.settings import add_arguments as training_arguments
    from curriculum.fullscale.settings import settle

    torch.manual_seed(0)
    parser = argparse.ArgumentParser()
    training_arguments(parser, epochs=1, lr=5e-5, batch_size=8, gpu_batch_size=64)
    asked = ["--device", options.device, "--data", options.data]
    asked += [] if options.precision is None else ["--precision", options.precision]
    asked += [] if options.batch_size is None else ["--batch-size", str(options.batch_size)]
    asked += ["--compile"] if options.compile else []
    with tempfile.TemporaryDirectory() as scratch:
        settings = settle(
            parser.parse_args([*asked, "--out", f"{scratch}/run"], argparse.Namespace(command="throughput"))
        )
        size, precision = settings.batch_size, settings.precision
        if way == "trainer":
            size, precision = 8, "fp32"  # TrainingArguments' defaults
        found = text.imdb(settings).limited(size * options.steps * 20 // 19 + 20, 1)
        if options.model or options.tokenizer:
            tokenizer = tokens.tokenizer_of(options.model or options.tokenizer)
        else:
            tokenizer = transfer.own_tokenizer(found.train, 30522, Path(scratch))
        model: Any
        if options.model:
            model = reviews.encoder(options.model, found.classes)
        else:
            shape = transformers.DistilBertConfig(
                vocab_size=max(30522, len(tokenizer)), num_labels=2, attn_implementation="sdpa"
            )  # type: ignore[call-arg]
            model = transformers.DistilBertForSequenceClassification(shape)
        made = tokens.tokenized(found.train, tokenizer, options.max_length, "both")
        warm_up = options.steps // 3
        if way == "ours":
            seen, places, seconds = _ours(model, made, found.train_labels, tokenizer, settings, warm_up)
        else:
            seen, places, seconds = _trainer(
                model, made, found.train_labels, tokenizer, settings, size, precision, warm_up, options.steps, scratch
            )
    counted = sum(seen)
    peak = _peak(torch.device(settings.device), torch.bfloat16 if precision == "bf16" else torch.float32)
    matrices = sum(p.numel() for name, p in model.named_parameters() if p.ndim == 2 and "embeddings" not in name)
    config: Any = model.config
    work = sum(6 * n * matrices + 12 * n * n * config.hidden_size * config.num_hidden_layers for n in seen)
    return {
        "way": way, "precision": precision, "batch_size": size, "compile": settings.compile and way == "ours",
        "tokens_per_second": counted / seconds, "reviews_per_second": len(seen) / seconds, "padding": 1 - counted / places,
        "share": work / seconds / peak, "peak": peak, "steps": options.steps - warm_up, "warm_up": warm_up, "seconds": seconds,
        "clock": "processor" if options.cpu_time else "wall", "max_length": options.max_length, "data": found.source, "parameters": sum(p.numel() for p in model.parameters()),
        "model": Path(options.model).name if options.model else "DistilBERT's shape, random weights",
        "date": datetime.date.today().isoformat(), "transformers": transformers.__version__, **machine(settings.device),
    }  # fmt: skip


Measured = tuple[list[int], int, float]  # real tokens of each review, places with padding, seconds: after the warm-up


def _ours(model: Any, made: Any, labels: list[int], tokenizer: Any, settings: Any, warm_up: int) -> Measured:
    """`reviews.fit` as distilbert-imdb uses it, an epoch; the loop's own record says what a step took."""
    from curriculum.fullscale import reviews
    from curriculum.fullscale.finetune import optimizer_of
    from curriculum.fullscale.folder import Folder
    from curriculum.fullscale.loop import one_cycle
    from curriculum.fullscale.tokens import by_length

    pad = tokenizer.pad_token_id
    with contextlib.redirect_stdout(io.StringIO()):
        _, metrics = reviews.fit(
            settings, Folder(settings), model, optimizer_of(model, settings.lr), made, labels, pad, one_cycle(0.06, "linear")
        )  # fmt: skip
    _, used = reviews.split(labels, settings)
    batches = by_length(made, used, settings.batch_size, settings.seed)(0)[warm_up:]
    _, seconds = metrics.column("seconds")
    lengths = [made.lengths[used[batch]] for batch in batches]
    places = sum(len(batch) * int(batch.max()) for batch in lengths)
    return [int(n) for batch in lengths for n in batch], places, seconds[-1] - seconds[warm_up - 1]


def _trainer(
    model: Any, made: Any, labels: list[int], tokenizer: Any, settings: Any, size: int, precision: str, warm_up: int, steps: int,
    scratch: str,
) -> Measured:  # fmt: skip
    """transformers.Trainer with its defaults, but for the number of steps, the precision and the batch size asked for."""
    import torch
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments
    from transformers.utils import logging

    logging.set_verbosity_error()
    cuda = settings.device.startswith("cuda")
    rows = [
        {"input_ids": made.ids[made.starts[i] : made.starts[i + 1]].tolist(), "label": label}
        for i, label in enumerate(labels)
    ]
    masks: list[torch.Tensor] = []
    times: list[float] = []

    class Watched(Trainer):
        def training_step(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
            masks.append(inputs["attention_mask"])
            return super().training_step(model, inputs, *rest, **named)

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            if cuda and state.global_step in (warm_up, steps):
                torch.cuda.synchronize()
            times.append(time.perf_counter())

    setting = TrainingArguments(
        f"{scratch}/trainer", max_steps=steps, per_device_train_batch_size=size, bf16=precision == "bf16", use_cpu=not cuda,
        disable_tqdm=True, report_to=[], save_strategy="no", seed=settings.seed,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        Watched(model, setting, DataCollatorWithPadding(tokenizer), rows, callbacks=[Clock()]).train()  # type: ignore[arg-type]
    seen = [int(n) for mask in masks[warm_up:] for n in mask.sum(1).tolist()]
    return seen, sum(mask.numel() for mask in masks[warm_up:]), times[-1] - times[warm_up - 1]


def _peak(device: Any, dtype: Any) -> float:
    """The fastest of several large products, in operations a second."""
    import torch

    size = 8192 if device.type == "cuda" else 1536
    a = torch.randn(size, size, device=device, dtype=dtype)
    b, best = torch.randn_like(a), float("inf")
    for _ in range(20):
        begin = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best


if __name__ == "__main__":
    way, given = sys.argv[1:]
    asked = argparse.Namespace(**json.loads(given))
    if asked.cpu_time:
        time.perf_counter = time.process_time  # by which the training loop counts its seconds, too
    print(json.dumps(measure(way, asked)))
