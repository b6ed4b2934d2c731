"""The same trainings in 1, 2, 3 and 4 processes: run as a program, it prints the losses of each, case by case.

    python processes.py FOLDER CASES      CASES: short, all

It starts the processes as forks of itself, which has imported everything.
"""

import itertools
import json
import os
import signal
import socket
import sys
from pathlib import Path

WORLDS = (1, 2, 3, 4)


def cases(which):
    """(samples, batch size, micro-batches, batch norm, of texts): every remainder of an epoch by the batch, and of a batch by
    the processes."""
    whole = [
        (samples, batch, micro, norm, False)
        for samples, batch, micro, norm in itertools.product(range(9, 14), range(1, 8), (1, 2, 3), (True, False))
    ] + [
        (samples, batch, micro, False, True)
        for samples, batch, micro in itertools.product((9, 11, 12, 13), (1, 2, 3, 5), (1, 2))
    ]
    if which == "all":
        return whole
    return [
        (9, 2, 1, True, False),
        (10, 4, 1, True, False),
        (13, 6, 3, True, False),
        (12, 7, 3, False, False),
        (11, 5, 2, False, True),
    ]


def losses(case, folder, rank, world):
    """Train for two epochs; the loss of each step and the validation's of each epoch."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from curriculum.fullscale import loop, reviews, tokens
    from curriculum.fullscale.folder import Folder
    from curriculum.fullscale.settings import Settings

    samples, batch, micro, norm, of_texts = case
    settings = Settings(
        command="test", device="cpu", precision="fp64", compile=False, batch_size=batch, accumulate=micro, epochs=2, lr=0.05, seed=0,
        out=folder, resume=False, overwrite=False, limit=None, data="embedded", data_dir=None, save_every=1000, options={},
    )  # fmt: skip
    torch.manual_seed(0)
    if of_texts:
        import numpy as np

        lengths = np.random.default_rng(0).integers(3, 9, samples)
        ids = np.random.default_rng(1).integers(1, 20, lengths.sum()).astype(np.int32)
        made = tokens.Tokens(ids, np.concatenate([[0], np.cumsum(lengths)]))

        class Bag(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding, self.head = nn.Embedding(20, 4), nn.Linear(4, 2)

            def forward(self, input_ids, attention_mask):
                return self.head((self.embedding(input_ids) * attention_mask.unsqueeze(2)).sum(1))

        model = Bag()
        optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr)
        labels = [i % 2 for i in range(samples)]

        def thaw(epoch):
            model.embedding.weight.requires_grad = epoch > 0

        _, metrics = reviews.fit(
            settings, Folder(settings, rank), model, optimizer, made, labels, 0, lambda done: 1.0, rank, world, before_epoch=thaw
        )  # fmt: skip
    else:
        x, y = 3 + torch.randn(samples, 2, 3, 3, dtype=torch.float64), torch.arange(samples) % 3
        layers = [nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)] if norm else [nn.Conv2d(2, 4, 3, padding=1)]
        model = nn.Sequential(*layers, nn.ReLU(), nn.Flatten(), nn.Linear(36, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=0.9)

        def batch_of(chosen, part, randomness):
            rows = torch.from_numpy(chosen[part])
            return x[rows], y[rows]

        def evaluate(model):
            model.eval()
            with torch.no_grad():
                return {"validation_loss": F.cross_entropy(model(x), y).item()}

        job = loop.Job(
            model,
            optimizer,
            samples,
            batch_of,
            lambda m, made: F.cross_entropy(m(made[0]), made[1], reduction="sum"),
            evaluate,
        )
        _, metrics = loop.train(job, settings, Folder(settings, rank), rank, world)
    return [row.get("loss", row.get("validation_loss")) for row in metrics.rows]


def process(folder, which, world, rank, port):
    import torch

    from curriculum.fullscale import distributed

    torch.set_num_threads(1)
    if world > 1:
        os.environ |= {
            "RANK": str(rank),
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
    with distributed.group("cpu") as (own, together):
        found = [losses(case, folder / f"{world}-{n}", own, together) for n, case in enumerate(cases(which))]
    if rank == 0:
        (folder / f"{world}.json").write_text(json.dumps(found))


def main(folder, which):
    os.environ["TQDM_DISABLE"] = "1"
    from curriculum.fullscale import loop, reviews  # noqa: F401

    folder, children = Path(folder), {}
    folder.mkdir(parents=True, exist_ok=True)
    for world in WORLDS:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        for rank in range(world):
            child = os.fork()
            if not child:
                code = 1
                try:
                    process(folder, which, world, rank, port)
                    code = 0
                except BaseException:
                    import traceback

                    traceback.print_exc()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
            children[child] = (world, rank)
    failed = []
    while children:
        child, status = os.wait()
        where = children.pop(child)
        if os.waitstatus_to_exitcode(status):
            failed.append(where)
            for other in children:  # they would wait for it
                os.kill(other, signal.SIGKILL)
    found = {world: json.loads((folder / f"{world}.json").read_text()) for world in WORLDS if not failed}
    print(json.dumps({"failed": failed, "cases": cases(which), "losses": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
