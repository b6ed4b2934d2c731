# %% [markdown]
# # 24. Freezing and transfer
#
# **Does a network that can read 0 to 4 learn 5 to 9 from fewer examples?**
#
# A network trained on plenty of data for one task often serves another task for which there is little: its first layers
# see strokes, and strokes are the same everywhere. We keep them and train only what is new. This is *transfer
# learning*; the trained network that it begins with is called *pre-trained*, the layers that are kept its *body* (or
# backbone), the new last layer its *head*, and training the body a little further, at a small learning rate,
# *fine-tuning*.

# %%
import time

import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

pictures, targets = digits()
x = torch.tensor(pictures / 16 - 0.3, dtype=torch.get_default_dtype()).unsqueeze(1)
low = torch.tensor(np.flatnonzero(targets < 5))
high = torch.tensor(np.flatnonzero(targets >= 5))
y = torch.tensor(targets % 5)  # five classes in both tasks
print(f"{len(low)} pictures of 0 to 4, {len(high)} of 5 to 9")

# %% [markdown]
# ## Before: plenty of 0 to 4


# %%
def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 32),
        nn.ReLU(),
        nn.Linear(32, 5),
    )


# %%
def accuracy(model, rows):
    with torch.no_grad():
        return (model(x[rows]).argmax(dim=1) == y[rows]).sum().item() / len(rows)


torch.manual_seed(seed)
source = network()
optimizer = torch.optim.Adam(source.parameters(), lr=3e-3)
for _ in record.progress(range(6), "0 to 4"):
    for rows in low[torch.randperm(len(low))].split(64):
        optimizer.zero_grad()
        loss = F.cross_entropy(source(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        record.step("0 to 4", loss=loss.item(), model=source)
print(f"0 to 4: accuracy {100 * accuracy(source, low):.1f} % on what it trained on")
print(f"5 to 9, untouched: {100 * accuracy(source, high):.1f} % (guessing: 20 %)")

# %% [markdown]
# ## Freezing
#
# `named_parameters()` tells every parameter with its name; `requires_grad = False` takes it out of the graph. No
# gradient is computed for it, so a frozen beginning also saves time: the backward walk stops where nothing in front
# needs a gradient. Only what needs gradients is given to the optimizer.
#
# Two things freeze less than one thinks. A parameter that is frozen *after* a backward pass still holds its old
# `.grad`, and an optimizer that knows it still moves it. And what is no parameter is not frozen at all: the running
# mean of batch normalization moves in every forward pass in `train()` mode, whatever `requires_grad` says. A frozen
# body belongs in `eval()` mode; the third exercise shows what happens otherwise.

# %%
model = network()
model.load_state_dict(source.state_dict())
for name, parameter in model.named_parameters():
    parameter.requires_grad = name.startswith("8")  # the last layer
    print(f"{name:9} {tuple(parameter.shape)!s:16} {'trained' if parameter.requires_grad else 'frozen'}")

before = {name: p.detach().clone() for name, p in model.named_parameters()}
F.cross_entropy(model(x[high[:32]]), y[high[:32]]).backward()
without = sum(p.grad is None for p in model.parameters())
record.claim("backward leaves no gradient at the six frozen parameters", f"{without} of 8 have none", without == 6)

# %% [markdown]
# ## After: few of 5 to 9
#
# Twenty-five pictures of 5 to 9, five of each, and 40 steps on all of them. Four ways, each over ten draws of the
# twenty-five:
#
# | way | starts with | trains |
# | --- | --- | --- |
# | from scratch | fresh weights | everything |
# | last layer | 0 to 4 | the last layer |
# | both linear layers | 0 to 4, with a fresh last layer | the two linear layers |
# | everything | 0 to 4, with a fresh last layer | everything |
#
# "Last layer" gets a fresh last layer as well: that 5 shares its output with 0 means nothing.


# %%
WAYS = {"from scratch": ("0", "2", "6", "8"), "last layer": ("8",), "both linear layers": ("6", "8"), "everything": ("0", "2", "6", "8")}  # fmt: skip


def specialise(way, few, name, steps=40):
    model = network()
    if way != "from scratch":
        fresh = {key: value for key, value in model.state_dict().items() if key.startswith("8")}
        model.load_state_dict(source.state_dict() | fresh)
    for key, parameter in model.named_parameters():
        parameter.requires_grad = key.startswith(WAYS[way])
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=3e-3)
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[few]), y[few])
        loss.backward()
        optimizer.step()
        if name:
            record.step(name, loss=loss.item(), params=trained)
    return model, sum(p.numel() for p in trained), time.perf_counter() - start


