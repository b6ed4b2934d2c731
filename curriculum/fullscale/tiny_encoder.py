"""Makes the tiny encoder of lesson 30, kept in curriculum/assets/tiny_encoder: `python -m curriculum.fullscale.tiny_encoder FOLDER`.

A DistilBERT of three narrow blocks, in the files in which transformers keeps one (config.json, tokenizer.json, model.safetensors, the
numbers in float16). It is pre-trained as BERT is, by guessing left-out words, on unlabelled reviews of the project's own grammar. Each
review ends by saying whether its writer liked the thing, so to guess that word is to understand what stands before it. Its weights begin
wider than BERT's (0.18 for 0.02): so narrow a network learns nothing from as small ones.
"""

import json
import random
import sys
from pathlib import Path

import torch
from torch import nn

from curriculum import corpus

from .transfer import own_tokenizer

LONGEST, WIDTH, HEADS, BLOCKS, HIDDEN, STEPS, BATCH = 24, 32, 4, 3, 64, 1000, 64
ENDS = ("hated", "liked")


def reviews(number: int, seed: int) -> list[str]:
    """Unlabelled reviews of films and hotels, plain and turned, with an end that says whether it was liked."""
    rng = random.Random(f"unlabelled {seed}")
    texts = []
    for thing in ("film", "hotel"):
        for forms in (corpus.PLAIN, corpus.TURNED, corpus.TURNED):
            some, labels = corpus.opinions(number // 6, rng.randrange(10**6), thing, forms, filler=0)
            texts += [f"{text} we {ENDS[label]} it ." for text, label in zip(some, labels, strict=True)]
    return texts


def make(folder: Path) -> None:
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    texts = reviews(12_000, 0)
    tokenizer = own_tokenizer(texts, 400, folder)
    file = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = file["model"]["vocab"]
    vocabulary["[MASK]"] = mask = len(vocabulary)
    (folder / "tokenizer.json").write_text(json.dumps(file, ensure_ascii=False), encoding="utf-8")
    size = len(vocabulary)
    config = DistilBertConfig(
        vocab_size=size, max_position_embeddings=LONGEST, dim=WIDTH, n_heads=HEADS, n_layers=BLOCKS, hidden_dim=HIDDEN,
        dropout=0.0, attention_dropout=0.0, initializer_range=0.18,
    )  # fmt: skip
    model = DistilBertForMaskedLM(config)
    ids = tokenizer(texts, padding="max_length", truncation=True, max_length=LONGEST, return_tensors="pt")["input_ids"]
    ends = torch.tensor([vocabulary[word] for word in ENDS])
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=STEPS, pct_start=0.1)
    for step in range(STEPS):
        rows = ids[torch.randint(0, len(ids), (BATCH,))]
        chance = torch.where(torch.isin(rows, ends), 0.9, 0.1)
        hidden = (torch.rand(rows.shape) < chance) & (rows > 3)
        logits = model(rows.masked_fill(hidden, mask), attention_mask=rows != 0).logits
        loss = nn.functional.cross_entropy(logits[hidden], rows[hidden])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 49:
            end = hidden & torch.isin(rows, ends)
            right = (logits[end].argmax(dim=1) == rows[end]).float().mean().item()
            print(f"step {step + 1}: loss {loss.item():.3f}, the end guessed right {100 * right:.0f} %", flush=True)
    model.half().save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
