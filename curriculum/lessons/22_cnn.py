# %% [markdown]
# # 22. A convolutional network
#
# **What do dropout and batch normalization add to a network that reads digits?**
#
# The windows of lesson 21, stacked: the first layer sees strokes, the second sees how strokes meet. We build such a
# network whole, from the preprocessing to a file that another program can load.

# %%
import tempfile
from pathlib import Path

import numpy as np

from curriculum import draw, record
from curriculum.data import digits, full, mnist
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## Preprocessing, and three parts of the data
#
# The network trains on one part, we choose by a second (validation), and the third (test) is looked at once, at the
# end. Who chooses by the test data has no test data left. Mean and spread for the scaling come from the training part
# alone, since the other two are meant to be unknown.

# %%
pictures, targets = digits()
y = torch.tensor(targets)
order = torch.randperm(len(y), generator=torch.Generator().manual_seed(2026))  # the same split for every seed
test, validation, train = order[:360], order[360:540], order[540:]

x = torch.tensor(pictures, dtype=torch.get_default_dtype()).unsqueeze(1)  # (1797, 1, 8, 8)
mean, spread = x[train].mean(), x[train].std()
x = (x - mean) / spread
print(f"{len(train)} to train on, {len(validation)} to choose by, {len(test)} to test with")
print(f"training part after scaling: mean {x[train].mean().item():.1e}, spread {x[train].std().item():.3f}")


# %% [markdown]
# ## The network
#
# | layer | map | parameters |
# | --- | --- | --- |
# | picture | 1 × 8 × 8 | |
# | convolution 3 × 3, padding 1 | 32 × 8 × 8 | 32 · (1 · 9 + 1) = 320 |
# | convolution 3 × 3, padding 1, then pooling | 32 × 4 × 4 | 32 · (32 · 9 + 1) = 9,248 |
# | convolution 3 × 3, padding 1, then pooling | 64 × 2 × 2 | 64 · (32 · 9 + 1) = 18,496 |
# | linear | 10 | 10 · (256 + 1) = 2,570 |
#
# *Batch normalization* (lesson 18) brings each channel to mean 0 and spread 1 over the batch, then lets it choose its
# own scale and shift. *Dropout* sets each of the 256 last numbers to 0 with probability $p$ while training and
# multiplies the others by $1/(1-p)$, so that no unit can rely on another one. Both behave differently in `train()` and
# in `eval()`.


# %%
def block(inputs, outputs, norm, pool):
    layers = [nn.Conv2d(inputs, outputs, 3, padding=1)]
    if norm:
        layers.append(nn.BatchNorm2d(outputs))
    layers.append(nn.ReLU())
    if pool:
        layers.append(nn.MaxPool2d(2))
    return layers


def network(norm=True, dropout=0.3, side=8):
    last = side // 4
    return nn.Sequential(
        *block(1, 32, norm, pool=False),
        *block(32, 32, norm, pool=True),
        *block(32, 64, norm, pool=True),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(64 * last * last, 10),
    )


plain = sum(p.numel() for p in network(norm=False).parameters())
record.claim("the table counts every parameter", f"{plain}", plain == 320 + 9248 + 18496 + 2570)

# %% [markdown]
# ## How much of the picture does a unit see?
#
# A unit of the first map sees 3 × 3 pixels. One of the second sees 3 × 3 places of the first map, which together see 5
# × 5 pixels. This part of the picture is the unit's *receptive field*. Pooling makes it grow faster: behind it, two
# neighbours of a map lie two pixels apart, so a window of 3 spans twice as much. With $a_l$ the distance in pixels of
# neighbouring inputs of layer $l$ (the product of all strides before it), each layer adds $(k_l - 1)\,a_l$:
#
# $$ r = 1 + \sum_l (k_l - 1)\, a_l, \qquad a_l = s_1 s_2 \cdots s_{l-1} $$
#
# Here $r = 1 + 2 + 2 + 1 + 2 \cdot 2 + 1 \cdot 2 = 12$: a unit of the last map can see 12 pixels in each direction,
# more than the picture has. We need not believe that either. The gradient of one unit by the pixels is 0 exactly where
# the unit cannot look, so one backward pass draws the field. (Means take the place of maxima here: a maximum would hand
# its gradient to the winner alone. And the picture is 24 pixels wide, so that there is something outside.)


