# %% [markdown]
# # 11. Heads, depth and width
#
# **What changes in a network when the question changes, and how large should it be?**
#
# One set of pictures, three questions: which digit is it, is it even, how dark is it? The body of the network stays,
# the layers that turn a picture into something useful; its last layer, the *head*, and the loss follow the question.
# Before that we look at what a hidden layer is for at all. After it we vary depth and width, and at last train the
# network of choice and look at what it reads.

# %%
import math

import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
DataLoader, TensorDataset = torch.utils.data.DataLoader, torch.utils.data.TensorDataset
torch.manual_seed(seed)

# %% [markdown]
# ## What a hidden layer is for
#
# One layer has straight boundaries (lesson 10). Here are two classes that no line separates: two half moons that reach
# into one another, 200 points to train on and 200 held out.
#
# A *hidden layer* with relu gives each of its units one line in the plane: on one side the unit is silent, on the other
# it grows. The head adds these up. So the boundary consists of straight pieces, with a corner where it crosses a unit's
# line. More units, more pieces; with many it looks like a curve. With tanh in the place of relu it is one.


# %%
def moons(n):
    turn = math.pi * torch.rand(n)
    upper = torch.stack([turn.cos(), turn.sin()], dim=1)
    lower = torch.stack([1 - turn.cos(), 0.5 - turn.sin()], dim=1)
    return torch.cat([upper, lower]) + 0.15 * torch.randn(2 * n, 2), torch.cat([torch.zeros(n, 1), torch.ones(n, 1)])


points, classes = moons(100)
other_points, other_classes = moons(100)


def right(model, points, classes):
    with torch.no_grad():
        return ((model(points) > 0) == (classes > 0.5)).to(points.dtype).mean().item()


BODIES = {
    "no hidden layer": lambda: nn.Linear(2, 1),
    "3 hidden units, relu": lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)),
    "50 hidden units, relu": lambda: nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 1)),
    "50 hidden units, tanh": lambda: nn.Sequential(nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 1)),
}

# %%
found, shown = {}, {}
for name, make in record.progress(BODIES.items(), "moons"):
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(400):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(points), classes)
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), model=model)
    found[name] = right(model, other_points, other_classes)
    shown[f"{name}: {100 * found[name]:.0f} % of held out right"] = lambda p, model=model: model(p)[:, 0]
record.figure(draw.boundaries(shown, ((-1.6, 2.6), (-1.2, 1.7)), points, classes), "11_curved_boundary")
record.claim(
    "a hidden layer of 50 units gets at least 5 points in a hundred more right than no hidden layer, on points held out",
    ", ".join(f"{name} {100 * value:.1f} %" for name, value in found.items()),
    min(found["50 hidden units, relu"], found["50 hidden units, tanh"]) > found["no hidden layer"] + 0.05,
)

# %% [markdown]
# The colour is the logit, red for class 0 and blue for class 1, pale where the model is unsure; the black line is the
# boundary. Count the corners in the second picture: there are at most three, one for each unit.
#
# ## The data
#
# Now 1,797 digits, written by people and scanned. One fifth is held out: the network is never trained on it, so the
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
# ($h$ is the number of hidden units.) Targets differ in shape and dtype too, and most errors at this place come from
# that. The first loss wants class numbers of shape $(n)$, int64. The others want floating-point numbers of the output's
# shape, $(n, 1)$. A number to predict is best standardized (lesson 8): then a loss of 1 means "no better than guessing
# the mean", whatever the unit.
#
# The accuracy of a regression makes no sense, since no guess is exactly right. Its measure is the *share of the
# variance explained*, called $R^2$: 1 minus the mean squared error divided by the variance of the targets. 1 is
# perfect, 0 is guessing the mean.

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
    batches = DataLoader(TensorDataset(x[used], target[used]), 64, shuffle=True)
    for xb, yb in (batch for _ in range(20) for batch in batches):
        optimizer.zero_grad()
        loss = loss_of(model(xb), yb)
        loss.backward()
        optimizer.step()
        record.step(question, loss=loss.item(), model=model)
    with torch.no_grad():
        answers[question] = model(x[held_out])

