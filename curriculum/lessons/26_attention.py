# %% [markdown]
# # 26. Attention
#
# **How does a word find the other words that matter to it?**
#
# The mean of lesson 25 gives all words the same weight, and so it cannot tell "not dull but clever" from "not clever
# but dull". In *attention* every word makes its own weights: it looks at all words of the text, decides how much each
# of them matters to it, and takes a mean of them by that measure. "Dull" can look for a "not", and "clever" need not.
#
# There is no new kind of arithmetic in it: three linear layers, two matrix products and a softmax (lesson 10). What is
# new is that the weights of the mean are computed from the text itself. We build it in three lines, find out what it
# cannot see, mend that, and then watch it read reviews.

# %%
import math
from collections import Counter

import numpy as np

from curriculum import corpus, draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Question, key, value
#
# Each word has three vectors, made from its own vector by three linear layers: a *query* $q$ (what it looks for), a
# *key* $k$ (what it can be found by) and a *value* $v$ (what it hands over when it is found). The picture behind the
# names is a library: the query is what you ask for, the keys are the labels on the shelves, the values are the books.
# Unlike in a library, every book comes along, a little of those whose label fits badly and much of those that fit well.
#
# How well a query fits a key is their product $q \cdot k$, the *score*. Softmax makes weights of a word's scores,
# positive and with sum 1, and the values are mixed with these weights. With the queries of all $L$ words as the rows of
# a matrix $Q$, likewise $K$ and $V$, and $d$ the length of a query:
#
# $$ A = \text{softmax}\Bigl(\frac{Q K^\top}{\sqrt{d}}\Bigr), \qquad \text{output} = A\,V $$
#
# Row $l$ of $A$, an $L \times L$ matrix, holds what word $l$ looks at. By hand, for one query, $d = 1$ and two words:
# scores $0$ and $\ln 3$ have the exponentials 1 and 3, so the weights are $1/4$ and $3/4$; with the values $8$ and $4$
# the output is $2 + 3 = 5$.
#
# Why $\sqrt d$? A product of two vectors of $d$ independent numbers of spread 1 has the spread $\sqrt d$ (measured
# below). With $d = 256$ scores of $\pm 16$ would be common, and softmax would put all its weight on one word, where its
# slope is almost 0 and nothing is learned.
#
# The mask of lesson 25 comes in before the softmax: padding gets the score minus infinity, and $e^{-\infty} = 0$. To
# set weights to 0 *after* the softmax would be wrong, since the rest would no longer have the sum 1.


