# %% [markdown]
# # 27. A transformer reads reviews
#
# **What does a transformer do with few texts: does it understand them, or learn them by heart?**
#
# Attention, put into blocks with skips and normalization, is a transformer encoder. We build one for reviews, train
# it from scratch on few of them, and watch where its two losses part.

# %%
import math
import re
from collections import Counter

from curriculum import draw, record
from curriculum.data import imdb
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## The texts, as in lesson 25

# %%
PAD, UNKNOWN, SIZE, LONGEST = 0, 1, 2000, 32
texts, labels, test_texts, test_labels = imdb(960, 400)


def tokenize(text):
    return re.findall(r"[a-z]+(?:'[a-z]+)?|[.,!?]", text.lower())


counts = Counter(token for text in texts for token in tokenize(text))
vocabulary = {token: number for number, (token, _) in enumerate(counts.most_common(SIZE - 2), start=2)}


def encode(texts):
    rows = [[vocabulary.get(token, UNKNOWN) for token in tokenize(text)][:LONGEST] for text in texts]
    return torch.tensor([row + [PAD] * (LONGEST - len(row)) for row in rows])


x, y = encode(texts), torch.tensor(labels)
x_test, y_test = encode(test_texts), torch.tensor(test_labels)


# %% [markdown]
# ## The encoder
#
# A block is two steps, each with a skip (lesson 23) and layer normalization, which brings every word's vector to mean
# 0 and spread 1:
#
# $$ x \leftarrow x + \text{Attention}(\text{LN}(x)), \qquad x \leftarrow x + W_2\,\text{ReLU}(W_1\,\text{LN}(x)) $$
#
# `nn.TransformerEncoderLayer(norm_first=True)` is this block. In front: word vectors plus positional encodings;
# behind: the mean over the words, with the mask, and one linear layer.


# %%
class Classifier(nn.Module):
    def __init__(self, classes=2, width=32, heads=4, depth=1, dropout=0.0):
        super().__init__()
        self.embedding = nn.Embedding(SIZE, width, padding_idx=PAD)
        layer = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=2 * width, dropout=dropout, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.last = nn.Linear(width, classes)
        place = torch.arange(LONGEST, dtype=torch.get_default_dtype()).unsqueeze(1)
        angle = place / 10000 ** (torch.arange(0, width, 2, dtype=torch.get_default_dtype()) / width)
        self.register_buffer("places", torch.stack([angle.sin(), angle.cos()], dim=2).reshape(LONGEST, width))

    def forward(self, ids):
        padding = ids == PAD
        h = self.embedding(ids) + self.places
        h = self.encoder(h, src_key_padding_mask=padding)
        kept = (~padding).unsqueeze(2).to(h.dtype)
        return self.last((h * kept).sum(dim=1) / kept.sum(dim=1))


# %% [markdown]
# ## From scratch, on few reviews and on more


# %%
def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(part) for part in x.split(200)])
    model.train()
    return F.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).sum().item() / len(y)


def train(number, steps, dropout, name):
    torch.manual_seed(seed)
    model = Classifier(dropout=dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    curve = {"step": [], "train": [], "test": [], "accuracy": [], "accuracy, trained on": []}
    done = 0
    for _ in record.progress(range(math.ceil(steps / math.ceil(number / 32))), name):
        for rows in torch.randperm(number).split(32):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            record.step(name, loss=loss.item(), model=model)
            done += 1
            if done % 15 == 0:
                curve["step"].append(done)
                for part, values in (("train", (x[:number], y[:number])), ("test", (x_test, y_test))):
                    loss_now, accuracy = evaluate(model, *values)
                    curve[part].append(loss_now)
                    curve["accuracy" if part == "test" else "accuracy, trained on"].append(accuracy)
    return model, curve


runs = {}
for name, number, dropout in (("96 reviews", 96, 0.0), ("96, dropout", 96, 0.3), ("960 reviews", 960, 0.0)):
    model, runs[name] = train(number, 150, dropout, name)
    curve = runs[name]
    print(
        f"{name:12} loss {curve['train'][-1]:.3f} on its own texts, {curve['test'][-1]:.3f} on others (least "
        f"{min(curve['test']):.3f}); accuracy {100 * curve['accuracy, trained on'][-1]:.1f} %, "
        f"{100 * curve['accuracy'][-1]:.1f} %"
    )
print(sum(p.numel() for p in model.parameters()), "parameters")

fig, axes = draw.pyplot().subplots(1, 3, figsize=(11, 3.3), sharey=True)
for ax, (name, curve) in zip(axes, runs.items(), strict=True):
    ax.plot(curve["step"], curve["train"], color=draw.BLUE, label="trained on")
    ax.plot(curve["step"], curve["test"], color=draw.ORANGE, label="held out")
    ax.axhline(math.log(2), color=draw.GREY, linewidth=1, linestyle=":", label="guessing")
    ax.set(title=name, xlabel="step", ylabel="cross-entropy")
    ax.yaxis.set_tick_params(labelleft=True)
axes[0].legend(frameon=False)
fig.tight_layout()
record.figure(fig, "27_losses")

few, many = runs["96 reviews"], runs["960 reviews"]
record.claim(
    "96 reviews are learned by heart: accuracy on them at least 95 %",
    f"{100 * few['accuracy, trained on'][-1]:.1f} %",
    few["accuracy, trained on"][-1] >= 0.95,
)
record.claim(
    "on others the loss ends above its own lowest point",
    f"{few['test'][-1]:.3f} against {min(few['test']):.3f}",
    few["test"][-1] > min(few["test"]) + 0.05,
)
gap_few, gap_many = few["test"][-1] - few["train"][-1], many["test"][-1] - many["train"][-1]
record.claim(
    "with ten times the reviews the two losses lie closer together",
    f"{gap_many:.2f} against {gap_few:.2f}",
    gap_many < gap_few,
)

# %% [markdown]
# 96 reviews and tens of thousands of weights: the training loss goes to 0, nearly every one of its texts is right, and on others
# the network is hardly better than guessing. Its held-out loss rises far above $\ln 2$, the loss of saying "I do not
# know": it is wrong *and sure of it*. Dropout delays that and does not prevent it here. With ten times the texts the
# same network, in the same number of steps, has no chance to learn them by heart; the two losses stay together, and
# the accuracy is the better one.
#
# ## To remember
#
# - A block: attention and two linear layers, each with a skip and a normalization.
# - Training loss falls, held-out loss rises: the model overfits, it learns the texts and not the task. Stop at the lowest point.
# - More texts help more than any trick; lesson 28 takes them from another task.
#
# ## Exercise
#
# `curriculum/exercises/27_sentiment.py`: write early stopping, and layer normalization.
# Check it: `python -m curriculum check 27`.
#
# ## Further reading
#
# - J. L. Ba, J. R. Kiros, G. E. Hinton, *Layer Normalization*, arXiv 1607.06450, 2016.
# - J. Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers*, NAACL 2019.
# - R. Xiong et al., *On Layer Normalization in the Transformer Architecture*, ICML 2020.