# %%
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
# How many layers (the *depth*), how many units in each (the *width*)? Nobody can calculate it. Such numbers, which are
# chosen and not learned, are called *hyperparameters*; the learning rate is one too. They are chosen by trying, and
# compared on data held out, since on the training data the largest network always wins. Twelve networks, 8 epochs each,
# two seeds.

# %%
DEPTHS, WIDTHS = (1, 2, 4), (4, 16, 64, 256)


def accuracy_of(depth, width, number):
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
        return (model(x[held_out]).argmax(dim=1) == y[held_out]).to(x.dtype).mean().item()


# %%
tried = {}
for depth in record.progress(DEPTHS, "depths"):
    for width in WIDTHS:
        tried[depth, width] = 50 * sum(accuracy_of(depth, width, number) for number in range(2))
lines = {f"{d} hidden layer{'s' if d > 1 else ''}": [tried[d, w] for w in WIDTHS] for d in DEPTHS}
record.figure(draw.sizes(lines, WIDTHS, "held-out accuracy, %"), "11_depth_and_width")
record.claim(
    "width 4 is too narrow at every depth, and at 64 a single hidden layer is enough for more than 93 %",
    f"width 4: {', '.join(f'{tried[d, 4]:.1f} %' for d in DEPTHS)}; one layer of 64: {tried[1, 64]:.1f} %",
    max(tried[d, 4] for d in DEPTHS) < tried[1, 64] - 3 and tried[1, 64] > 93,
)
record.claim(
    "from 64 to 256 units one hidden layer gains less than 5 points, and from 4 to 16 more than 20",
    f"{tried[1, 256] - tried[1, 64]:.1f} and {tried[1, 16] - tried[1, 4]:.1f}",
    tried[1, 256] - tried[1, 64] < 5 and tried[1, 16] - tried[1, 4] > 20,
)

# %% [markdown]
# Wider helps until it does not. Deep and narrow is the worst, for what does not fit through four units is lost to all
# later layers, and a deep network also learns more slowly (8 epochs are few). For these small pictures depth brings
# little; for large pictures and for texts it brings nearly everything, as lessons 21 to 30 show.
#
# A recipe: begin with one or two hidden layers of 64 to 256 units. If the *training* loss stays too high, go wider,
# then deeper. If only the *held-out* loss is too high, the network is large enough, and wants more data or a brake
# (lesson 16).
#
# ## The network of choice
#
# $$ h = \max(0,\; x W_1^\top + b_1), \qquad z = h W_2^\top + b_2 $$
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\log p_{\text{right}}, \qquad
#    \frac{\partial L}{\partial z_k} = p_k - [k = \text{right}] $$
#
# ($[k = \text{right}]$ is 1 for the right class and 0 else, the one-hot target.) The slope is simply the probability
# given minus the one wanted. It passes back through $W_2$ to the hidden units, and through those that are not silent to
# $W_1$.

# %%
torch.manual_seed(seed)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
print(model)
print(sum(p.numel() for p in model.parameters()), "weights")


def evaluate(x, y):
    with torch.no_grad():  # no graph is needed here
        logits = model(x)
        return F.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).sum().item() / len(y)


# %%
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
record.figure(draw.curves({"training": curve_train, "held out": curve_held_out}, "epoch", "cross-entropy"), "11_losses")

# %% [markdown]
# ## Reading the curves
#
# At first both curves fall together: what helps on the pictures that were trained on helps on all others. Then they
# part. How far, and does the held-out loss still fall?

