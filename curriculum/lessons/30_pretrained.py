# %% [markdown]
# # 30. A real pretrained model
#
# **What is inside a pretrained model, and what is it worth when you have only a few labelled texts?**
#
# Lessons 25 to 29 built every part of a language model. Models that people use are made of the same parts, only larger,
# and somebody has trained them already. They come as a folder of files. This lesson opens such a folder and reads it to
# the end: the words, the weights, the blocks, the attention, and what its answers are good for.
#
# The architecture is *DistilBERT* (2019), an encoder of six blocks with 66 million parameters, distilled from the
# larger BERT: trained to give the answers that BERT gives. Reading its weights takes no library but this engine.
#
# Which model? The course brings a **tiny** one of the same architecture: three blocks, 32 numbers a word, pre-trained
# in a few minutes on the grammar of lesson 25. It knows no real English, but it is built, stored and read exactly as
# the real ones. For a real one set `MINIGRAD_MODEL` to a folder or a hub name, such as `distilbert-base-uncased`, and
# run the lesson again; every cell works the same.

# %%
import json
import math
import re

import numpy as np

from curriculum import corpus, draw, record
from curriculum.data import pretrained
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

folder, tiny = pretrained()
config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
for name in ("vocab_size", "dim", "n_layers", "n_heads", "hidden_dim", "max_position_embeddings", "activation"):
    print(f"{name:24} {config[name]}")

# %% [markdown]
# ## Three files
#
# `config.json` holds the sizes: how many tokens the vocabulary has, how wide a word's vector is (`dim`), how many
# blocks and heads, the width of the small network in a block (`hidden_dim`), and the longest text. `tokenizer.json`
# holds the vocabulary. `model.safetensors` holds the weights.
#
# ## Subword tokens
#
# Lesson 25 had one number for all words that it did not know. Real text is full of them: names, misspellings,
# "unputdownable". *Subword* tokens end that. Common words stay whole; rare ones are put together from pieces, and in
# the worst case from single letters. So the vocabulary is finite, and hardly anything is unknown. A piece that
# continues a word is written with `##` in front: "films" may be `film ##s`.
#
# *WordPiece*, the scheme of BERT, cuts a word greedily: take the longest piece of the vocabulary that the word begins
# with, then the longest that the rest begins with, and so on. If at some place no piece fits, the whole word becomes
# `[UNK]`. By hand, with the vocabulary `un`, `##fun`, `##f`, `##ny`, `##n`, `##y`: the word "unfunny" begins with `un`;
# of the rest "funny" the longest beginning is `##fun`, not `##f`; of the rest "ny" it is `##ny`. Three tokens:
# `un ##fun ##ny`.
#
# Which pieces are in the vocabulary was decided before the training, by counting which neighbours occur together most
# often in a large text and joining them, again and again. The first exercise does that.

# %%
vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
pieces = {number: piece for piece, number in vocabulary.items()}
PAD, UNKNOWN, CLS, SEP, MASK = (vocabulary[f"[{name}]"] for name in ("PAD", "UNK", "CLS", "SEP", "MASK"))


def wordpiece(word):
    """The numbers of a word's pieces, the longest that fits first."""
    numbers, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return [UNKNOWN]
        numbers.append(vocabulary[piece])
        start = end
    return numbers


def encode(text, longest=64):
    """[CLS], the pieces of the text, [SEP]. Words stay words, each punctuation mark is one, [MASK] is kept."""
    words = re.findall(r"\[MASK\]|\w+|[^\w\s]", text)
    found = [n for word in words for n in ([MASK] if word == "[MASK]" else wordpiece(word.lower()))]
    return [CLS, *found[: min(longest, config["max_position_embeddings"]) - 2], SEP]


for text in ("The story is not dull.", "unfilmed, likeable scriptwriting", "the acting is overwarm"):
    print(f"{text:36}", " ".join(pieces[number] for number in encode(text)))
glued = "".join(pieces[number].removeprefix("##") for number in wordpiece("scriptwriting"))
record.claim("a word's pieces, put together, are the word", glued, glued == "scriptwriting")
record.claim(
    "a sign that no text had becomes [UNK]",
    " ".join(pieces[n] for n in wordpiece("\u2603")),
    wordpiece("\u2603") == [UNKNOWN],
)

