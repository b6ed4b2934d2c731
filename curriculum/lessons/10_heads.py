# %% [markdown]
# # 10. Digits
#
# **Can a network of two layers read handwriting it has never seen?**
#
# Everything from lessons 2 and 3, with 4,810 weights instead of one: pictures of 8 × 8 grey values go in, ten
# numbers come out, one for each digit, and the largest is the answer.

# %%
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
# ## The network
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
    draw.curves({"trained on": curve_train, "held out": curve_held_out}, "epoch", "cross-entropy"), "10_losses"
)

# %% [markdown]
# The two curves fall together and then part: the loss on the training data goes on towards 0, while the held-out one
# levels off. From there on the network learns its pictures by heart.

# %%
with torch.no_grad():
    guess = model(x[held_out]).argmax(dim=1)

held = held_out.numpy()
record.figure(draw.confusion(targets[held], guess.numpy(), 10), "10_confusion")

# %%
wrong = [i for i in range(len(held)) if guess[i].item() != targets[held[i]]]
right = [i for i in range(len(held)) if guess[i].item() == targets[held[i]]]
chosen = (wrong + right)[:16]
record.figure(draw.images(pictures[held[chosen]], targets[held[chosen]], guess.numpy()[chosen]), "10_digits")

# %% [markdown]
# ## To remember
#
# - The loop is the one of lesson 2: clear, loss, `backward()`, update. Only the model grew.
# - Cross-entropy's slope at the logits is the probability given minus the probability wanted.
# - Measure on data that was held out.
#
# ## Exercise
#
# `curriculum/exercises/10_heads.py`: write the cross-entropy yourself, so that it survives large logits.
# Check it: `python -m curriculum check 10`.
#
# ## Further reading
#
# - X. Glorot, A. Bordes, Y. Bengio, *Deep Sparse Rectifier Neural Networks*, AISTATS 2011.
# - C. M. Bishop, *Pattern Recognition and Machine Learning*, section 4.3, Springer 2006.
# - In this repository: `minigrad/ops/loss.py`, `minigrad/nn/linear.py`, `minigrad/optim/adam.py`.
