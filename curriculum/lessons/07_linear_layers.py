# %% [markdown]
# # 7. Linear layers
#
# **What does a layer hold, and what do its numbers mean?**
#
# Until now we held weights in our hands. From here on a module holds them: it knows its parameters, names them, saves
# them. We count them, read them and write them.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

# %% [markdown]
# ## One layer
#
# $$ y = x W^\top + b, \qquad W : (\text{out}, \text{in}), \quad b : (\text{out}) $$
#
# Each of the $n$ outputs has $m$ weights, one for each input, and a bias: $n (m + 1)$ numbers.

# %%
layer = nn.Linear(3, 2)
x = torch.randn(5, 3)
print(layer, layer.weight, layer.bias, sep="\n")
by_hand = x @ layer.weight.T + layer.bias
apart = (layer(x) - by_hand).abs().max().item()
count = sum(p.numel() for p in layer.parameters())
record.claim(
    "a layer from 3 to 2 computes x Wᵀ + b, with 2 (3 + 1) = 8 numbers", f"{count} numbers", apart < 1e-6 and count == 8
)

# %% [markdown]
# The weights start at random, uniformly between $\pm 1/\sqrt{m}$; lesson 17 asks why.
#
# ## Several in a row
#
# `nn.Sequential` calls its parts one after the other. Parameters get names from their place; the `state_dict` is what
# is saved.

# %%
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
print(model)
for name, parameter in model.named_parameters():
    print(f"{name:10} {tuple(parameter.shape)!s:10} {parameter.numel():6,}")
total = sum(p.numel() for p in model.parameters())
record.claim("64-32-10 has 32 (64 + 1) + 10 (32 + 1) numbers", f"{total:,}", total == 32 * 65 + 10 * 33)

# %% [markdown]
# ## Writing weights: exclusive or
#
# No training here. A network of two hidden units answers "one or the other, but not both" when we write these weights
# into it:
#
# $$ h_1 = \max(0, a + b), \quad h_2 = \max(0, a + b - 1), \quad y = h_1 - 2 h_2 $$
#
# Values are written under `no_grad()`, since writing is no part of a formula; or as a whole by `load_state_dict`.

# %%
xor = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
with torch.no_grad():
    xor[0].weight.fill_(1.0)
    xor[0].bias.copy_(torch.tensor([0.0, -1.0]))
    xor[2].weight.copy_(torch.tensor([[1.0, -2.0]]))
    xor[2].bias.zero_()
inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
answers = xor(inputs).flatten().tolist()
print(answers)
record.claim("weights written by hand compute exclusive or", f"{answers}", answers == [0.0, 1.0, 1.0, 0.0])

twin = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
twin.load_state_dict(xor.state_dict())
print(torch.equal(twin(inputs), xor(inputs)))

# %% [markdown]
# ## Without something between them, two layers are one
#
# $$ (x W_1^\top + b_1) W_2^\top + b_2 = x (W_2 W_1)^\top + (b_1 W_2^\top + b_2) $$
#
# However many linear layers follow one another, what they compute is linear. No linear function is exclusive or.

# %%
one, two = nn.Linear(6, 20), nn.Linear(20, 4)
merged = nn.Linear(6, 4)
with torch.no_grad():
    merged.weight.copy_(two.weight @ one.weight)
    merged.bias.copy_(two.weight @ one.bias + two.bias)
x = torch.randn(50, 6)
apart = (two(one(x)) - merged(x)).abs().max().item()
record.claim("two linear layers in a row are one layer", f"{apart:.0e} apart", apart < 1e-5)

# %% [markdown]
# ## Reading weights: ten pictures of what a digit is
#
# One layer from the 64 grey values of a digit to ten scores. Each score has 64 weights, one for each place of the
# picture; so after training they can be looked at as a picture. Blue: ink here speaks for the digit; red: against it.

# %%
pictures, targets = digits()
x = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())
y = torch.tensor(targets)
reader = nn.Linear(64, 10)
optimizer = torch.optim.SGD(reader.parameters(), lr=0.5, weight_decay=1e-3)
losses = []
for _ in record.progress(range(200), "steps"):
    optimizer.zero_grad()
    loss = F.cross_entropy(reader(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    record.step("one layer reads digits", loss=loss.item(), model=reader)
accuracy = (reader(x).argmax(dim=1) == y).to(x.dtype).mean().item()

fig, axes = draw.pyplot().subplots(2, 10, figsize=(11, 2.9))
weights = reader.weight.detach().numpy().reshape(10, 8, 8)
limit = np.abs(weights).max()
for digit in range(10):
    axes[0, digit].imshow(pictures[targets == digit].mean(axis=0), cmap="gray_r")
    axes[1, digit].imshow(weights[digit], cmap=draw.SIGNS, vmin=-limit, vmax=limit)
    axes[0, digit].set_title(str(digit))
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("mean picture", fontsize=8)
axes[1, 0].set_ylabel("weights", fontsize=8)
fig.tight_layout()
record.figure(fig, "7_weights_of_ten_digits")
centre = weights[0, 3:5, 3:5].mean()
record.claim("ink in the centre speaks against a zero", f"mean weight {centre:.2f}", centre < -0.1)
record.claim("one layer tells most digits apart, those it was trained on", f"{100 * accuracy:.1f} %", accuracy > 0.9)

# %% [markdown]
# The weights are no mean pictures: they say what tells a digit from the others. A zero is known by its empty centre.
#
# ## To remember
#
# - A layer from $m$ to $n$ holds $n (m + 1)$ numbers; the weight's shape is (out, in).
# - `parameters()`, `named_parameters()`, `state_dict()`; write under `no_grad()`.
# - What stands between linear layers makes the network.
#
# ## Exercise
#
# `curriculum/exercises/07_linear_layers.py`: count a network's parameters from its sizes, and make one layer of two.
# Check it: `python -m curriculum check 07`.
#
# ## Further reading
#
# - M. Minsky, S. Papert, *Perceptrons*, MIT Press 1969: what one layer cannot do.
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature 323, 1986.
# - In this repository: `minigrad/nn/module.py`, `minigrad/nn/linear.py`.