# %%
def attention(q, k, v, mask=None):
    """q, k, v: (..., L, d). mask: True where a word may be looked at. The mixed values, and the weights (..., L, L)."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))  # e to the minus infinity is 0: no weight at all
    weights = torch.softmax(scores, dim=-1)
    return weights @ v, weights


q, k, v = torch.randn(3, 2, 5, 8).unbind(0)  # two texts of five words, d = 8
ours, weights = attention(q, k, v)
off = (ours - F.scaled_dot_product_attention(q, k, v)).abs().max().item()
record.claim("our three lines compute scaled_dot_product_attention", f"{off:.0e}", off < 1e-5)

seen = torch.tensor([True, True, True, False, False])  # the last two places are padding
masked, weights = attention(q, k, v, seen)
record.claim("masked words get no weight", weights[..., 3:].max().item(), weights[..., 3:].max().item() == 0)

products = torch.randn(2000, 256) * torch.randn(2000, 256)
spread = products.sum(dim=1).std().item()
record.claim("the product of 256 random numbers has spread near √256 = 16", f"{spread:.1f}", abs(spread - 16) < 1.5)

# %% [markdown]
# ## Attention knows no order
#
# Swap two words, and their outputs are swapped and nothing else: the formula never asks where a word stands. Weights of
# its own do not help a word that cannot know what stands beside it. So the place has to be put into the vectors.
#
# One way, a *positional encoding*, adds to the vector at place $l$ waves of many lengths, from fast to slow. With $d$
# the vector's width and $i = 0, 1, \dots, d/2 - 1$ the number of the wave:
#
# $$ P_{l,2i} = \sin\frac{l}{10000^{2i/d}}, \qquad P_{l,2i+1} = \cos\frac{l}{10000^{2i/d}} $$
#
# It works like the hands of a clock: the fast hand tells neighbours apart, the slow ones tell where in the text we are.
# Why not simply add the number $l$? At place 40 it would drown the word, and no place would resemble its neighbours.

# %%
order = torch.randperm(5)
shuffled, _ = attention(q[:, order], k[:, order], v[:, order])
off = (shuffled - ours[:, order]).abs().max().item()
record.claim("words in another order give the same outputs in that order", f"{off:.0e}", off < 1e-5)


def positions(length, width):
    place = torch.arange(length, dtype=torch.get_default_dtype()).unsqueeze(1)  # (L, 1)
    even = torch.arange(0, width, 2, dtype=torch.get_default_dtype())
    angle = place / 10000 ** (even / width)  # (L, width / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(length, width)


# %% [markdown]
# ## Left and right
#
# The product of two encodings, $P_l \cdot P_{l'} = \sum_i \cos\bigl((l - l')/10000^{2i/d}\bigr)$, depends on the
# distance alone. But the cosine is even: three places to the left and three to the right give the same product. By
# comparing places as they are, a word could not tell what stands before it from what stands after it.
#
# That is what the linear layers for query and key are for. To go $k$ places on is to turn each clock hand by a fixed
# angle, whatever the place; turning is a linear map $R_k$, a matrix, with $P_{l+k} = R_k P_l$. If the query layer turns
# by $-3$ and the key layer leaves the place alone, the product is largest three places to the *left*. Here the matrix
# is built by hand; a network has to learn something like it.


# %%
def turn(steps, width):
    """The matrix that makes the encoding of place l + steps from that of place l."""
    angle = steps / 10000 ** (torch.arange(0, width, 2, dtype=torch.get_default_dtype()) / width)
    matrix = torch.zeros(width, width)
    for i, a in enumerate(angle.tolist()):  # one hand of the clock: (sin, cos)
        matrix[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor(
            [[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]
        )
    return matrix


waves = positions(50, 32)
queries = waves @ turn(-3, 32).T
off = (queries[3:] - waves[:-3]).abs().max().item()
record.claim("turning by -3 makes of each place the one three to its left", f"{off:.0e} apart", off < 1e-5)
plain, turned = waves @ waves.T, queries @ waves.T
even = (plain - plain.T).abs().max().item()
record.claim("plain products cannot tell left from right", f"{even:.0e} apart", even < 1e-5)
left = (turned[3:].argmax(dim=1) - torch.arange(3, 50)).unique().tolist()
record.claim("with turned queries the largest product lies three to the left, everywhere", f"{left}", left == [-3])
varies = max(np.ptp(np.diagonal(plain.numpy(), offset)) for offset in range(49))
record.claim("plain products depend on the distance alone", f"vary by {varies:.0e}", varies < 1e-3)

plt = draw.pyplot()

# %%
fig, axes = plt.subplots(1, 3, figsize=(12, 3.3))
titles = ("positional encodings P", "products of places", "query turned by -3")
for ax, values, title in zip(axes, (waves.T, plain[:16, :16], turned[:16, :16]), titles, strict=True):
    most = values.abs().max().item()
    shown = ax.imshow(values.numpy(), cmap=draw.SIGNS, vmin=-most, vmax=most, aspect="auto")
    ax.set(title=title, xlabel="place looked at", ylabel="looking place")
    fig.colorbar(shown, ax=ax)
axes[0].set(xlabel="place in the text", ylabel="number in the vector")
fig.tight_layout()
record.figure(fig, "26_positions")

# %% [markdown]
# ## Several heads
#
# One softmax looks mostly at one thing. A word that needs two, the "not" before it and the noun that it judges, would
# have to mix them up. So the vectors are cut into $h$ parts, each part attends on its own (a *head*), and a linear
# layer mixes what the heads found. It costs no more than one head: the products are $h$ times as many and $h$ times as
# short. Common choices give a head 32 to 64 numbers.
#
# `nn.MultiheadAttention` holds the four linear layers; we rebuild it from its weights:


# %%
def heads(layer, x):
    batch, length, width = x.shape
    parts = F.linear(x, layer.in_proj_weight, layer.in_proj_bias)  # (B, L, 3 width)
    parts = parts.reshape(batch, length, 3, layer.num_heads, -1).permute(2, 0, 3, 1, 4)  # (3, B, heads, L, d)
    mixed, weights = attention(parts[0], parts[1], parts[2])
    return layer.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)), weights


layer = nn.MultiheadAttention(32, 4, batch_first=True)
x = torch.randn(2, 6, 32)
theirs, their_weights = layer(x, x, x, average_attn_weights=False)
ours, our_weights = heads(layer, x)
off = max((ours - theirs).abs().max().item(), (our_weights - their_weights).abs().max().item())
record.claim("four heads by hand are nn.MultiheadAttention", f"{off:.0e}", off < 1e-5)

# %% [markdown]
# ## A task that needs places
#
# Before words, a task where we know what the map must be. Ten random tokens come in, and the same ten are wanted in
# reverse. Place $l$ must look at place $9 - l$, whatever stands there. One attention layer of one head, with and
# without positional encodings:

# %%
LENGTH, TOKENS, WIDTH = 10, 12, 32


class Reverser(nn.Module):
    def __init__(self, with_positions):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.last = nn.Linear(WIDTH, TOKENS)
        self.places = positions(LENGTH, WIDTH) if with_positions else torch.zeros(LENGTH, WIDTH)

    def forward(self, ids):
        x = self.embedding(ids) + 2 * self.places  # twice: else the words outshout the places
        q, k, v = self.qkv(x).chunk(3, dim=2)
        mixed, weights = attention(q, k, v)
        return self.last(mixed), weights


# %%
def train(with_positions, name, steps=250):
    torch.manual_seed(seed)
    model = Reverser(with_positions)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in record.progress(range(steps), name):
        ids = torch.randint(0, TOKENS, (64, LENGTH))
        logits, _ = model(ids)
        optimizer.zero_grad()
        loss = F.cross_entropy(logits.reshape(-1, TOKENS), ids.flip(1).reshape(-1))
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), model=model)
        losses.append(loss.item())
    return model, losses


model, losses = train(True, "with positions")
blind, losses_blind = train(False, "without positions")
record.figure(draw.curves({"with positions": losses, "without": losses_blind}, "step", "cross-entropy"), "26_losses")

# %%
ids = torch.randint(0, TOKENS, (500, LENGTH))
with torch.no_grad():
    logits, maps = model(ids)
    accuracy = (logits.argmax(dim=2) == ids.flip(1)).to(torch.float32).mean().item()
    logits, blind_maps = blind(ids)
    accuracy_blind = (logits.argmax(dim=2) == ids.flip(1)).to(torch.float32).mean().item()
record.claim("with positions at least 95 % of the tokens are right", f"{100 * accuracy:.1f} %", accuracy > 0.95)
record.claim("without them less than 40 %", f"{100 * accuracy_blind:.1f} %", accuracy_blind < 0.4)

fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.8), gridspec_kw={"wspace": 0.35})
for ax, weights, title in zip(axes, (maps[0], blind_maps[0]), ("with positions", "without"), strict=True):
    shown = ax.imshow(weights.numpy(), cmap="viridis", vmin=0, vmax=1)
    ticks = [str(number) for number in ids[0].tolist()]
    ax.set(
        title=title, xlabel="token looked at", ylabel="looking token",
        xticks=range(LENGTH), xticklabels=ticks, yticks=range(LENGTH), yticklabels=ticks,
    )  # fmt: skip
fig.colorbar(shown, ax=axes, label="attention weight")
record.figure(fig, "26_maps")

# %% [markdown]
# The trained layer on one text, as a page, with the tokens as letters at the sides of the map. Go to the softmax: every
# row of the map is what one token looks at. Backward, see which of the scores would be moved, and that each row of
# their gradient adds up to 0.


# %%
def one_text():
    tokens = ids[:1]
    logits, _ = model(tokens)
    return F.cross_entropy(logits.reshape(-1, TOKENS), tokens.flip(1).reshape(-1))


draw.backward(one_text, "26_backward", words=["abcdefghijkl"[token] for token in ids[0].tolist()])
# %% [markdown]
# The map of the trained layer is the other diagonal: the first place looks at the last, the second at the last but one.
# Nobody told it where to look. Without positions equal tokens must give equal outputs, wherever they stand, so the best
# it can do is to count which tokens occur at all and guess among them.
#
# ## Attention reads reviews
#
# Now the turned reviews of lesson 25, on which the mean of the words gets exactly half: "not dull but clever", "clever
# rather than dull", "I expected it to be dull, and it was clever". The network is that mean with one layer of attention
# before it. Each word adds what it found to its own vector ($x + A V$), one hidden layer looks at the sum, and then
# comes the mean over the words, as before.
#
# We train it from three random starts, for reasons that the pictures will show.

# %%
record.data("2,400 short opinions, generated by the project's own grammar: no real reviews")
texts, labels = corpus.opinions(2000, 5)
test_texts, test_labels = corpus.opinions(400, 6)
counts = Counter(word for text in texts for word in text.split())
numbers = {word: number for number, (word, _) in enumerate(counts.most_common(), start=1)}  # 0 is the padding
LONGEST = max(len(text.split()) for text in texts)


def encode(texts):
    rows = [[numbers[word] for word in text.split()] for text in texts]
    return torch.tensor([row + [0] * (LONGEST - len(row)) for row in rows])


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(numbers) + 1, WIDTH, padding_idx=0)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.hidden = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, 2)
        self.places = positions(LONGEST, WIDTH)

    def forward(self, ids, allowed=True):
        seen = (ids != 0).unsqueeze(1)  # (B, 1, L)
        x = self.embedding(ids) + self.places
        mixed, weights = attention(*self.qkv(x).chunk(3, dim=2), seen & allowed)
        x = torch.relu(self.hidden(x + mixed))
        kept = seen.transpose(1, 2).to(x.dtype)
        return self.last((x * kept).sum(dim=1) / kept.sum(dim=1)), weights


# %%
x, y = encode(texts), torch.tensor(labels)
x_test, y_test = encode(test_texts), torch.tensor(test_labels)


def read(start, steps=200):
    torch.manual_seed(10 * seed + start)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    for number in range(steps):
        if number % 31 == 0:
            batches = torch.randperm(len(texts)).split(64)
        rows = batches[number % 31]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows])[0], y[rows])
        loss.backward()
        optimizer.step()
        record.step(f"reader {start}", loss=loss.item(), model=model)
    return model


def right(model, allowed=True):
    with torch.no_grad():
        return (model(x_test, allowed)[0].argmax(dim=1) == y_test).sum().item() / len(y_test)


readers = [read(start) for start in record.progress(range(3), "readers")]
reached = [right(model) for model in readers]
said = ", ".join(f"{100 * a:.1f} %" for a in reached)
record.claim("one layer of attention judges turned reviews that a bag of words cannot", said, min(reached) > 0.8)

# %% [markdown]
# ## Maps over words
#
# What does each word look at? A row of the map is a looking word, and the columns are the words looked at. We cover one
# review, for each of the three readers:

# %%
shown_text = "the story is not dull but clever ."
fig, axes = plt.subplots(1, 3, figsize=(12.5, 4.3), sharey=True)
tokens = shown_text.split()
for ax, model, score in zip(axes, readers, reached, strict=True):
    with torch.no_grad():
        _, weights = model(encode([shown_text]))
    image = ax.imshow(weights[0, : len(tokens), : len(tokens)].numpy(), cmap="viridis", vmin=0, vmax=1)
    ax.set(title=f"a reader that is {100 * score:.0f} % right", xlabel="word looked at",
           xticks=range(len(tokens)), yticks=range(len(tokens)), yticklabels=tokens)  # fmt: skip
    ax.set_xticklabels(tokens, rotation=60)
axes[0].set_ylabel("looking word")
fig.colorbar(image, ax=axes, label="attention weight", shrink=0.8)
record.figure(fig, "26_words")

# %% [markdown]
# Columns light up: nearly all words of the review look at one word, and it is one that tells, such as "not", "but" or a
# judging word. The word found hands over what it is *and* where it stands, since the place is part of its vector;
# "dull", which knows its own place, can then tell whether the "not" stands just before it. The readers do not agree on
# *which* word to look at, though all three judge well. The grammar leaves the choice: "not" and "but" tell the same.
#
# So be careful with such maps. They show where a model looked, not that it needed to. To know what it needs, take it
# away: forbid a look, with the mask, and measure again. We forbid three things in turn: to look at anything but
# oneself; to look at the small words that turn a judgement; and, as a control, to look at the nouns, such as "story".

# %%
SMALL = [
    "not",
    "but",
    "anything",
    "rather",
    "than",
    "far",
    "from",
    "expected",
    "to",
    "be",
    "and",
    "was",
    "is",
    "it",
    ",",
]
NOUNS = [word for part in corpus.PARTS for word in part.split()]


# %%
def without(words):
    """True where a word may look: at all but these; (B, 1, L)."""
    return ~(x_test.unsqueeze(2) == torch.tensor([numbers[word] for word in words])).any(dim=2).unsqueeze(1)


tell = torch.tensor([numbers[word] for word in (*SMALL, *corpus.GOOD, *corpus.BAD)])
telling = (x_test.unsqueeze(2) == tell).any(dim=2).unsqueeze(1)  # (B, 1, L)
with torch.no_grad():
    shares = [((model(x_test)[1] * telling).sum(dim=2)[x_test != 0]).mean().item() for model in readers]
record.claim("most attention goes to words that tell: small ones and judging ones", f"{100 * min(shares):.0f} % or more",
             min(shares) > 0.5)  # fmt: skip

cuts = {
    "nothing forbidden": torch.tensor(True),
    "no nouns": without(NOUNS),
    "no small words": without(SMALL),
    "only oneself": torch.eye(LONGEST, dtype=torch.bool),
}
lost = {name: [right(model, allowed) for model in readers] for name, allowed in cuts.items()}
for name, values in lost.items():
    print(f"{name:18}", "  ".join(f"{100 * value:5.1f} %" for value in values))
record.claim("without the nouns it reads nearly as well", f"{100 * np.mean(lost['no nouns']):.1f} %",
             np.mean(lost["no nouns"]) > np.mean(reached) - 0.08)  # fmt: skip
record.claim("without the small words at least 10 points are lost", f"{100 * np.mean(lost['no small words']):.1f} %",
             np.mean(lost["no small words"]) < np.mean(reached) - 0.1)  # fmt: skip
record.claim("who may look only at itself is as blind as a bag", f"{100 * np.mean(lost['only oneself']):.1f} %",
             np.mean(lost["only oneself"]) < 0.7)  # fmt: skip

# %% [markdown]
# That is evidence, as the map is not: nouns do not matter, and the small words do. Why is the rest more than 50 %? The
# two judging words may still look at one another, and in four of the six forms the denied one stands first. Who always
# believes the second word is right in 4 of 6 cases, 67 %.
#
# Change one thing: put `self.places = torch.zeros(LONGEST, WIDTH)` into `Reader` and run again. What accuracy do you
# expect?
#
# <details><summary>Answer</summary>
#
# About 50 %. Without places a word may look at all words and weigh them, but a review and its twin still hold the same
# words, so they get the same answer. Attention alone is a bag too, if a clever one.
#
# </details>
#
# What does it cost? The map has $L^2$ entries: a text twice as long takes four times the room and time. That is why
# models have a longest text. When attention does not learn, look at a map first: all rows equal means that scores are
# near 0 (a learning rate too small, or a query layer without gradient); a row on the padding means that the mask is
# missing.
#
# ## To remember
#
# - softmax(Q Kᵀ / √d) V: compare, weigh, mix. Every word has weights of its own.
# - Attention has no order; positional encodings bring it in, and the query's layer makes left and right of them.
# - A mask sets scores to minus infinity before the softmax.
# - A map shows where a model looks; what it needs is found out by taking it away.
#
# ## Exercises
#
# In `curriculum/exercises/26_attention.py`:
#
# 1. *Write it:* attention with a causal mask, in which no word may look ahead.
# 2. *Find the planted bug:* a function that cuts vectors into heads, with every shape right.
# 3. *Derive it:* the gradients of attention by Q, K and V.
#
# Check them: `python -m curriculum check 26`.
#
# ## Further reading
#
# - D. Bahdanau, K. Cho, Y. Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*, ICLR 2015.
# - A. Vaswani et al., *Attention Is All You Need*, NIPS 2017.
# - S. Jain, B. C. Wallace, *Attention is not Explanation*, NAACL 2019.
# - In this repository: `minigrad/ops/attention.py`, `minigrad/nn/transformer.py`.
