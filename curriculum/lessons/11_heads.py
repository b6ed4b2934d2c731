# %% [markdown]
# # 11. Heads, depth and width
#
# **What changes in a network when the question changes, and how large should it be?**
#
# One set of pictures, three questions: which digit is it, is it even, how dark is it? The body of the network stays;
# its last layer, the head, and the loss follow the question. Then we vary depth and width, and at last train the
# network of choice and look at what it reads.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
DataLoader, TensorDataset = torch.utils.data.DataLoader, torch.utils.data.TensorDataset
torch.manual_seed(seed)

# %% [markdown]
# ## The data
#
# 1,797 digits, written by people and scanned. One fifth is held out: the network is never trained on it, so the
# accuracy there says whether it learned to read or learned the pictures by heart.

# %%
pictures, targets = digits()
x = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())  # (1797, 64), from 0 to 1
y = torch.tensor(targets)  # (1797,)

order = torch.randperm(len(x), generator=torch.Generator().manual_seed(2026))  # the same split for every seed
held_out, used = order[:360], order[360:]
train_set = TensorDataset(x[used], y[used])
loader = DataLoader(train_set, batch_size=64, shuffle=True)

# %% [markdown]
# ## Three heads
#
# | question | head | what it puts out | loss |
# | --- | --- | --- | --- |
# | which of $K$ classes? | `Linear(h, K)` | $K$ logits; softmax makes probabilities of them | cross-entropy |
# | yes or no? | `Linear(h, 1)` | one logit; $\sigma(z) = 1 / (1 + e^{-z})$ is the probability of yes | binary cross-entropy |
# | how much? | `Linear(h, 1)` | the number itself, without any function after it | mean squared error |
#
# Targets differ in shape and dtype too: class numbers $(n)$, int64, for the first; floating-point numbers of the
# output's shape for the others. A number to predict is best brought to mean 0 and deviation 1.

# %%
ink = x.mean(dim=1, keepdim=True)
ink = (ink - ink[used].mean()) / ink[used].std()
even = (y % 2 == 0).to(x.dtype).unsqueeze(1)
QUESTIONS = {
    "which digit": (10, y, F.cross_entropy),
    "is it even": (1, even, F.binary_cross_entropy_with_logits),
    "how dark": (1, ink, F.mse_loss),
}
answers = {}
for question, (outputs, target, loss_of) in record.progress(QUESTIONS.items(), "questions"):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, outputs))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for xb, yb in (
        batch for _ in range(20) for batch in DataLoader(TensorDataset(x[used], target[used]), 64, shuffle=True)
    ):
        optimizer.zero_grad()
        loss = loss_of(model(xb), yb)
        loss.backward()
        optimizer.step()
        record.step(question, loss=loss.item(), model=model)
    with torch.no_grad():
        answers[question] = model(x[held_out])

which = (answers["which digit"].argmax(dim=1) == y[held_out]).to(x.dtype).mean().item()
parity_right = ((answers["is it even"] > 0) == (even[held_out] > 0.5)).to(x.dtype).mean().item()
explained = 1 - ((answers["how dark"] - ink[held_out]) ** 2).mean().item() / ink[held_out].var().item()
record.claim(
    "after 20 epochs each head answers its question on pictures held out",
    f"digit {100 * which:.1f} %, even {100 * parity_right:.1f} %, {100 * explained:.1f} % of the darkness' variance",
    which > 0.9 and parity_right > 0.9 and explained > 0.9,
)

# %% [markdown]
# ## Depth and width
#
# How many layers, how many units? Nobody can calculate it; they are *hyperparameters*, chosen by trying on data held
# out. Twelve networks, 8 epochs each, two seeds.

# %%
DEPTHS, WIDTHS = (1, 2, 4), (4, 16, 64, 256)
tried, sizes = {}, {}
for depth in record.progress(DEPTHS, "depths"):
    for width in WIDTHS:
        scores = []
        for number in range(2):
            torch.manual_seed(10 * seed + number)
            layers = [nn.Linear(64, width), nn.ReLU()]
            for _ in range(depth - 1):
                layers += [nn.Linear(width, width), nn.ReLU()]
            model = nn.Sequential(*layers, nn.Linear(width, 10))
            optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
            for _ in range(8):
                for rows in used[torch.randperm(len(used))].split(128):
                    optimizer.zero_grad()
                    F.cross_entropy(model(x[rows]), y[rows]).backward()
                    optimizer.step()
            with torch.no_grad():
                scores.append((model(x[held_out]).argmax(dim=1) == y[held_out]).to(x.dtype).mean().item())
        tried[depth, width] = 100 * float(np.mean(scores))
        sizes[depth, width] = sum(p.numel() for p in model.parameters())

