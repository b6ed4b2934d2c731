# %% [markdown]
# # 25. From text to numbers
#
# **How does a network that only multiplies and adds read a sentence?**
#
# It reads numbers. A text is cut into tokens, every token gets a number from a vocabulary, every number a vector that
# is learned. This lesson walks the way step by step, and meets the two places where mistakes hide: padding and masks.

# %%
import re
from collections import Counter

import numpy as np

from curriculum import draw, record
from curriculum.data import imdb
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

texts, labels, test_texts, test_labels = imdb(1200, 400)
print(texts[0])
print("favourable" if labels[0] else "not favourable")


# %% [markdown]
# ## Tokens
#
# Here a token is a word or a punctuation mark, in small letters. Larger models cut rare words into pieces, so that
# no word is unknown; the way from there on is the same.


# %%
def tokenize(text):
    return re.findall(r"[a-z]+(?:'[a-z]+)?|[.,!?]", text.lower())


print(tokenize("It isn't dull, is it?"))

# %% [markdown]
# ## The vocabulary
#
# The commonest tokens of the *training* texts get the numbers from 2 on. Number 0 is the padding, number 1 stands for
# every token that is not in the vocabulary.

# %%
PAD, UNKNOWN, SIZE = 0, 1, 2000
counts = Counter(token for text in texts for token in tokenize(text))
vocabulary = {token: number for number, (token, _) in enumerate(counts.most_common(SIZE - 2), start=2)}
words = {number: token for token, number in vocabulary.items()} | {PAD: "<pad>", UNKNOWN: "<unknown>"}
print(len(vocabulary) + 2, "numbers; the commonest:", list(vocabulary)[:8])


def encode(text, longest=40):
    return [vocabulary.get(token, UNKNOWN) for token in tokenize(text)][:longest]


numbers = encode("The story is not quixotic.")
print(numbers, "->", " ".join(words[number] for number in numbers))
record.claim("a word that no training text had becomes <unknown>", words[numbers[-2]], numbers[-2] == UNKNOWN)

# %% [markdown]
# ## Padding, and the mask
#
# A batch is one array, so all its rows have the length of the longest; the others are filled up with 0. The mask says
# where something stands.


# %%
def batch(texts):
    rows = [encode(text) for text in texts]
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])  # (B, L), whole numbers
    return ids, ids != PAD


ids, mask = batch(texts[:8])
fig, ax = draw.pyplot().subplots(figsize=(9, 2.6))
ax.imshow(np.where(mask.numpy(), 0.25, 0.0), cmap="Blues", vmin=0, vmax=1, aspect="auto")
for row in range(8):
    for column in range(min(ids.shape[1], 24)):
        number = ids[row, column].item()
        ax.text(column, row, words[number][:7] if number else "·", ha="center", va="center", fontsize=5.5)
ax.set(xlim=(-0.5, min(ids.shape[1], 24) - 0.5), xlabel="place", ylabel="text", yticks=range(8))
record.figure(fig, "25_batch")

# %% [markdown]
# ## The embedding
#
# A table with a row for every number of the vocabulary; looking up row $i$ is the same as multiplying the table with
# a one-hot vector. The slope therefore reaches only the rows that were looked up:
#
# $$ e_i = E^\top \text{onehot}(i), \qquad \frac{\partial L}{\partial E_i} = \sum_{\text{places with token } i}
#    \frac{\partial L}{\partial e} $$

# %%
table = nn.Embedding(SIZE, 4, padding_idx=PAD)
one_hot = F.one_hot(ids, SIZE).to(torch.get_default_dtype())
off = (table(ids) - one_hot @ table.weight).abs().max().item()
record.claim("looking up is multiplying with one-hot vectors", off, off < 1e-6)

table(ids).sum().backward()
touched = set(np.flatnonzero(table.weight.grad.abs().sum(dim=1).numpy()).tolist())
seen = set(ids.unique().tolist()) - {PAD}
record.claim(
    "only the rows that were looked up get a gradient, the padding none", f"{len(touched)} rows", touched == seen
)


# %% [markdown]
# ## A first classifier: the mean of the words
#
# $$ m = \frac{\sum_l \text{mask}_l\, e_l}{\sum_l \text{mask}_l}, \qquad z = w^\top m + b $$


