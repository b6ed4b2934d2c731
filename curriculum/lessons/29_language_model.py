# %% [markdown]
# # 29. A language model that writes
#
# **Can a network learn to write by guessing the next letter?**
#
# Every text is full of exercises with known solutions: what comes next? Nobody has to label anything, so there is as
# much to learn from as there is text in the world. A *language model* answers with a probability for each possible next
# token. Such a model can also write: draw a token by these probabilities, append it, ask again.
#
# Lesson 27's network reads a text and judges it. This one has nearly the same parts and one change, the causal mask.
# The models that people talk with are of this kind, larger by many orders. Here is a small one whose every step can be
# watched, trained in seconds on short sentences about animals (or on Shakespeare, if you gave a data folder).

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
# Here tokens are single characters: the vocabulary is small, and no word is unknown (lesson 25 weighs the choices). The
# last tenth of the text is held out. It is not drawn at random: a held-out sentence amid its neighbours would be half
# known.
#
# The model sees at most `CONTEXT` characters at a time, its *context*. Whatever lies further back does not exist for
# it. Longer contexts allow longer thoughts and cost more, the attention maps with the square of the length.

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
# The block of lesson 27 with one change, the *causal mask*: a place sees itself and what came before it, never what
# comes after. So all 32 places of a piece are 32 exercises at once, and none can peek at its solution. Without the mask
# the model would learn to copy its right neighbour, reach a loss of 0, and write nonsense, since in writing there is no
# right neighbour yet.
#
# Write $c_t$ for the character at place $t$ and $c_{<t}$ for all before it. The probability of a whole text is the
# product of those of its characters, each given what came before, and the loss $L$ is the mean of their negative
# logarithms over the $T$ places, the cross-entropy of lesson 10:
#
# $$ p(\text{text}) = \prod_t p(c_t \mid c_{<t}), \qquad L = -\frac1T \sum_t \log p(c_t \mid c_{<t}) $$
#
# By hand: if the model gives the three characters of "owl" the probabilities $0.5$, $0.1$ and $0.2$, the text has
# $0.5 \cdot 0.1 \cdot 0.2 = 0.01$, and the loss is $(0.69 + 2.30 + 1.61)/3 = 1.54$ a character.
#
# $e^L$ is called the *perplexity*: a model with loss $L$ is as uncertain as if it had to choose among $e^L$ equally
# likely characters. Here $e^{1.54} = 4.6$.


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
# To write is to draw: a character by its probability, not always the likeliest, or the text runs in circles. How bold
# the drawing is can be set. The logits are divided by a *temperature* before softmax: below 1 the likely characters
# become likelier, above 1 the unlikely ones gain and the text becomes wilder. Logits $2$ and $0$ give the probabilities
# $0.88$ and $0.12$; at temperature $0.5$ they are as $4$ and $0$, $0.98$ and $0.02$; at $2$ as $1$ and $0$, $0.73$ and
# $0.27$.
#
# Training does not know of the temperature. It belongs to the writing alone, and a model need not be trained again to
# write more carefully.


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
# ## Two rivals
#
# A loss means little without something to hold it against. Two models need no network at all. The first knows how often
# each character occurs. The second, a *bigram* table, knows how often each follows each: it looks one character back.
# Both are counted on the training text and judged on the held-out one.

# %%
size = len(characters)
ones = torch.ones(len(train) - 1)
pairs = torch.zeros(size * size).index_add(0, train[:-1] * size + train[1:], ones).reshape(size, size) + 0.01
frequency = torch.bincount(train, minlength=size).to(torch.get_default_dtype()) + 0.01
guessing = math.log(size)
alone = -(frequency / frequency.sum())[held_out].log().mean().item()
bigram = -(pairs / pairs.sum(dim=1, keepdim=True))[held_out[:-1], held_out[1:]].log().mean().item()
for name, value in (("all equally likely", guessing), ("by frequency", alone), ("one character back", bigram)):
    print(f"{name:20} loss {value:.3f}, perplexity {math.exp(value):5.1f}")

# %% [markdown]
# ## Training
#
# Lesson 8's loop again. Each step draws 24 pieces from anywhere in the text. What to look for in the curve: it should
# begin near the loss of guessing, $\ln$ of the number of characters (lesson 31: the first loss), fall quickly to that
# of the frequencies, and then more slowly below the bigram's. If it sticks at the frequencies, the blocks do nothing,
# and a mask or a place is wrong. If the two curves part, the text is too short for the model.

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