# %% [markdown]
# `[CLS]` and `[SEP]` frame every text; the model has never seen one without. `[MASK]` stands for a word that was left
# out. We need it soon.
#
# ## The weights
#
# A safetensors file is eight bytes that say how long the header is, the header, which is JSON and says for each tensor
# its type, shape and place, and then nothing but numbers. That is all, and it is why the format can be trusted: unlike
# a pickle it cannot run a program when it is opened.


# %%
def read_safetensors(path):
    """{name: tensor of the default dtype} of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    kinds = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] in kinds:
            first, last = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[first:last], kinds[entry["dtype"]]).reshape(entry["shape"])
            found[name.removeprefix("distilbert.")] = torch.tensor(values.astype(np.float64)).to(
                torch.get_default_dtype()
            )
    return found


weights = read_safetensors(folder / "model.safetensors")
for name, value in list(weights.items())[:6]:
    print(f"{name:48} {tuple(value.shape)}")
print(f"... {len(weights)} tensors, {sum(v.numel() for v in weights.values()):,} numbers")

# %% [markdown]
# ## The architecture, written down
#
# Names and order are those of the file, so that the weights find their places. Compared with lesson 27 three things
# differ:
#
# - The places are **learned**, a second embedding table with a row for each place, instead of waves. Hence a longest
#   text.
# - The normalization comes **after** each sum, $x \leftarrow \text{LN}(x + \text{Attention}(x))$, not before the part.
#   Older models do it so; training them needs a slow start.
# - The small network uses **GELU** instead of ReLU (lesson 13): a ReLU with a rounded corner.


# %%
class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_lin, self.k_lin, self.v_lin, self.out_lin = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x, seen):
        batch, length, dim = x.shape
        q, k, v = (
            lin(x).reshape(batch, length, self.heads, -1).transpose(1, 2)
            for lin in (self.q_lin, self.k_lin, self.v_lin)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(dim // self.heads)
        maps = torch.softmax(scores.masked_fill(~seen[:, None, None], float("-inf")), dim=3)
        return self.out_lin((maps @ v).transpose(1, 2).reshape(batch, length, dim)), maps


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.attention = Attention(dim, heads)
        self.sa_layer_norm = nn.LayerNorm(dim, eps=1e-12)
        self.ffn = nn.ModuleDict({"lin1": nn.Linear(dim, hidden), "lin2": nn.Linear(hidden, dim)})
        self.output_layer_norm = nn.LayerNorm(dim, eps=1e-12)

    def forward(self, x, seen):
        found, maps = self.attention(x, seen)
        x = self.sa_layer_norm(x + found)
        return self.output_layer_norm(x + self.ffn["lin2"](F.gelu(self.ffn["lin1"](x)))), maps


# %%
class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        dim = config["dim"]
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(config["vocab_size"], dim, padding_idx=PAD),
            "position_embeddings": nn.Embedding(config["max_position_embeddings"], dim),
            "LayerNorm": nn.LayerNorm(dim, eps=1e-12),
        })  # fmt: skip
        blocks = [Block(dim, config["n_heads"], config["hidden_dim"]) for _ in range(config["n_layers"])]
        self.transformer = nn.ModuleDict({"layer": nn.ModuleList(blocks)})

    def forward(self, ids):
        """ids (B, L): each stage's vectors, the embeddings first, each (B, L, dim); each block's maps (B, heads, L, L)."""
        seen = ids != PAD
        x = self.embeddings["word_embeddings"](ids)
        x = self.embeddings["LayerNorm"](x + self.embeddings["position_embeddings"](torch.arange(ids.shape[1])))
        stages, maps = [x], []
        for block in self.transformer["layer"]:
            x, map_ = block(x, seen)
            stages.append(x)
            maps.append(map_)
        return stages, maps


# %%
model = Encoder(config)
own = model.state_dict()
record.claim(
    "every weight of the encoder is in the file, with its shape", f"{len(own)} tensors",
    all(name in weights and weights[name].shape == tensor.shape for name, tensor in own.items()),
)  # fmt: skip
model.load_state_dict({name: weights[name] for name in own})
model.eval()

# %% [markdown]
# ## Counting its parameters
#
# With vocabulary $V$, width $D$, longest text $P$, hidden width $H$ and $N$ blocks. A linear layer from $n$ to $m$ has
# $m(n + 1)$ parameters (lesson 7), a normalization $2D$:
#
# $$ \underbrace{(V + P)D + 2D}_{\text{embeddings}} \; + \; N\,\bigl(\underbrace{4D(D+1)}_{\text{attention}} + \underbrace{H(D+1) + D(H+1)}_{\text{small network}} + \underbrace{4D}_{\text{two LN}}\bigr) $$
#
# Put DistilBERT's sizes in, $V = 30522$, $D = 768$, $P = 512$, $H = 3072$, $N = 6$: the embeddings have 23.8 million,
# each block 7.1 million, all together 66,362,880. More than a third of it is the table of words.


# %%
def count(c):
    """(embeddings, attention of a block, small network of a block, normalizations of a block)."""
    d, h = c["dim"], c["hidden_dim"]
    embeddings = (c["vocab_size"] + c["max_position_embeddings"]) * d + 2 * d
    return embeddings, 4 * d * (d + 1), h * (d + 1) + d * (h + 1), 4 * d


def total(c):
    first, *block = count(c)
    return first + c["n_layers"] * sum(block)


distilbert = {"vocab_size": 30522, "dim": 768, "max_position_embeddings": 512, "hidden_dim": 3072, "n_layers": 6}
counted = sum(p.numel() for p in model.parameters())
record.claim("the formula counts this model", f"{total(config):,}", total(config) == counted)
record.claim("and gives DistilBERT's 66,362,880", f"{total(distilbert):,}", total(distilbert) == 66_362_880)

fig, axes = draw.pyplot().subplots(1, 2, figsize=(9.5, 2.6))
for ax, sizes, title in zip(axes, (config, distilbert), ("this model", "distilbert-base-uncased"), strict=True):
    first, attention, network, norms = count(sizes)
    shares = [first, sizes["n_layers"] * attention, sizes["n_layers"] * network, sizes["n_layers"] * norms]
    ax.barh(range(4), [100 * s / total(sizes) for s in shares], color=draw.BLUE)
    ax.set(title=f"{title}: {total(sizes):,}", xlabel="% of the parameters", yticks=range(4),
           yticklabels=["embeddings", "attention", "small networks", "normalizations"])  # fmt: skip
    ax.invert_yaxis()
fig.tight_layout()
record.figure(fig, "30_parameters")

# %% [markdown]
# ## Layer by layer
#
# What do blocks do to a word? In the table "dull" has one vector, in every text. After the blocks it has one *for this
# text*: a **contextual** vector. We take "dull" from a review where it is denied and one where it is meant, at the same
# place, and see how alike the two are after each stage. The measure is the cosine $a \cdot b / (|a||b|)$, 1 for the
# same direction.


# %%
def batch(texts):
    rows = [encode(text) for text in texts]
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def alike(one, two, place):
    """The cosine of the vectors at this place of two texts, after each stage."""
    with torch.no_grad():
        stages, _ = model(batch([one, two]))
    return [F.cosine_similarity(s[0, place], s[1, place], dim=0).item() for s in stages]


denied, meant = "the story is not dull but clever .", "the camera work is dull , not clever ."
pairs = {"denied and meant": alike(denied, meant, 5), "meant twice": alike(meant, meant.replace("clever", "warm"), 5)}
fig, ax = draw.pyplot().subplots(figsize=(5.6, 3.2))
for (name, values), color in zip(pairs.items(), (draw.ORANGE, draw.BLUE), strict=True):
    ax.plot(range(len(values)), values, "o-", color=color, label=name)
ax.set(xlabel="stage (0: embeddings)", ylabel="cosine of two 'dull'", xticks=range(len(values)))
ax.legend(frameon=False)
record.figure(fig, "30_layers")
record.claim("the table gives 'dull' one vector, in both texts", f"{pairs['denied and meant'][0]:.4f}",
             pairs["denied and meant"][0] > 0.9999)  # fmt: skip
gaps = np.subtract(pairs["meant twice"], pairs["denied and meant"])
stage = int(gaps.argmax())
record.claim(
    "after a block a denied 'dull' and a meant one are less alike than two meant ones",
    f"{pairs['denied and meant'][stage]:.2f} against {pairs['meant twice'][stage]:.2f} at stage {stage}", gaps[stage] > 0.02,
)  # fmt: skip

# %% [markdown]
# At stage 0 the curves begin together, at 1: one row of the table. Then the denied "dull" leaves the other. In the tiny
# model the second block does it. In a real one that we tried, MiniLM with six blocks and 384 numbers a word, the first
# block does it; the two lie furthest apart after the third, 0.95 against 0.99, and after the sixth both are at 0.93. So
# the last block is not always the one to read from.
#
# ## What it was trained to do
#
# Nobody labelled anything. Of each text some words were replaced by `[MASK]`, and the model had to guess them. To guess
# well one must understand nearly everything: grammar, opposites, what "not" does. The guess is made by a small head
# that ends in the word table itself, used backward: the vector at the mask is compared with every word's. Some files
# hold that head and some do not.


# %%
def guesses(text, most=4):
    """The likeliest words for [MASK], with their probabilities."""
    ids = batch([text])
    with torch.no_grad():
        h = model(ids)[0][-1][ids == MASK]
        h = F.gelu(F.linear(h, weights["vocab_transform.weight"], weights["vocab_transform.bias"]))
        h = F.layer_norm(h, h.shape[-1:], weights["vocab_layer_norm.weight"], weights["vocab_layer_norm.bias"], 1e-12)
        logits = F.linear(h, weights["embeddings.word_embeddings.weight"], weights["vocab_projector.bias"])
        chances, numbers = torch.softmax(logits[0], dim=0).topk(most)
    return {pieces[n]: c for n, c in zip(numbers.tolist(), chances.tolist(), strict=True)}


if "vocab_projector.bias" in weights:
    for text in (
        "the story is not dull but [MASK] .",
        "the story is not [MASK] but dull .",
        "the acting is clever , not dull . we [MASK] it .",
        "the acting is dull , not clever . we [MASK] it .",
    ):
        print(f"{text:52}", ", ".join(f"{word} {chance:.2f}" for word, chance in guesses(text).items()))  # fmt: skip
if tiny:
    good, bad = (
        guesses(f"the acting is {words} . we [MASK] it .") for words in ("clever , not dull", "dull , not clever")
    )
    record.claim("what is said of a good film and of a bad one is guessed from the order of the words",
                 f"{max(good, key=good.get)}, {max(bad, key=bad.get)}",
                 max(good, key=good.get) == "liked" and max(bad, key=bad.get) == "hated")  # fmt: skip

# %% [markdown]
# ## Where it looks
#
# Its attention on a review: a map for each block and head. Look for columns (a word that everybody looks at, often
# `[SEP]` or `[CLS]`, where a head goes that has nothing to do), for diagonals (a neighbour, left or right), and for
# single bright spots, a word that has found another.

# %%
shown_text = "the story is not dull but clever ."
ids = batch([shown_text])
with torch.no_grad():
    _, maps = model(ids)
tokens = [pieces[number] for number in ids[0].tolist()]
chosen, heads = [0, len(maps) // 2, len(maps) - 1], min(4, config["n_heads"])
fig, axes = draw.pyplot().subplots(
    len(chosen), heads, figsize=(2.7 * heads, 2.6 * len(chosen)), sharex=True, sharey=True
)
for row, number in enumerate(chosen):
    for head in range(heads):
        ax = axes[row, head]
        ax.imshow(maps[number][0, head].numpy(), cmap="viridis", vmin=0, vmax=1)
        ax.set_title(f"block {number + 1}, head {head + 1}", fontsize=8)
        ax.set_xticks(range(len(tokens)), tokens, rotation=90, fontsize=7)
        ax.set_yticks(range(len(tokens)), tokens, fontsize=7)
fig.tight_layout()
record.figure(fig, "30_attention")
sums = max((m.sum(dim=3) - 1).abs().max().item() for m in maps)
record.claim("every row of every map has the sum 1", f"off by {sums:.0e}", sums < 1e-4)

# %% [markdown]
# One review may be an accident. Take many of the same form, "the story is not dull but clever", with other words, and
# ask of every head: how much of its attention does the word that is meant, "clever", give to "not"? The cell finds the
# head that gives most, and draws its map for one review, and a dot for each review: the weight that the *meant* word
# gives to "not", to "but", and to the word that is denied.

# %%
NOT, DENIED, BUT, MEANT = 4, 5, 6, 7  # places: [CLS] the story is not dull but clever . [SEP]
goods, bads = ([word for word in words if len(wordpiece(word)) == 1][:6] for words in (corpus.GOOD, corpus.BAD))
turned = [
    f"the {part} is not {denied} but {meant} ."
    for part in ("story", "music", "acting")
    for good in goods
    for bad in bads
    for denied, meant in ((good, bad), (bad, good))
]
with torch.no_grad():
    _, maps = model(batch(turned))
to_not = torch.stack([m[:, :, MEANT, NOT].mean(dim=0) for m in maps])  # (blocks, heads), a mean over the reviews
number, head = divmod(to_not.argmax().item(), to_not.shape[1])
found = maps[number][:, head]  # (reviews, L, L)
weights_of = {name: found[:, MEANT, place].numpy() for name, place in (("not", NOT), ("but", BUT), ("denied", DENIED))}
tokens = [pieces[n] for n in batch(turned[:1])[0].tolist()]
record.figure(draw.looks(found[0].numpy(), tokens, MEANT, weights_of), "30_not")
print(f"block {number + 1}, head {head + 1}: the meant word gives 'not' {weights_of['not'].mean():.2f} on average")
most = (found[:, MEANT].argmax(dim=1) == NOT).to(found.dtype).mean().item()
if tiny:
    record.claim(f"in one head the meant word looks at 'not' more than at anything else, in each of {len(turned)} reviews",
                 f"{100 * most:.0f} %, weight {weights_of['not'].mean():.2f} on average", most == 1 and weights_of["not"].mean() > 0.7)  # fmt: skip

# %% [markdown]
# So this head has learned the turn of phrase: whoever says "not ... but" means what comes last, and to know it the last
# word must look back at "not", over the two words between. Nobody told it. In the other order, "clever, not dull",
# another head does the work. In MiniLM it is simpler: a head of its first block looks at the word before, whatever that
# is (the bright diagonal in the picture above), and so "dull" finds "not". A map shows where a head looks, not what it
# does with what it finds; lesson 26 takes words away to learn that.

# %% [markdown]
# ## What it is worth: few labelled reviews
#
# Now the use. We have a few labelled reviews and want a classifier. The encoder stays frozen. Each review goes through
# it once, its words' last vectors are averaged (with the mask), and these *features* are kept. On them a single linear
# layer is trained, a *head*: logistic regression (lesson 9), done in a moment.
#
# Are the features good, or would any do? Compare with the same network **before** training: random weights, same sizes.
# They are no silly rival, since random features with a trained head can do much. Sixteen to 256 reviews, each size
# three times with another draw from the same 256. (The largest draw is always all of them, so its spread is 0.)

# %%
record.data("656 short opinions, generated by the project's own grammar: no real reviews")
texts, labels = corpus.opinions(656, 30, filler=0)
y = torch.tensor(labels, dtype=torch.get_default_dtype())


def features(encoder):
    ids = batch(texts)
    with torch.no_grad():
        h = torch.cat([encoder(part)[0][-1] for part in ids.split(64)])
    kept = (ids != PAD).unsqueeze(2).to(h.dtype)
    f = (h * kept).sum(dim=1) / kept.sum(dim=1)
    return (f - f.mean(dim=0)) / (f.std(dim=0) + 1e-6)


def head(f, rows, name):
    """A linear layer trained on these rows of features: the share of the last 400 reviews it judges right."""
    torch.manual_seed(seed)
    layer = nn.Linear(f.shape[1], 1)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.03, weight_decay=0.3)
    for _ in range(120):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(layer(f[rows]).squeeze(1), y[rows])
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), model=layer)
    with torch.no_grad():
        return ((layer(f[-400:]).squeeze(1) > 0) == (y[-400:] > 0.5)).sum().item() / 400


# %%
torch.manual_seed(seed)
bodies = {"pretrained": features(model), "random": features(Encoder(config).eval())}
sizes = (16, 64, 256)
found = {name: np.zeros((3, 3)) for name in bodies}
for start in record.progress(range(3), "heads"):
    order = torch.randperm(256, generator=torch.Generator().manual_seed(start))
    for name, f in bodies.items():
        for column, size in enumerate(sizes):
            found[name][start, column] = head(f, order[:size], f"{name}, {size}, {start}")

# %%
fig, ax = draw.pyplot().subplots(figsize=(5.6, 3.4))
for (name, values), color in zip(found.items(), (draw.BLUE, draw.GREY), strict=True):
    ax.errorbar(
        sizes, 100 * values.mean(axis=0), 100 * values.std(axis=0, ddof=1), fmt="o-", color=color, capsize=3, label=name
    )
    print(f"{name:11}", "  ".join(f"{s}: {100 * m:.1f} ± {100 * d:.1f} %" for s, m, d in
                                  zip(sizes, values.mean(axis=0), values.std(axis=0, ddof=1), strict=True)))  # fmt: skip
ax.axhline(50, color="black", linewidth=1, linestyle=":")
ax.set(
    xscale="log",
    xticks=sizes,
    xticklabels=sizes,
    xlabel="labelled reviews",
    ylabel="accuracy on others, %",
    ylim=(40, 102),
)
ax.minorticks_off()
ax.legend(frameon=False)
record.figure(fig, "30_features")
gain = found["pretrained"][:, 1].mean() - found["random"][:, 1].mean()
spread = max(values[:, 1].std(ddof=1) for values in found.values())
if tiny:
    record.claim("with 64 reviews pretrained features beat random ones by more than three times the spread",
                 f"{100 * gain:.1f} points, spread {100 * spread:.1f}", gain > 3 * spread)  # fmt: skip
    record.claim("with 64 reviews they are right at least 8 times in 10", f"{100 * found['pretrained'][:, 1].mean():.1f} %",
                 found["pretrained"][:, 1].mean() > 0.8)  # fmt: skip

# %% [markdown]
# Sixty-four labelled reviews and a linear layer: lesson 27's transformer had thirty times as many and a training of its
# own. What was lent here is a reading of the sentence, learned from texts that nobody labelled.
#
# A word of caution. The tiny encoder has read the very grammar that it is judged on, and its texts end, as reviews do,
# with "we liked it" or "we hated it". Nobody labelled them, yet to guess that word is nearly the task. So its lead is
# larger than you will see in life. Real encoders lend less per text, and on everything. With `MINIGRAD_MODEL` set, look
# at what a real one makes of these turned reviews: averages of its last vectors are a good guide to what a text is
# *about*, and a poorer one to what is denied in it.
#
# Change one thing: in `features` take `encoder(part)[0][0]`, the embeddings, in place of `[0][-1]`. What do you expect
# for the pretrained model?
#
# <details><summary>Answer</summary>
#
# About 50 %. Stage 0 is a bag of words with places, on which these reviews cannot be told apart by a linear layer
# (lesson 25). What the head uses is made by the blocks.
#
# </details>
#
# ## When would I use it?
#
# For text, nearly always before training anything of your own. Frozen features and a head first, since it takes
# minutes; then fine-tune the upper blocks or all of them with a small learning rate, as lesson 28 describes.
# `python -m curriculum.fullscale distilbert-imdb --model FOLDER-OR-NAME` does that at full size. If a pretrained model
# does badly, look at its tokens first: a text that falls into single letters is one that it has hardly ever seen.
#
# ## To remember
#
# - A pretrained model is three files: sizes, vocabulary, weights. You can read them all.
# - Subword tokens: common words whole, rare ones in pieces, hardly anything unknown.
# - Blocks make of a word's one vector a vector for this text.
# - Compute frozen features once, and train a head on them; compare with random weights.
#
# ## Exercises
#
# In `curriculum/exercises/30_pretrained.py`:
#
# 1. *Write it:* learn a vocabulary of pieces by joining the commonest neighbours.
# 2. *Find the planted bug:* the loss of guessing left-out words.
# 3. *Derive it:* how many multiplications a block needs, and from which length on attention costs most.
#
# Check them: `python -m curriculum check 30`.
#
# ## Further reading
#
# - J. Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*, NAACL 2019.
# - V. Sanh, L. Debut, J. Chaumond, T. Wolf, *DistilBERT, a distilled version of BERT*, arXiv 1910.01108, 2019.
# - Y. Wu et al., *Google's Neural Machine Translation System*, arXiv 1609.08144, 2016 (WordPiece).
