"""Full scale, training: what fits together, numbers that end, several processes, fine-tuning, resuming with more epochs."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported: no test waits for a network

from safetensors.torch import load_file, save_file

from curriculum import corpus
from curriculum.fullscale import (
    checkpoint,
    distilbert_imdb,
    encoders,
    finetune,
    loop,
    mnist_cnn,
    settings,
    tokens,
    transfer,
)
from curriculum.fullscale.__main__ import main
from curriculum.fullscale.errors import Refused
from curriculum.fullscale.folder import Folder

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
ROOT = Path(__file__).parent.parent
TINY = ["mnist-cnn", "--data", "embedded", "--limit", "160", "--epochs", "2", "--batch-size", "32", "--width", "4"]
REVIEWS = ["distilbert-imdb", "--data", "embedded", "--limit", "64", "--test-limit", "32", "--epochs", "2", "--batch-size", "16", "--max-length", "24", "--lr", "3e-3"]  # fmt: skip


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DistilBERT of two narrow layers with random weights, and a tokenizer, as transformers saves them."""
    from transformers import DistilBertConfig, DistilBertModel

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = transfer.own_tokenizer(corpus.reviews(200, 0)[0], 300, folder)
    sizes = {"vocab_size": len(tokenizer), "dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2}
    DistilBertModel(DistilBertConfig(**sizes, max_position_embeddings=64, pad_token_id=0)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def copied(encoder: Path, folder: Path, change=lambda weights: weights) -> Path:
    shutil.copytree(encoder, folder)
    weights = change(load_file(folder / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def rows_of(folder: Path) -> list[dict]:
    return [strict(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def strict(text: str) -> dict:
    """JSON as its standard has it: no NaN, no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in rows_of(folder) if "loss" in row]


# -- what fits together


def other_sizes(weights: dict) -> dict:
    return weights | {"embeddings.word_embeddings.weight": torch.zeros(20, 16)}


def a_nan(weights: dict) -> dict:
    weights["transformer.layer.0.ffn.lin1.bias"][0] = math.nan
    return weights


def another_layer(weights: dict) -> dict:
    return weights | {k.replace(".1.", ".2."): v.clone() for k, v in weights.items() if "layer.1" in k}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda w: {f"net.{k}": v for k, v in w.items()}, "none of the encoder's 36 weights is in the file"),
        (lambda w: {f"bert.encoder.{k[12:]}": v for k, v in w.items()}, "none of the encoder's 36 weights"),
        (lambda w: {k: v for k, v in w.items() if "layer.1" not in k}, "16 of the encoder's weights are missing"),
        (lambda w: {k: v for k, v in w.items() if k != "embeddings.LayerNorm.bias"}, "1 of the encoder's weights"),
        (another_layer, "16 that config.json leaves no place for"),
        (other_sizes, "has the shape (20, 16), config.json wants"),
        (a_nan, "layer.0.ffn.lin1.bias holds NaN"),
    ],
    ids=["names", "architecture", "layer", "one", "more", "sizes", "nan"],
)
def test_weights_that_do_not_fit_are_refused(encoder: Path, tmp_path: Path, change, line: str) -> None:
    folder = copied(encoder, tmp_path / "model", change)
    with pytest.raises(Refused) as refused:
        encoders.encoder(folder, ["negative", "positive"])
    assert line in str(refused.value)
    assert str(folder) in str(refused.value)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_known_prefixes_are_left_out_with_a_word(encoder: Path, tmp_path: Path, prefix: str, capsys) -> None:
    folder = copied(encoder, tmp_path / "model", lambda w: {prefix + k: v for k, v in w.items()})
    made = encoders.encoder(folder, ["negative", "positive"])
    wanted = load_file(encoder / "model.safetensors")
    assert all(torch.equal(made.distilbert.state_dict()[name], value) for name, value in wanted.items())
    assert f"begin with {prefix}" in capsys.readouterr().out


def test_a_head_for_other_classes_is_replaced_and_a_run_s_own_must_be_there(
    encoder: Path, tmp_path: Path, capsys
) -> None:
    made = encoders.encoder(encoder, ["a", "b", "c"])
    encoders.save(made, tokens.tokenizer_of(str(encoder)), tmp_path / "three")
    assert encoders.encoder(tmp_path / "three", ["a", "b", "c"], trained=True).config.num_labels == 3
    with pytest.raises(Refused, match="config.json wants"):
        encoders.encoder(tmp_path / "three", ["a", "b"], trained=True)
    with pytest.raises(Refused, match="are missing"):
        encoders.encoder(encoder, ["a", "b"], trained=True)
    assert encoders.encoder(tmp_path / "three", ["a", "b"]).config.num_labels == 2
    assert "a fresh one for 2" in capsys.readouterr().out


def no_tokenizer(folder: Path, size: int) -> None:
    for path in folder.glob("*token*"):
        path.unlink()


def large_tokenizer(folder: Path, size: int) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["vocab"]["beyond"] = size
    path.write_text(json.dumps(content), encoding="utf-8")


def foreign_tokenizer(folder: Path, size: int) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}
    content["model"]["vocab"] = {
        k if k in special else f"\u4e00{i}": i for i, k in enumerate(content["model"]["vocab"])
    }
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (no_tokenizer, "tokenizer knows 0 of"),
        (large_tokenizer, "its tokenizer has numbers up to"),
        (foreign_tokenizer, "or it is of another language"),
    ],
)
def test_a_tokenizer_that_does_not_fit_is_refused(encoder: Path, tmp_path: Path, change, line: str, capsys) -> None:
    folder = copied(encoder, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    change(folder, config["vocab_size"])
    assert main([*REVIEWS, "--model", str(folder), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


SIZES = {"vocab_size": 60, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 34}  # fmt: skip


@pytest.mark.parametrize("name", ["Bert", "Roberta", "Electra", "MPNet", "DebertaV2", "Albert"])
def test_any_encoder_of_transformers_is_taken(name: str, tmp_path: Path) -> None:
    """With sdpa where it has it, else eager; its layers are found; of 34 positions RoBERTa's kin use 32."""
    import transformers

    kind = {"MPNet": "MPNet"}.get(name, name)
    config = getattr(transformers, f"{kind}Config")(**SIZES, pad_token_id=1)
    getattr(transformers, f"{kind}Model")(config).save_pretrained(tmp_path)
    model = encoders.encoder(tmp_path, ["a", "b"]).eval()
    by_layer = finetune.layers(model)
    assert list(by_layer) == ["embeddings", *("01" if name != "Albert" else "0"), "head"]
    assert sorted(p for names in by_layer.values() for p in names) == sorted(p for p, _ in model.named_parameters())
    assert all(by_layer.values())
    longest = encoders.longest(model)
    assert longest == (32 if name in ("Roberta", "MPNet") else 34)
    ids = torch.randint(2, 60, (1, longest))
    assert model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.shape == (1, 2)


# -- numbers that end


@pytest.mark.parametrize("command", ["mnist-cnn", "resnet18", "distilbert-imdb"])
def test_a_training_that_becomes_nan_stops_and_says_why(command: str, encoder: Path, tmp_path: Path, capsys) -> None:
    given = {
        "mnist-cnn": TINY,
        "resnet18": ["resnet18", *TINY[1:]],
        "distilbert-imdb": [*REVIEWS, "--model", str(encoder)],
    }
    out = tmp_path / "run"
    assert main([*given[command], "--lr", "1e30", "--out", str(out)]) == 3
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("Step ")
    assert "--lr 1e+29" in said or "learning rate" in said
    assert not (out / "results.json").exists()
    assert rows_of(out)
    for path in out.rglob("*.json"):
        strict(path.read_text(encoding="utf-8"))
    found = checkpoint.load(out)
    if found is not None:
        assert f"weights after step {found[0]['step']} are saved" in said
        assert all(value.isfinite().all() for value in found[0]["model"].values())


def test_weights_that_begin_with_nan_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    build = mnist_cnn.build

    def broken(*given):
        made = build(*given)
        with torch.no_grad():
            made.head[0].weight[0, 0] = math.nan
        return made

    monkeypatch.setattr(mnist_cnn, "build", broken)
    assert main([*TINY, "--out", str(tmp_path / "run")]) == 3
    assert "The weights that it began with are not finite (network.head.0.weight)" in capsys.readouterr().err


# -- fp16 and bf16


def plain_settings(out: Path, **changed) -> settings.Settings:
    return settings.Settings(
        **{
            "command": "test", "device": "cpu", "precision": "fp32", "compile": False, "batch_size": 8, "accumulate": 1, "epochs": 3,
            "lr": 0.1, "seed": 0, "out": out, "resume": False, "overwrite": False, "limit": None, "data": "embedded", "data_dir": None,
            "save_every": 100, "options": {},
        } | changed
    )  # fmt: skip


@pytest.mark.parametrize("fused", [True, False])
def test_a_skipped_first_step_leaves_nothing_behind(
    fused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """fp16 skips steps whose gradients overflow; what follows is what would have been without them, and they are reported."""
    x, y = torch.randn(8, 4), torch.randn(8, 1)
    empty_like = torch.empty_like
    monkeypatch.setattr(
        torch, "empty_like", lambda *a, **k: empty_like(*a, **k).fill_(1e6)
    )  # memory of which nobody knows

    def trained(name: str, overflows: int) -> tuple[loop.Result, torch.Tensor]:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=fused)
        steps = iter(range(100))

        def loss(m, made):
            summed = (m(made[0]).float() - made[1]).square().sum()
            return summed * 1e38 * 1e3 if next(steps) < overflows else summed

        job = loop.Job(
            model,
            optimizer,
            8,
            lambda chosen, part, r: (x, y),
            loss,
            lambda m: {"validation_loss": 0.0},
            lambda done: 1.0,
        )
        given = plain_settings(tmp_path / name, precision="fp16", epochs=3 + overflows)
        result, _ = loop.train(job, given, Folder(given))
        return result, torch.cat([p.detach().reshape(-1) for p in model.parameters()])

    result, weights = trained("one", 1)
    assert result.skipped_steps == result.facts()["skipped_steps"] == 1
    assert "1 of 4 steps were skipped" in capsys.readouterr().out
    torch.testing.assert_close(weights, trained("none", 0)[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((6, 1), "fp32"), ((7, 0), "fp16"), ((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")],
)
def test_bf16_is_chosen_where_the_card_has_it(capability, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    assert settings.best_precision("cuda:0") == precision
    assert settings.best_precision("cpu") == "fp32"


# -- several processes


def test_processes_compute_what_one_does(tmp_path: Path) -> None:
    """1, 2, 3 and 4, over the remainders of epoch and batch, with batch norm and micro-batches: no hang, no abort."""
    which = "all" if DEEP else "short"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).with_name("processes.py")), str(tmp_path / "work"), which]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False, timeout=3000 if DEEP else 300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["failed"] == [], done.stderr[-2000:]
    for number, case in enumerate(found["cases"]):
        one = found["losses"]["1"][number]
        assert len(one) > 2
        for world in "234":
            other = found["losses"][world][number]
            assert len(other) == len(one)
            assert max(abs(a - b) for a, b in zip(one, other, strict=True)) < 1e-6, (case, world)


def test_no_batch_holds_a_few_texts_where_others_hold_many() -> None:
    for count in (1, 2, 799, 800, 801, 802, 1601, 2403):
        made = tokens.Tokens(np.zeros(5 * count, np.int32), np.arange(0, 5 * count + 1, 5))
        sizes = [len(batch) for batch in tokens.by_length(made, np.arange(count), 16, 0)(0)]
        assert sum(sizes) == count
        assert max(sizes) <= 16
        assert min(sizes) >= min(count, 8)


def test_a_run_is_resumed_on_any_card(tmp_path: Path) -> None:
    kinds = [plain_settings(tmp_path, device=device).comparable() for device in ("cuda:0", "cuda:1", "cuda")]
    assert kinds[0] == kinds[1] == kinds[2] != plain_settings(tmp_path).comparable()


def test_processes_do_not_share_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert (
        settings.choose_device("cuda") == settings.choose_device("auto") == settings.choose_device("cuda:1") == "cuda:1"
    )
    with pytest.raises(Refused, match="would put 2 processes on one card"):
        settings.choose_device("cuda:0")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_shared_batch_norm_sums_in_float32_at_least(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against one process's own, on values far from 0, of which bf16 could not keep the sums and E[x²] - E[x]² not the variance."""
    from curriculum.fullscale import distributed

    x = (100 + torch.randn(64, 3, 8, 8)).to(dtype)
    own, shared = torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3)
    wanted = own(x.float())
    monkeypatch.setattr(distributed, "processes", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda value: value)
    distributed.share_batch_norm(shared, "cpu", some_idle=False)
    assert type(shared) is distributed.SharedBatchNorm
    found = shared(x)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), wanted, rtol=0, atol=0.04 if dtype == torch.bfloat16 else 1e-4)
    torch.testing.assert_close(shared.running_mean, own.running_mean)
    torch.testing.assert_close(shared.running_var, own.running_var, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        shared(torch.ones(1, 3, 1, 1))


# -- stopping and going on


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_save_as_ctrl_c_does(name: str, tmp_path: Path) -> None:
    number = getattr(signal, name, None)
    if number is None or sys.platform == "win32":
        pytest.skip("the system has no such signal")
    given = plain_settings(tmp_path / "run", epochs=1000)
    model = torch.nn.Linear(2, 1)
    steps = iter(range(10000))

    def batch(chosen, part, randomness):
        if next(steps) == 5:
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        return torch.ones(8, 2)

    job = loop.Job(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        16,
        batch,
        lambda m, x: m(x).square().sum(),
        lambda m: {"validation_loss": 0.0},
    )
    with pytest.raises(loop.Stopped, match="all is saved") as stopped:
        loop.train(job, given, Folder(given))
    assert stopped.value.status == 128 + number
    found = checkpoint.load(tmp_path / "run")
    assert found is not None
    assert found[0]["step"] == 6


def test_a_finished_run_goes_on_with_more_epochs_and_keeps_one_checkpoint(tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    assert main([*TINY, "--out", str(out)]) == 0
    before = losses(out)
    assert [path.name for path in out.glob("checkpoint*")] == ["checkpoint.pt"]
    longer = [*TINY, "--epochs", "4", "--resume", "--out", str(out)]
    assert main(longer) == 0
    assert losses(out)[: len(before)] == before
    assert len(losses(out)) == 2 * len(before)
    rates = [row["lr"] for row in rows_of(out) if "lr" in row]
    assert max(rates[len(before) :]) > 10 * rates[len(before) - 1]  # it rises and falls once more
    assert main([*TINY, "--resume", "--out", str(out)]) == 2
    assert "epochs 4 then, 2 now" in capsys.readouterr().err
    assert main([*longer, "--drop-checkpoint"]) == 0
    assert not list(out.glob("checkpoint*"))
    assert main(longer) == 2
    assert "has ended, without its checkpoint" in capsys.readouterr().err


# -- fine-tuning


def arguments(**changed) -> SimpleNamespace:
    plain = {
        "freeze": "",
        "freeze_embeddings": False,
        "gradual": None,
        "layer_decay": 1.0,
        "lora": None,
        "checkpointing": False,
    }
    return SimpleNamespace(**plain | changed)


def learning(model: torch.nn.Module) -> set[str]:
    by_layer = finetune.layers(model)
    return {name for name, names in by_layer.items() if all(model.get_parameter(p).requires_grad for p in names)}


@pytest.mark.parametrize(
    ("freeze", "learns"),
    [
        ("", {"embeddings", "0", "1", "head"}),
        ("embeddings,0", {"1", "head"}),
        ("0-1", {"embeddings", "head"}),
        ("all", {"head"}),
    ],
)
def test_layers_are_frozen_by_name(freeze: str, learns: set[str], encoder: Path) -> None:
    model = encoders.encoder(encoder, ["a", "b"])
    model, groups, _ = finetune.prepared(
        model, arguments(freeze=freeze, layer_decay=1.0 if freeze == "all" else 0.999), 1.0
    )
    assert learning(model) == learns
    assert sum(len(group["params"]) for group in groups) == sum(p.requires_grad for p in model.parameters())
    for wrong in ("2", "1-5", "head", "middle"):
        with pytest.raises(Refused, match="there are embeddings, the blocks 0-1, and all"):
            finetune.prepared(model, arguments(freeze=wrong), 1.0)


def test_layers_thaw_from_the_head_down_with_rates_of_their_own(encoder: Path) -> None:
    model = encoders.encoder(encoder, ["a", "b"])
    model, groups, before_epoch = finetune.prepared(
        model, arguments(gradual=1, freeze_embeddings=True, layer_decay=0.5), 1.0
    )
    seen = []
    for epoch in range(4):
        before_epoch(epoch)
        seen.append(learning(model))
    assert seen == [{"head"}, {"1", "head"}, {"0", "1", "head"}, {"0", "1", "head"}]
    by_layer = finetune.layers(model)
    for name, rate in {"head": 1.0, "1": 0.5, "0": 0.25}.items():
        own = {id(model.get_parameter(p)) for p in by_layer[name]}
        assert {group["lr"] for group in groups for p in group["params"] if id(p) in own} == {rate}


def test_a_run_with_all_of_it_is_resumed_to_the_bit(encoder: Path, tmp_path: Path) -> None:
    given = [
        *REVIEWS,
        "--model",
        str(encoder),
        "--gradual",
        "1",
        "--layer-decay",
        "0.9",
        "--checkpointing",
        "--evaluate-every",
        "3",
    ]
    given += ["--epochs", "3", "--save-every", "2"]
    assert main([*given, "--out", str(tmp_path / "whole")]) == 0
    step = loop._step
    count = iter(range(1000))

    def dies(*a):
        if next(count) == 7:
            raise KeyboardInterrupt
        return step(*a)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_step", dies)
        assert main([*given, "--out", str(tmp_path / "killed")]) == 130
    assert main([*given, "--out", str(tmp_path / "killed"), "--resume"]) == 0
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    one, two = ((tmp_path / n / "encoder" / "model.safetensors").read_bytes() for n in ("whole", "killed"))
    assert one == two
    assert not (tmp_path / "whole" / "model.safetensors").exists()  # once is enough


def test_checkpointing_changes_no_number(encoder: Path) -> None:
    found = []
    for again in (False, True):
        torch.manual_seed(1)
        model, _, _ = finetune.prepared(
            encoders.encoder(encoder, ["a", "b"]).train(), arguments(checkpointing=again), 1.0
        )
        with torch.no_grad():
            for p in model.classifier.parameters():
                p.fill_(0.1)
        torch.manual_seed(1)
        ids = torch.arange(1, 21).reshape(2, 10)
        model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.square().sum().backward()
        found.append(model.distilbert.embeddings.word_embeddings.weight.grad)
    assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    assert found[0].any()
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


def test_lora_trains_a_tenth_and_leaves_a_model_that_needs_no_peft(encoder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert main([*REVIEWS, "--model", str(encoder), "--lora", "2", "--patience", "3", "--out", str(out)]) == 0
    results = strict((out / "results.json").read_text(encoding="utf-8"))
    assert results["trained_parameters"] < results["parameters"]
    assert (out / "adapter" / "adapter_model.safetensors").exists()
    mask = os.umask(0)
    os.umask(mask)
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*.safetensors")} == {0o666 & ~mask}
    model = encoders.encoder(out / "encoder", ["negative", "positive"], trained=True)
    assert sum(p.numel() for p in model.parameters()) == results["parameters"]
    wrong = {"classes": ["negative", "positive"], "trained": True, "sha256": "0" * 64}
    with pytest.raises(Refused, match="some bytes have changed"):
        encoders.encoder(out / "encoder", **wrong)
    encoders.encoder(out / "encoder", **wrong | {"sha256": results["model_sha256"]})
    before = load_file(encoder / "model.safetensors")["transformer.layer.0.ffn.lin1.weight"]
    assert not torch.equal(model.distilbert.transformer.layer[0].ffn.lin1.weight, before)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--lora", "2", "--gradual", "1"], "--lora freezes the encoder"),
        (["--layer-decay", "0"], "above 0 and at most 1"),
        (["--freeze", "7"], "there are embeddings"),
        (["--lora", "0"], "--lora 0"),
        (["--evaluate-every", "0"], "--evaluate-every 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--lr", "inf"], "--lr inf"),
        (["--max-length", "65"], "reads at most 64"),
    ],
)
def test_bad_input_gets_one_line(given: list[str], line: str, encoder: Path, tmp_path: Path, capsys) -> None:
    assert main([*REVIEWS, "--model", str(encoder), *given, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert len(said.strip().splitlines()) == 1


def test_the_options_are_in_the_help(capsys) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    distilbert_imdb.add_arguments(parser)
    said = parser.format_help()
    for option in (
        "--freeze",
        "--gradual",
        "--layer-decay",
        "--lora",
        "--checkpointing",
        "--patience",
        "--evaluate-every",
        "--drop-checkpoint",
    ):
        assert option in said