# %%
def receptive(depth, side=24):
    """Which pixels move the unit in the middle of the map behind `depth` blocks: a picture of ones and zeros."""
    layers = []
    for number in range(depth):
        layers += [nn.Conv2d(1, 1, 3, padding=1)] + ([nn.AvgPool2d(2)] if number else [])
    seen = torch.zeros(1, 1, side, side, requires_grad=True)
    middle = nn.Sequential(*layers)(seen)[0, 0]
    middle[len(middle) // 2, len(middle) // 2].backward()
    return (seen.grad[0, 0] != 0).to(torch.float32).numpy()


fields = {f"behind block {depth}": receptive(depth) for depth in (1, 2, 3)}
widths = [int(field.any(axis=0).sum()) for field in fields.values()]
fig, axes = draw.pyplot().subplots(1, 3, figsize=(8, 2.8))
for ax, (name, field), width in zip(axes, fields.items(), widths, strict=True):
    ax.imshow(field, cmap="Blues", vmin=0, vmax=1.4)
    ax.set(xticks=[], yticks=[], title=f"{name}: {width} × {width}")
fig.tight_layout()
record.figure(fig, "22_receptive")
record.claim(
    "a unit sees 3, then 6, then 12 pixels in each direction", ", ".join(map(str, widths)), widths == [3, 6, 12]
)

# %% [markdown]
# ## Training, with an eye on the validation part


# %%
def evaluate(model, x, y):
    model.eval()  # no dropout; running mean and spread instead of the batch's
    with torch.no_grad():
        logits = torch.cat([model(part) for part in x.split(500)])
    model.train()
    return F.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).sum().item() / len(y)