# %%
falls = {
    name: np.mean(curve[8:11]) / np.mean(curve[-3:])
    for name, curve in (("training", curve_train), ("held out", curve_held_out))
}
gap = [np.mean(curve_held_out[part]) / np.mean(curve_train[part]) for part in (slice(3, 6), slice(-3, None))]
record.claim(
    "from epoch 10 to 30 the training loss falls to less than a third, the held-out loss falls too, but to no less than half",
    f"divided by {falls['training']:.1f} and by {falls['held out']:.2f}",
    falls["training"] > 3 and 1 < falls["held out"] < 2,
)
record.claim(
    "held out costs about the same as training at epoch 5, and more than twice as much at epoch 30",
    f"{gap[0]:.2f} and {gap[1]:.1f} times as much",
    gap[0] < 1.3 and gap[1] > 2,
)

# %% [markdown]
# So the held-out loss has not levelled off: it falls, slowly, and the network still gets a little better at digits it
# has not seen. But most of what the training loss gains is not for them. It is knowledge about these very pictures. As
# long as the held-out curve falls, going on does no harm; where it turns and rises, one stops (*early stopping*, lesson
# 27). Accuracy may stay the same while the loss rises: a few answers that were wrong become *surely* wrong.
#
# ## What it reads, and where it errs
#
# The *confusion matrix* counts how often each digit (row) was taken for each (column). The diagonal is what is right,
# in blue. Everything beside it is a mistake, in orange. A row shows what becomes of a digit, a column what is called by
# its name; two classes that are often confused stand out, where one number for the accuracy would hide them.

# %%
with torch.no_grad():
    guess = model(x[held_out]).argmax(dim=1)

held = held_out.numpy()
record.figure(draw.confusion(targets[held], guess.numpy(), 10), "11_confusion")

wrong = [i for i in range(len(held)) if guess[i].item() != targets[held[i]]]
right_ones = [i for i in range(len(held)) if guess[i].item() == targets[held[i]]]
chosen = (wrong + right_ones)[:16]
record.figure(draw.images(pictures[held[chosen]], targets[held[chosen]], guess.numpy()[chosen]), "11_digits")

# %% [markdown]
# Look at the mistakes themselves, always: some are bad handwriting, on which you would hesitate too, and some tell you
# what the network does not see. With 360 pictures the accuracy itself is only known to about a point. One picture more
# or less is 0.28 %.
#
# Change one thing: in `QUESTIONS`, give "is it even" the loss `F.mse_loss` (lesson 9 warned of it). Does the accuracy
# suffer?
#
# <details><summary>Answer</summary>
#
# The share that is counted as right falls, but only because the output is no logit any more: the targets are 0 and 1,
# so the boundary lies at 0.5, and the line with `> 0` counts wrong. Put 0.5 there, and it reads as well as before (98.3
# % against 96.9 % with this seed): squared error is poor *behind a sigmoid* that is sure and wrong, and here is no
# sigmoid. But a change of the loss changes what the output means, and what came out are no probabilities.
#
# </details>
#
# ## To remember
#
# - A hidden layer bends boundaries: relu gives straight pieces with corners, tanh curves.
# - The question decides head, loss and target: logits and cross-entropy, one logit and binary cross-entropy, a number
#   and squared error.
# - Depth and width are hyperparameters, tried out on data held out.
# - Watch both curves: what they do together is learning, what the training curve does alone is memory.
#
# ## Exercises
#
# In `curriculum/exercises/11_heads.py`:
#
# 1. *Write it:* `cross_entropy`, so that it survives large logits.
# 2. *Derive it:* `widest`, how many numbers a network has, and the widest that fits a budget; then measure.
# 3. *Find the planted bug:* `confusion`, which counts a confusion matrix.
#
# Check them: `python -m curriculum check 11`.
#
# ## Further reading
#
# - X. Glorot, A. Bordes, Y. Bengio, *Deep Sparse Rectifier Neural Networks*, AISTATS 2011.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3, Springer 2006.
# - In this repository: `minigrad/ops/loss_classes.py`, `minigrad/nn/linear.py`, `minigrad/optim/adam.py`.