# %%
class Mean(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.embedding = nn.Embedding(SIZE, width, padding_idx=PAD)
        self.last = nn.Linear(width, 1)

    def forward(self, ids, mask):
        e = self.embedding(ids)  # (B, L, width)
        m = mask.unsqueeze(2).to(e.dtype)  # (B, L, 1)
        mean = (e * m).sum(dim=1) / m.sum(dim=1)  # (B, width)
        return self.last(mean).squeeze(1)  # (B,)


model = Mean()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
y = torch.tensor(labels, dtype=torch.get_default_dtype())
curve = []
for _ in record.progress(range(8), "epochs"):
    for rows in torch.randperm(len(texts)).split(64):
        ids, mask = batch([texts[i] for i in rows.tolist()])
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(ids, mask), y[rows])
        loss.backward()
        optimizer.step()
        record.step("mean of words", loss=loss.item(), model=model)
        curve.append(loss.item())

with torch.no_grad():
    z = model(*batch(test_texts))
accuracy = ((z > 0).to(torch.int64) == torch.tensor(test_labels)).sum().item() / len(test_labels)
print(f"accuracy on {len(test_labels)} other reviews: {100 * accuracy:.1f} % (guessing: 50 %)")
record.claim("the mean of the words' vectors does better than guessing", f"{100 * accuracy:.1f} %", accuracy > 0.55)

# %% [markdown]
# ## What the mask is for
#
# The same review, alone and in a batch with a longer one. With the mask the answer is the same. Without it, dividing
# by the padded length, the answer depends on who else is in the batch:

# %%
with torch.no_grad():
    short = [texts[0]]
    ids, mask = batch(short)
    more = torch.cat([ids, torch.zeros(1, 30, dtype=torch.int64)], dim=1)
    alone, padded = model(ids, mask).item(), model(more, more != PAD).item()
    unmasked = model(more, torch.ones(more.shape, dtype=torch.bool)).item()
print(f"alone {alone:.4f}, padded with the mask {padded:.4f}, padded without {unmasked:.4f}")
record.claim("with the mask, padding changes nothing", f"{abs(alone - padded):.0e}", abs(alone - padded) < 1e-5)
record.claim("without it, padding changes the answer", f"{abs(alone - unmasked):.2f}", abs(alone - unmasked) > 0.01)

# %% [markdown]
# ## What the words weigh
#
# Since the model is linear in the words, each has a weight of its own, $w^\top e$: how far it pulls the mean.

# %%
with torch.no_grad():
    pull = (model.embedding.weight @ model.last.weight[0]).numpy()
common = [number for number in range(2, len(vocabulary) + 2) if counts[words[number]] >= 20]
ranked = sorted(common, key=lambda number: pull[number])
chosen = ranked[:10] + ranked[-10:]
fig, ax = draw.pyplot().subplots(figsize=(6, 4.6))
ax.barh(range(len(chosen)), pull[chosen], color=[draw.ORANGE if pull[n] < 0 else draw.BLUE for n in chosen])
ax.set(yticks=range(len(chosen)), yticklabels=[words[n] for n in chosen], xlabel="pull towards favourable")
record.figure(fig, "25_words")

with torch.no_grad():
    plain, turned = (model(*batch([text])).item() for text in ("the story is dull .", "the story is not dull ."))
print(f"the story is dull: {plain:+.2f}; the story is not dull: {turned:+.2f}")
with torch.no_grad():
    one, two = (model(*batch([t])).item() for t in ("not dull , clever .", "not clever , dull ."))
record.claim(
    "the mean cannot tell 'not dull, clever' from 'not clever, dull'", f"{abs(one - two):.0e}", abs(one - two) < 1e-5
)

# %% [markdown]
# The words that judge weigh most. But a mean has no order: "not dull, clever" and "not clever, dull" are the same
# bag of words. What "not" belongs to can only be known by words that look at one another; that is attention, the next
# lesson.
#
# ## To remember
#
# - Text, tokens, numbers, vectors; the vocabulary comes from the training texts.
# - Padding makes rows equally long, the mask keeps it from mattering. Test it: pad more, and nothing may change.
# - An embedding is a table; only the rows looked up learn.
#
# ## Exercise
#
# `curriculum/exercises/25_text.py`: write the vocabulary, the padded batch and the masked mean.
# Check it: `python -m curriculum check 25`.
#
# ## Further reading
#
# - Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, *A Neural Probabilistic Language Model*, JMLR 3, 2003.
# - R. Sennrich, B. Haddow, A. Birch, *Neural Machine Translation of Rare Words with Subword Units*, ACL 2016.
# - A. L. Maas et al., *Learning Word Vectors for Sentiment Analysis*, ACL 2011.