# %%
held_out = high[300:]
found = {way: [] for way in WAYS}
seconds = dict.fromkeys(WAYS, 0.0)
counts = {}
for draw_number in record.progress(range(10), "draws"):
    generator = torch.Generator().manual_seed(100 * seed + draw_number)
    shuffled = high[:300][torch.randperm(300, generator=generator)]
    few = torch.cat([shuffled[y[shuffled] == digit][:5] for digit in range(5)])
    for way in WAYS:
        torch.manual_seed(draw_number)
        model, counts[way], took = specialise(way, few, way if draw_number == 0 else "")
        seconds[way] += took / 10
        found[way].append(accuracy(model, held_out))
        if way == "last layer" and draw_number == 0:
            kept = max(
                (p.detach() - before[key]).abs().max().item()
                for key, p in model.named_parameters()
                if not key.startswith("8")
            )

# %%
print(
    f"{'way':20}{'trained':>9}{'seconds':>9}  accuracy on {len(held_out)} pictures (mean, standard error of ten draws)"
)
mean = {way: float(np.mean(values)) for way, values in found.items()}
error = {way: float(np.std(values, ddof=1) / np.sqrt(len(values))) for way, values in found.items()}
for way in WAYS:
    print(
        f"{way:20}{counts[way]:>9,}{record.timed(seconds[way], '>9.2f')}  {100 * mean[way]:.1f} ± {100 * error[way]:.1f} %"
    )

plt = draw.pyplot()
fig, ax = plt.subplots(figsize=(7, 3.2))
for row, way in enumerate(WAYS):
    ax.plot([100 * value for value in found[way]], [row] * 10, "o", color=draw.GREY, alpha=0.5, markersize=5)
    ax.errorbar(100 * mean[way], row, xerr=196 * error[way], fmt="D", color=draw.ORANGE, capsize=4, markersize=5)
ax.set(
    yticks=range(len(WAYS)),
    ylim=(-0.5, len(WAYS) - 0.5),
    yticklabels=[f"{way}\n{counts[way]:,} parameters" for way in WAYS],
    xlabel="accuracy on held-out 5 to 9, % (ten draws; mean with its 95 % interval)",
)
ax.invert_yaxis()
fig.tight_layout()
record.figure(fig, "24_ways")

# %%
record.claim("frozen weights do not move", f"{kept:.0e}", kept == 0)
gain = np.array(found["everything"]) - np.array(found["from scratch"])
interval = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
record.claim(
    "over ten draws, starting from 0 to 4 and training everything gains less than 2 points over from scratch",
    f"{100 * gain.mean():+.1f} ± {100 * interval:.1f} points",
    gain.mean() < 0.02,
)
record.claim(
    "the last layer alone is more than 10 points worse than training everything",
    f"{100 * (mean['everything'] - mean['last layer']):.1f} points",
    mean["everything"] - mean["last layer"] > 0.1,
)
record.claim(
    "the last layer trains a hundredth of the parameters", f"{counts['last layer']} of {counts['everything']:,}",
    counts["last layer"] < 0.01 * counts["everything"],
)  # fmt: skip

# %% [markdown]
# The answer to our question is no, and it is worth looking at why. The last layer alone has 32 numbers to work with
# that were made to tell 0 to 4 apart; it stays tens of points behind. Freezing only the convolutions loses a few points
# at most, in half the time. Training everything from the old weights ends a few points below a fresh network. Two
# things are missing that make transfer pay elsewhere: the old data was little (901 pictures of five shapes), and the
# new task is so easy that 25 pictures nearly do. Lesson 28 asks again with texts.
#
# The same comparison at one draw could have shown anything: look at the spread of the grey points.
#
# So when does one freeze, and how much? Four cases, by how much data the new task has and how near it is to the old
# one:
#
# | | little data | much data |
# | --- | --- | --- |
# | near the old task | freeze the body, train the head | fine-tune everything, at a small rate |
# | far from it | freeze the first layers alone, expect little | train everything; the old weights are merely a start |
#
# The rate matters as much as the choice. A pre-trained body is near a good place; at the rate of a fresh network the
# first steps, whose gradients come through a head that knows nothing yet, throw it out of there. A tenth of the rate is
# a common choice, and training the head alone for a few steps first another. Whatever you choose, compare it with
# training from scratch on the same pictures, over several draws: without that line in the table, nobody knows what the
# transfer was worth.
#
# ## To remember
#
# - `named_parameters()` and `requires_grad = False` freeze; the optimizer gets the rest.
# - A new task gets a new last layer.
# - The fewer layers are trained, the cheaper, and the more depends on what the old task taught.
#
# ## Exercises
#
# In `curriculum/exercises/24_transfer.py`:
#
# 1. *Write it:* `freeze`, which trains only the layers that are named.
# 2. *Write it:* a new head on an old body.
# 3. *Find the planted bug:* a frozen body that changes all the same.
#
# Check them: `python -m curriculum check 24`.
#
# ## Further reading
#
# - J. Yosinski, J. Clune, Y. Bengio, H. Lipson, *How transferable are features in deep neural networks?*, NIPS 2014.
# - S. Kornblith, J. Shlens, Q. V. Le, *Do Better ImageNet Models Transfer Better?*, CVPR 2019.
