"""Lesson 30's encoder and tokens against transformers' own, on the tiny model of the course."""

import json
from pathlib import Path

import numpy as np
import pytest

from curriculum import catalog, data

TINY = catalog.HERE / "assets" / "tiny_encoder"
TEXTS = [
    "The story is not dull but clever.",
    "unfilmed, likeable scriptwriting",
    "far from rude , the staff is friendly .",
]


def defined_by_lesson_30() -> dict:
    """What the lesson's cells define, down to the model with its weights."""
    found = {}
    for cell in catalog.cells(catalog.find("30").path.read_text(encoding="utf-8")):
        if cell.kind == "code":
            exec(compile(cell.text, "30_pretrained.py", "exec"), found)
            if "model" in found and "batch" in found:
                return found
    raise AssertionError("the lesson defines no model")


def test_the_encoder_is_that_of_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    monkeypatch.delenv("MINIGRAD_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)  # pictures and notes of the lesson go there
    lesson = defined_by_lesson_30()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(TINY / "tokenizer.json"))
    for text in TEXTS:
        assert lesson["encode"](text) == tokenizer(text)["input_ids"]
    ids = lesson["batch"](TEXTS)
    stages, maps = lesson["model"](ids)
    theirs = transformers.DistilBertModel.from_pretrained(TINY, attn_implementation="eager").float().eval()
    given = torch.tensor(ids.tolist())
    with torch.no_grad():
        out = theirs(given, attention_mask=given != 0, output_hidden_states=True, output_attentions=True)
    kept = ids.numpy() != 0
    for ours, wanted in zip(stages, out.hidden_states, strict=True):
        np.testing.assert_allclose(ours.detach().numpy()[kept], wanted.numpy()[kept], atol=2e-5)
    for ours, wanted in zip(maps, out.attentions, strict=True):
        np.testing.assert_allclose(
            ours.detach().numpy().swapaxes(1, 2)[kept], wanted.numpy().swapaxes(1, 2)[kept], atol=2e-5
        )


def test_the_tiny_encoder_stays_tiny() -> None:
    assert sum(path.stat().st_size for path in TINY.iterdir()) <= 200_000
    assert json.loads((TINY / "config.json").read_text(encoding="utf-8"))["model_type"] == "distilbert"


def test_a_model_that_is_not_there_gets_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name, said in (
        (str(tmp_path), "config.json is missing"),
        (str(tmp_path / "absent"), "there is no such folder"),
    ):
        monkeypatch.setenv("MINIGRAD_MODEL", name)
        with pytest.raises(SystemExit) as error:
            data.pretrained()
        assert said in str(error.value)
        assert "\n" not in str(error.value)
