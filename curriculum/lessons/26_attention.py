# %% [markdown]
# # 26. Attention
#
# **How does a word find the other words that matter to it?**
#
# The mean of lesson 25 gives all words the same weight. In attention every word computes its own weights, from what
# the words are and where they stand.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Question, key, value
#
# Each word has three vectors, made by three linear layers: a query $q$ (what it looks for), a key $k$ (what it offers
# to be found by) and a value $v$ (what it hands over). Query and key are compared by their product, softmax makes
# weights of the products, and the values are mixed with these weights:
#
# $$ A = \text{softmax}\Bigl(\frac{Q K^\top}{\sqrt{d}}\Bigr), \qquad \text{output} = A\,V $$
#
# A product of two vectors of $d$ independent numbers of spread 1 has the spread $\sqrt d$. Without the division
# softmax would soon put all weight on one word, where its slope is almost 0.


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
# Swap two words, and their outputs are swapped and nothing else: the formula never asks where a word stands. So the
# place has to be put into the vectors. One way: waves of many lengths, from fast to slow,
#
# $$ P_{l,2i} = \sin\frac{l}{10000^{2i/d}}, \qquad P_{l,2i+1} = \cos\frac{l}{10000^{2i/d}} $$
#
# added to the words' vectors. The product $P_l \cdot P_{l'}$ depends on $l - l'$ alone, so a query can ask for
# "three places to the left".

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


waves = positions(50, 32)
plt = draw.pyplot()
fig, axes = plt.subplots(1, 2, figsize=(9.4, 3.4))
shown = axes[0].imshow(waves.numpy().T, cmap=draw.SIGNS, vmin=-1, vmax=1, aspect="auto")
axes[0].set(xlabel="place in the text", ylabel="number in the vector", title="positional encodings")
fig.colorbar(shown, ax=axes[0])
shown = axes[1].imshow((waves @ waves.T).numpy(), cmap="viridis")
axes[1].set(xlabel="place", ylabel="place", title="their products")
fig.colorbar(shown, ax=axes[1])
fig.tight_layout()
record.figure(fig, "26_positions")

products = (waves @ waves.T).numpy()
varies = max(np.ptp(np.diagonal(products, offset)) for offset in range(49))
record.claim("their products depend on the distance alone", f"vary by {varies:.0e}", varies < 1e-3)

# %% [markdown]
# ## Several heads
#
# One softmax looks mostly at one thing. So the vectors are cut into $h$ parts, each attends on its own, and a linear
# layer mixes what they found. `nn.MultiheadAttention` holds the four linear layers; we rebuild it from its weights:


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
# Ten random tokens come in, and the same ten are wanted in reverse. Place $l$ must look at place $9 - l$, whatever
# stands there. One attention layer of one head, with and without positional encodings:

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

ids = torch.randint(0, TOKENS, (500, LENGTH))
with torch.no_grad():
    logits, maps = model(ids)
    accuracy = (logits.argmax(dim=2) == ids.flip(1)).to(torch.float32).mean().item()
    logits, blind_maps = blind(ids)
    accuracy_blind = (logits.argmax(dim=2) == ids.flip(1)).to(torch.float32).mean().item()
record.claim("with positions at least 95 % of the tokens are right", f"{100 * accuracy:.1f} %", accuracy > 0.95)
record.claim("without them less than 40 %", f"{100 * accuracy_blind:.1f} %", accuracy_blind < 0.4)

fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.8))
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
# The trained layer on one text, as a page, with the tokens as letters at the sides of the map. Go to the softmax: every row of the
# map is what one token looks at. Backward, see which of the scores would be moved, and that each row of their gradient adds up to 0.


# %%
def one_text():
    tokens = ids[:1]
    logits, _ = model(tokens)
    return F.cross_entropy(logits.reshape(-1, TOKENS), tokens.flip(1).reshape(-1))


draw.backward(one_text, "26_backward", words=["abcdefghijkl"[token] for token in ids[0].tolist()])
# %% [markdown]
# The map of the trained layer is the other diagonal: the first place looks at the last, the second at the last but
# one. Nobody told it where to look. Without positions equal tokens must give equal outputs, wherever they stand, so the
# best it can do is to count which tokens occur at all and guess among them.
#
# ## To remember
#
# - softmax(Q Kᵀ / √d) V: compare, weigh, mix. Every word has weights of its own.
# - Attention has no order; positional encodings bring it in.
# - A mask sets scores to minus infinity before the softmax.
#
# ## Exercise
#
# `curriculum/exercises/26_attention.py`: write attention with a causal mask: no word may look ahead.
# Check it: `python -m curriculum check 26`.
#
# ## Further reading
#
# - D. Bahdanau, K. Cho, Y. Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*, ICLR 2015.
# - A. Vaswani et al., *Attention Is All You Need*, NIPS 2017.
# - In this repository: `minigrad/ops/attention.py`, `minigrad/nn/transformer.py`.