fig, ax = draw.pyplot().subplots(figsize=(6, 3.4))
for depth, color in zip(DEPTHS, (draw.GREY, draw.ORANGE, draw.BLUE), strict=True):
    label = f"{depth} hidden layer{'s' if depth > 1 else ''}"
    ax.plot([sizes[depth, w] for w in WIDTHS], [tried[depth, w] for w in WIDTHS], "o-", color=color, label=label)
    for width in WIDTHS:
        ax.annotate(
            str(width),
            (sizes[depth, width], tried[depth, width]),
            textcoords="offset points",
            xytext=(4, -11),
            fontsize=7,
        )
ax.set(xlabel="parameters (at the points: the width)", ylabel="held-out accuracy, %", xscale="log")
ax.legend(frameon=False)
record.figure(fig, "11_depth_and_width")
record.claim(
    "width 4 is too narrow at every depth, and at 64 a single hidden layer is enough for more than 93 %",
    f"width 4: {', '.join(f'{tried[d, 4]:.1f} %' for d in DEPTHS)}; one layer of 64: {tried[1, 64]:.1f} %",
    max(tried[d, 4] for d in DEPTHS) < tried[1, 64] - 3 and tried[1, 64] > 93,
)

# %% [markdown]
# Wider helps until it does not; deeper and narrow is the worst, for what does not fit through four units is lost to all
# later layers. For these small pictures depth brings little.
#
# ## The network of choice
#
# $$ h = \max(0,\; x W_1^\top + b_1), \qquad z = h W_2^\top + b_2 $$
#
# Without the $\max(0, \cdot)$, called ReLU, two linear layers would collapse into one. The ten numbers $z$ are called
# logits. Softmax makes probabilities of them, and the loss is the surprise at the right answer, the cross-entropy:
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\log p_{\text{right}}, \qquad
#    \frac{\partial L}{\partial z_k} = p_k - [k = \text{right}] $$
#
# The slope is simply the probability given minus the one wanted. The weights start at random: were they all equal,
# all hidden units would get equal slopes and stay equal.

# %%
torch.manual_seed(seed)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
print(model)
print(sum(p.numel() for p in model.parameters()), "weights")


# %% [markdown]
# ## The loop


# %%
def evaluate(x, y):
    with torch.no_grad():  # no graph is needed here
        logits = model(x)
        return F.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).sum().item() / len(y)


curve_train, curve_held_out = [], []
for _ in record.progress(range(30), "epochs"):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        record.step(loss=loss.item(), model=model)
        total += loss.item() * len(xb)
    curve_train.append(total / len(train_set))
    curve_held_out.append(evaluate(x[held_out], y[held_out])[0])

# %%
loss_train, accuracy_train = evaluate(x[used], y[used])
loss_test, accuracy = evaluate(x[held_out], y[held_out])
print(f"trained on: loss {loss_train:.4f}, accuracy {100 * accuracy_train:.2f} %")
print(f"held out:   loss {loss_test:.4f}, accuracy {100 * accuracy:.2f} %")
record.claim("two layers read at least 97 % of 360 digits they never saw", f"{100 * accuracy:.2f} %", accuracy >= 0.97)

# %% [markdown]
# ## What it learned, and where it errs

# %%
record.figure(
    draw.curves({"trained on": curve_train, "held out": curve_held_out}, "epoch", "cross-entropy"), "11_losses"
)

# %% [markdown]
# The two curves fall together and then part: the loss on the training data goes on towards 0, while the held-out one
# levels off. From there on the network learns its pictures by heart.

# %%
with torch.no_grad():
    guess = model(x[held_out]).argmax(dim=1)

held = held_out.numpy()
record.figure(draw.confusion(targets[held], guess.numpy(), 10), "11_confusion")

# %%
wrong = [i for i in range(len(held)) if guess[i].item() != targets[held[i]]]
right = [i for i in range(len(held)) if guess[i].item() == targets[held[i]]]
chosen = (wrong + right)[:16]
record.figure(draw.images(pictures[held[chosen]], targets[held[chosen]], guess.numpy()[chosen]), "11_digits")

# %% [markdown]
# ## To remember
#
# - The loop is the one of lesson 2: clear, loss, `backward()`, update. Only the model grew.
# - Cross-entropy's slope at the logits is the probability given minus the probability wanted.
# - The question decides head, loss and target: logits and cross-entropy, one logit and binary cross-entropy, a number
#   and squared error.
# - Depth and width are tried out, on data held out.
#
# ## Exercise
#
# `curriculum/exercises/11_heads.py`: write the cross-entropy yourself, so that it survives large logits.
# Check it: `python -m curriculum check 11`.
#
# ## Further reading
#
# - X. Glorot, A. Bordes, Y. Bengio, *Deep Sparse Rectifier Neural Networks*, AISTATS 2011.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3, Springer 2006.
# - In this repository: `minigrad/ops/loss_classes.py`, `minigrad/nn/linear.py`, `minigrad/optim/adam.py`.