# %%
def train_on(model, x, y, train, validation, epochs, lr, batch, name, note=True):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    steps = epochs * -(-len(train) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # large steps first, small ones at the end
    curve: dict[str, list[float]] = {"train": [], "validation": [], "accuracy": []}
    for _ in record.progress(range(epochs), name):
        total = 0.0
        for rows in train[torch.randperm(len(train))].split(batch):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            if note:
                record.step(name, loss=loss.item(), model=model)
            total += loss.item() * len(rows)
        held_out, accuracy = evaluate(model, x[validation], y[validation])
        curve["train"].append(total / len(train))
        curve["validation"].append(held_out)
        curve["accuracy"].append(accuracy)
    return curve


# %%
variants = {
    "plain": (False, 0.0),
    "dropout": (False, 0.3),
    "batch norm": (True, 0.0),
    "both": (True, 0.3),
}
models, curves = {}, {}
for name, (norm, dropout) in variants.items():
    torch.manual_seed(seed)
    models[name] = network(norm, dropout)
    curves[name] = train_on(models[name], x, y, train, validation, 5, 3e-3, 64, name)
    last = {key: values[-1] for key, values in curves[name].items()}
    print(
        f"{name:10}  train {last['train']:.4f}  validation {last['validation']:.4f}  "
        f"accuracy {100 * last['accuracy']:.1f} %"
    )

plt = draw.pyplot()

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
colors = dict(zip(variants, (draw.GREY, "#2b8a5a", draw.BLUE, draw.ORANGE), strict=True))
for ax, key, title in zip(axes, ("train", "validation"), ("training (dropout on)", "validation"), strict=True):
    for name, curve in curves.items():
        ax.plot(range(1, len(curve[key]) + 1), curve[key], "o-", markersize=3, color=colors[name], label=name)
    ax.set(xlabel="epoch", ylabel="cross-entropy", yscale="log", title=title)
    ax.yaxis.set_tick_params(labelleft=True)
axes[1].legend(frameon=False)
fig.tight_layout()
record.figure(fig, "22_variants")

first = {name: curve["train"][0] for name, curve in curves.items()}
record.claim(
    "batch normalization learns faster: less loss in the first epoch",
    f"{first['batch norm']:.3f} against {first['plain']:.3f}",
    first["batch norm"] < first["plain"],
)
record.claim(
    "dropout makes the training loss larger, as it must",
    f"{curves['dropout']['train'][-1]:.4f} against {curves['plain']['train'][-1]:.4f}",
    curves["dropout"]["train"][-1] > curves["plain"]["train"][-1],
)

# %% [markdown]
# What we find: batch normalization roughly halves the loss of the first epoch, and the validation loss ends clearly lower
# as well. Dropout alone gains nothing on so few pictures in so few epochs: its training loss is larger because units are
# missing while it is measured, and its validation loss is no lower than the plain network's.
# With 180 validation pictures one picture is 0.6 %, so differences of one or two points in accuracy say little; the
# losses say more. We go on with the network that has both, which is the usual choice, and which here costs nothing.
#
# ## The test, once

# %%
model = models["both"]
loss, accuracy = evaluate(model, x[test], y[test])
print(f"test: loss {loss:.4f}, accuracy {100 * accuracy:.2f} %")
record.claim("the network reads at least 98 % of 360 digits it never saw", f"{100 * accuracy:.2f} %", accuracy >= 0.98)

model.eval()
with torch.no_grad():
    probability = torch.softmax(model(x[test]), dim=1)
guess = probability.argmax(dim=1).numpy()
truth = y[test].numpy()
record.figure(draw.confusion(truth, guess, 10), "22_confusion")
sure = probability.max(dim=1).values.numpy()
chosen = np.argsort(np.where(guess == truth, sure, -1.0))[:16]  # the mistakes, then the least sure
record.figure(draw.images(pictures[test.numpy()[chosen]], truth[chosen], guess[chosen]), "22_hardest")

# %% [markdown]
# The picture shows the mistakes first, then the digits the network was least sure of. Of several of them people would
# not be sure either.
#
# ## Ready to be used elsewhere
#
# What leaves the laboratory is a file with the weights, *and* the two numbers of the scaling: without them the other
# program would feed the network something it never saw. The other program builds the same network, loads, switches to
# `eval()`, and must answer the same to the last bit.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.pt"
    torch.save({"weights": model.state_dict(), "mean": mean.item(), "spread": spread.item()}, path)
    size = path.stat().st_size
    content = torch.load(path)

other = network()
other.load_state_dict(content["weights"])
other.eval()
raw = torch.tensor(pictures, dtype=torch.get_default_dtype()).unsqueeze(1)[test]
with torch.no_grad():
    answer = torch.softmax(other((raw - content["mean"]) / content["spread"]), dim=1)
apart = (answer - probability).abs().max().item()
print(f"{size / 1024:.0f} KiB")
record.claim("the loaded network gives the same probabilities", f"{apart:.0e} apart", apart < 1e-5)

# %% [markdown]
# ## MNIST
#
# The digits above are 8 × 8. MNIST has 70,000 of 28 × 28. One epoch over it takes much longer than all of the above, so
# this lesson trains on it only where it is asked to and the files are there:
# `python -m curriculum run 22 --full --data-dir FOLDER`, with the four `.gz` files of MNIST in `FOLDER/mnist`.

# %%
large = mnist() if full() else None
if large is not None:
    (pictures_train, targets_train), (pictures_test, targets_test) = large
    dtype = torch.get_default_dtype()
    xs = torch.tensor((pictures_train / 255 - 0.1307) / 0.3081, dtype=dtype).unsqueeze(1)  # (60000, 1, 28, 28)
    xt = torch.tensor((pictures_test / 255 - 0.1307) / 0.3081, dtype=dtype).unsqueeze(1)
    ys, yt = torch.tensor(targets_train), torch.tensor(targets_test)
    shuffled = torch.randperm(60000, generator=torch.Generator().manual_seed(2026))
    torch.manual_seed(seed)
    reader = network(side=28)
    train_on(reader, xs, ys, shuffled[2000:], shuffled[:2000], 6, 3e-3, 128, "MNIST", note=False)
    loss, accuracy = evaluate(reader, xt, yt)
    record.claim("MNIST: at least 99.2 % of 10,000 test pictures", f"{100 * accuracy:.2f} %", accuracy >= 0.992)

# %% [markdown]
# ## To remember
#
# - Train, validation, test: learn, choose, and look once.
# - Scale with numbers from the training part, and ship them with the weights.
# - Batch normalization speeds training up; dropout trades training loss for independence of the units.
# - `train()` before training, `eval()` before using.
#
# ## Exercises
#
# In `curriculum/exercises/22_cnn.py`:
#
# 1. *Write it:* dropout.
# 2. *Write it:* a pipeline's scaling that does not peek at the test data.
# 3. *Derive it:* the receptive field of any stack of windows and strides.
#
# Check them: `python -m curriculum check 22`.
#
# ## Further reading
#
# - N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 15, 2014.
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015.
# - Y. LeCun et al., *Gradient-Based Learning Applied to Document Recognition*, Proceedings of the IEEE 86, 1998.
# - In this repository: `minigrad/ops/conv.py`, `minigrad/serialization.py`.