# %%
fig = draw.curves(curve, "step", "cross-entropy per character", log=False)
ax = fig.axes[0]
for height, name, style in (
    (guessing, "all equally likely", ":"),
    (alone, "by frequency", "--"),
    (bigram, "one character back", "-."),
):
    ax.axhline(height, color=draw.GREY, linewidth=1, linestyle=style)
    ax.text(120, height, name, ha="center", va="bottom", fontsize=8)
record.figure(fig, "29_losses")

print(f"held out: {final:.3f} a character; by frequency {alone:.3f}, guessing {guessing:.3f}")
record.claim(
    "on held-out text the model beats the letters' frequencies by at least 0.5 a character",
    f"{final:.3f} against {alone:.3f}",
    final < alone - 0.5,
)
record.claim("and the bigram table too", f"{final:.3f} against {bigram:.3f}", final < bigram)
print("\ntemperature 0.3:", write(model, "The ", 80, 0.3))
print("\ntemperature 1.5:", write(model, "The ", 80, 1.5))

# %% [markdown]
# ## What it would say next
#
# The same question, what follows, at three temperatures. The logits are those of one forward pass; only the division
# differs.

# %%
start = text[: text.index(" ", 4) + 3]
with torch.no_grad():
    logits = model(torch.tensor([[numbers[c] for c in start]]))[0, -1]
likely = logits.topk(8).indices
fig, axes = draw.pyplot().subplots(1, 3, figsize=(9.6, 2.7), sharey=True)
for ax, temperature in zip(axes, (0.3, 1.0, 2.0), strict=True):
    ax.bar(range(8), torch.softmax(logits / temperature, dim=0)[likely].numpy(), color=draw.BLUE)
    ax.set(
        title=f"temperature {temperature}",
        xticks=range(8),
        xticklabels=[repr(characters[n])[1:-1] for n in likely.tolist()],
    )
axes[0].set(ylabel="probability")
fig.suptitle(f"what follows {start!r}")
fig.tight_layout()
record.figure(fig, "29_next")
entropies = []
for temperature in (0.3, 1.0, 2.0):
    p = torch.softmax(logits / temperature, dim=0)
    entropies.append(-(p * p.clamp(min=1e-30).log()).sum().item())
record.claim("the higher the temperature, the more evenly the probability is spread (entropy)",
             ", ".join(f"{e:.2f}" for e in entropies), entropies[0] < entropies[1] < entropies[2])  # fmt: skip

# %% [markdown]
# Read the samples from the top. First come letters in the right proportion, then word-like pieces, then words and line
# ends. The loss falls in the same order: what is commonest is learned first, since it is worth most.
#
# The model knows nothing of what it says: it continues. That it continues sensibly where sense is what usually follows
# is all there is to it, and in large models that turns out to be a great deal. The models that converse are this one,
# larger, trained on much more text, and then specialised as in lesson 28, on conversations.
#
# Change one thing: in `Writer.forward` leave out `mask=ahead` and run again. Before that, say what happens to the loss,
# and what to the samples.
#
# <details><summary>Answer</summary>
#
# The claim on the future fails at once. The training loss falls far below anything honest, as each place sees its
# answer one place to the right. The samples are nonsense: at the last place, the only one that counts in writing, there
# is nothing to copy. A loss that is too good is a symptom (lesson 31).
#
# </details>
#
# ## How to choose
#
# - **Context**: as long as what must be remembered, a sentence here.
# - **Temperature**: 0.7 to 1 for prose; near 0 where there is one right answer; above 1 hardly ever.
# - **Size**: grow the model while the held-out loss falls with it. When only the training loss falls, get more text.
#
# ## To remember
#
# - The next token is its own label.
# - The causal mask makes every place an exercise; check that the future does not leak.
# - Hold the loss against what counting alone reaches; $e^L$ is the number of choices it hesitates among.
# - Writing is drawing from softmax, again and again; the temperature sets how bold.
#
# ## Exercises
#
# In `curriculum/exercises/29_language_model.py`:
#
# 1. *Write it:* make the exercises from a text, and draw with a temperature.
# 2. *Find the planted bug:* the perplexity of a text.
# 3. *Change one thing:* draw among the likeliest tokens only.
#
# Check them: `python -m curriculum check 29`.
#
# ## Further reading
#
# - C. E. Shannon, *Prediction and Entropy of Printed English*, Bell System Technical Journal 30, 1951.
# - A. Radford et al., *Improving Language Understanding by Generative Pre-Training*, OpenAI, 2018.
# - A. Karpathy, *The Unreasonable Effectiveness of Recurrent Neural Networks*, 2015 (tinyshakespeare).
