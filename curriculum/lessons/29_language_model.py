# %% [markdown]
# # 29. A language model that writes
#
# **Can a network learn to write by guessing the next letter?**
#
# Every text is full of exercises with known solutions: what comes next? Nobody has to label anything. A model that
# gives each possible next letter a probability can write: draw a letter, append it, ask again.

# %%
import math

from curriculum import draw, record
from curriculum.data import tinyshakespeare
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## The text
#
# Here tokens are single characters: the vocabulary is small, and no word is unknown. The last tenth is held out.

# %%
text = tinyshakespeare()
characters = sorted(set(text))
numbers = {character: number for number, character in enumerate(characters)}
data = torch.tensor([numbers[character] for character in text])
cut = 9 * len(data) // 10
train, held_out = data[:cut], data[cut:]
print(f"{len(text):,} characters, {len(characters)} different ones")
print(text[:120])

CONTEXT, WIDTH = 32, 48


def batch(data, size):
    """Pieces of the text, and the same pieces one character later: at every place the next one is wanted."""
    starts = torch.randint(0, len(data) - CONTEXT - 1, (size,)).tolist()
    x = torch.stack([data[s : s + CONTEXT] for s in starts])
    y = torch.stack([data[s + 1 : s + CONTEXT + 1] for s in starts])
    return x, y


# %% [markdown]
# ## The model
#
# The blocks of lesson 27 with one change, the causal mask: a place sees itself and what came before it. So all 32
# places of a piece are 32 exercises at once, and none can peek at its solution:
#
# $$ p(\text{text}) = \prod_t p(c_t \mid c_1, \dots, c_{t-1}), \qquad L = -\frac1T \sum_t \log p(c_t \mid c_{<t}) $$


# %%
class Writer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(characters), WIDTH)
        self.places = nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))  # learned, instead of waves
        layer = nn.TransformerEncoderLayer(
            WIDTH, 4, dim_feedforward=4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.last = nn.Linear(WIDTH, len(characters))

    def forward(self, ids):
        length = ids.shape[1]
        ahead = torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)  # True: must not be seen
        return self.last(self.blocks(self.embedding(ids) + self.places[:length], mask=ahead))


model = Writer()
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")

x, y = batch(train, 2)
with torch.no_grad():
    other = x.clone()
    other[:, 20:] = (other[:, 20:] + 1) % len(characters)
    moved = (model(x) - model(other)).abs().amax(dim=(0, 2))
record.claim(
    "a change from place 20 on changes no answer before it", moved[:20].max().item(), moved[:20].max().item() < 1e-6
)


# %% [markdown]
# ## Writing
#
# The logits are divided by a temperature before softmax: below 1 the likely characters become likelier, above 1 the
# text becomes wilder.


# %%
def write(model, start, length, temperature=0.8):
    ids = torch.tensor([[numbers[character] for character in start]])
    with torch.no_grad():
        for _ in range(length):
            logits = model(ids[:, -CONTEXT:])[:, -1] / temperature
            ids = torch.cat([ids, torch.multinomial(torch.softmax(logits, dim=1), 1)], dim=1)
    return "".join(characters[number] for number in ids[0].tolist())


print("untrained:", repr(write(model, "The ", 60)))

# %% [markdown]
# ## Training

# %%
fixed = batch(held_out, 64)


def held_out_loss():
    with torch.no_grad():
        return F.cross_entropy(model(fixed[0]).flatten(0, 1), fixed[1].flatten()).item()


optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
curve = {"trained on": [], "held out": []}
samples = {}
for number in record.progress(range(240), "steps"):
    x, y = batch(train, 24)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    loss.backward()
    optimizer.step()
    record.step("writer", loss=loss.item(), model=model)
    curve["trained on"].append(loss.item())
    if number % 10 == 0:
        value = held_out_loss()
    curve["held out"].append(value)
    if number + 1 in (20, 80, 240):
        samples[number + 1] = write(model, "The ", 100)

for number, sample in samples.items():
    print(f"\nafter {number} steps:\n{sample}")
final = held_out_loss()
guessing = math.log(len(characters))
counts = torch.bincount(train, minlength=len(characters)).to(torch.get_default_dtype())
share = counts / counts.sum()
alone = -share[held_out].clamp(min=1e-9).log().mean().item()

fig = draw.curves(curve, "step", "cross-entropy per character", log=False)
ax = fig.axes[0]
ax.axhline(guessing, color=draw.GREY, linewidth=1, linestyle=":")
ax.axhline(alone, color=draw.GREY, linewidth=1, linestyle="--")
ax.text(240, guessing, "all equally likely", ha="right", va="bottom", fontsize=8)
ax.text(240, alone, "by the letters' frequency", ha="right", va="bottom", fontsize=8)
record.figure(fig, "29_losses")

print(f"held out: {final:.3f} a character; by frequency {alone:.3f}, guessing {guessing:.3f}")
record.claim(
    "on held-out text the model beats the letters' frequencies by at least 0.5 a character",
    f"{final:.3f} against {alone:.3f}",
    final < alone - 0.5,
)
print("\ntemperature 0.3:", write(model, "The ", 80, 0.3))
print("\ntemperature 1.5:", write(model, "The ", 80, 1.5))

# %% [markdown]
# First come letters in the right proportion, then word-like pieces, then words and line ends. A loss of $L$ means the
# model hesitates as among $e^L$ equally likely characters. It knows nothing of what it says: it continues. The models
# that converse are this one, larger by many orders, trained on much more text, and then specialised as in lesson 28.
#
# ## To remember
#
# - The next token is its own label.
# - The causal mask makes every place an exercise; check that the future does not leak.
# - Writing is drawing from softmax, again and again; the temperature sets how bold.
#
# ## Exercise
#
# `curriculum/exercises/29_language_model.py`: make the exercises from a text, and draw with a temperature.
# Check it: `python -m curriculum check 29`.
#
# ## Further reading
#
# - C. E. Shannon, *Prediction and Entropy of Printed English*, Bell System Technical Journal 30, 1951.
# - A. Radford et al., *Improving Language Understanding by Generative Pre-Training*, OpenAI, 2018.
# - A. Karpathy, *The Unreasonable Effectiveness of Recurrent Neural Networks*, 2015 (tinyshakespeare).
