"""What `gpu` needs, gathered in a folder that can be carried: MNIST, an encoder in float16, as many reviews as there is room for."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path

import numpy as np

from curriculum import archives
from curriculum import data as lesson_data
from curriculum.files import write

from ..errors import Refused
from .context import ROOT

MIB = 2**20
MNIST = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
TOKENIZER = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
FEWEST = 400  # reviews; with fewer nothing is learned


def run(out: Path, mib: float, data_dir: Path | None, model: Path | None) -> int:
    """Write the folder. Errors: Refused where a part is missing, the room too small, or `out` not empty."""
    from ..settings import set_data_dir

    set_data_dir(data_dir)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Refused(f"--pack {out} is there and not empty: give a new folder.")
    mnist, imdb = lesson_data.real("mnist"), lesson_data.real("imdb/aclImdb_v1.tar.gz")
    model = model or lesson_data.real("encoder")
    missing = [
        name
        for name, there in (
            ("mnist/ with its four files", mnist is not None and all((mnist / name).is_file() for name in MNIST)),
            ("imdb/aclImdb_v1.tar.gz", imdb is not None),
            ("encoder/ (or --model FOLDER)", model is not None and (model / "config.json").is_file()),
        )
        if not there
    ]
    if missing:
        raise Refused(f"To pack, --data-dir (or MINIGRAD_DATA) must hold {'; '.join(missing)}.")
    assert mnist is not None
    assert imdb is not None
    assert model is not None
    for name in MNIST:
        write(out / "mnist" / name, (mnist / name).read_bytes())
    _encoder(model, out / "encoder")
    room = int(mib * MIB) - size_of(out)
    reviews = _reviews(imdb, room)
    if reviews is None:
        shutil.rmtree(out)
        raise Refused(
            f"--mib {mib:g} leaves {max(room, 0) / MIB:.1f} MiB for reviews: MNIST and the encoder take the rest."
        )
    content, number = reviews
    write(out / "imdb" / "aclImdb_v1.tar.gz", content)
    parts = ", ".join(f"{path.name} {size_of(path) / MIB:.1f}" for path in sorted(out.iterdir()))
    print(f"{out}: {size_of(out) / MIB:.1f} MiB ({parts}; {number:,} reviews)")
    own = sum(size_of(ROOT / name) for name in ("minigrad", "curriculum", "benchmarks", "tests"))
    print(f"what is carried beside it, minigrad, curriculum, benchmarks and tests: {own / MIB:.1f} MiB")
    return 0


def size_of(folder: Path) -> int:
    """Bytes of the files in it, but for what Python and Numba compiled."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _encoder(model: Path, out: Path) -> None:
    """The encoder with its weights in float16: 2 bytes instead of 4, and fine-tuning begins in float32 all the same."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save

    try:
        weights = load_file(model / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise Refused(f"{model}/model.safetensors cannot be read ({error}): give an encoder saved so.") from None
    halved = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    beyond = [name for name, value in halved.items() if not bool((value == value).all() and value.float().isfinite().all())]  # fmt: skip
    if beyond:
        raise Refused(f"{model}: {beyond[0]} holds numbers that float16 has not.")
    write(
        out / "model.safetensors", save({name: value.contiguous() for name, value in halved.items()}, {"format": "pt"})
    )
    for name in TOKENIZER:
        if (model / name).is_file():
            write(out / name, (model / name).read_bytes())


def _reviews(path: Path, room: int) -> tuple[bytes, int] | None:
    """An archive in the published layout of reviews drawn by a fixed seed, four fifths to train on, and how many they are.

    Every bit of it is the same for the same source and room.
    """
    import re

    parts: dict[str, list[tuple[str, bytes]]] = {"train": [], "test": []}
    wanted = re.compile(r"(?:\./)?aclImdb/(train|test)/(?:pos|neg)/[0-9]+_[0-9]+\.txt").fullmatch
    try:
        for name, match, content in archives.members(path, wanted):
            parts[match[1]].append((name.removeprefix("./"), content))
    except archives.DAMAGED as error:
        raise Refused(f"{path} is damaged or only half downloaded ({archives.why(error)}): fetch it again.") from None
    drawn = {
        part: [rows[i] for i in np.random.default_rng(0).permutation(len(rows)).tolist()]
        for part, rows in parts.items()
    }

    def archive(number: int) -> bytes:
        content = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=content, mode="wb", compresslevel=9, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as file,
        ):
            for part, share in (("train", 4 * number // 5), ("test", number - 4 * number // 5)):
                for name, text in sorted(drawn[part][:share]):
                    member = tarfile.TarInfo(name)
                    member.size = len(text)
                    file.addfile(member, io.BytesIO(text))
        return content.getvalue()

    most = min(5 * len(drawn["train"]) // 4, 5 * len(drawn["test"]), 25000)
    if most < 1 or room < 1000:
        return None
    number = most
    for _ in range(8):
        content = archive(number)
        if len(content) <= room:
            return (content, number) if number >= min(FEWEST, most) else None
        number = int(number * room / len(content) * 0.98)
        if number < 5:
            return None
    return None
