# %% [markdown]
# # 21. Convolution
#
# **How can nine weights look at a whole picture?**
#
# A linear layer gives every pixel a weight of its own: what it learns about a stroke in one corner it does not know
# about the other corners. A convolution slides one small window of weights over the picture and asks the same question
# everywhere.

# %%
import numpy as np

from curriculum import draw, record
from curriculum.data import digits
from curriculum.engine import seed, torch

nn = torch.nn
F = nn.functional
torch.manual_seed(seed)

pictures, targets = digits()
x = torch.tensor(pictures / 16, dtype=torch.get_default_dtype()).unsqueeze(1)  # (1797, 1, 8, 8): one channel, grey
y = torch.tensor(targets)

# %% [markdown]
# ## A window that slides
#
# At each place the window $w$ of $k \times k$ weights is laid on the picture $x$, and the products are summed:
#
# $$ z_{i,j} = b + \sum_{u=0}^{k-1} \sum_{v=0}^{k-1} w_{u,v}\; x_{i+u,\;j+v} $$
#
# Mathematicians would call this a cross-correlation; a convolution in their sense turns the window round first. Since
# the weights are learned, it makes no difference. With loops:


# %%
def slide(picture, window):
    k = len(window)
    rows, columns = picture.shape[0] - k + 1, picture.shape[1] - k + 1
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (window * picture[i : i + k, j : j + k]).sum()
    return result


upright = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])  # bright on the right, dark on the left
lying = upright.T
by_hand = slide(pictures[0] / 16, upright)
window = torch.tensor(upright, dtype=torch.get_default_dtype()).reshape(1, 1, 3, 3)
by_engine = F.conv2d(x[:1], window)[0, 0]
off = float(np.abs(by_hand - by_engine.numpy()).max())
record.claim("the loop and conv2d compute the same", f"{off:.0e}", off < 1e-5)

# %% [markdown]
# These two windows are Sobel's: one answers where ink begins or ends from left to right, the other from top to bottom.

# %%
plt = draw.pyplot()
fig, axes = plt.subplots(3, 5, figsize=(8, 4.8))
for column, number in enumerate((0, 1, 4, 7, 13)):
    picture = pictures[number] / 16
    shown = (picture, slide(picture, upright), slide(picture, lying))
    for ax, image, title in zip(axes[:, column], shown, ("picture", "upright edges", "lying edges"), strict=True):
        limit = 1 if title == "picture" else 4
        cmap = "gray_r" if title == "picture" else draw.SIGNS
        ax.imshow(image, cmap=cmap, vmin=0 if title == "picture" else -limit, vmax=limit)
        ax.set(xticks=[], yticks=[])
        if column == 0:
            ax.set_ylabel(title)
fig.tight_layout()
record.figure(fig, "21_edges")

# %% [markdown]
# ## Sizes
#
# A window of $k$ over $n$ pixels, padded with $p$ zeros at each end, moved $s$ pixels at a time, its weights $d$ pixels
# apart, stops at so many places:
#
# $$ n' = \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1 $$
#
# Three cases are worth knowing by heart: $k = 3$, $p = 1$, $s = 1$ keeps the size; $k = 3$, $p = 1$, $s = 2$ halves it;
# pooling with $k = s = 2$ halves it. We do not believe the formula, we check it:


# %%
def size_after(n, kernel, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


tried = wrong = 0
for n in (5, 8, 13, 28):
    for kernel in (1, 2, 3, 5):
        for stride in (1, 2, 3):
            for padding in (0, 1, 2):
                for dilation in (1, 2):
                    expected = size_after(n, kernel, stride, padding, dilation)
                    if expected < 1:
                        continue
                    layer = nn.Conv2d(1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
                    tried += 1
                    wrong += layer(torch.zeros(1, 1, n, n)).shape[-1] != expected
record.claim("the formula gives the size of every map", f"{tried - wrong} of {tried} settings", wrong == 0)

# %% [markdown]
# Where the division does not come out even, the last pixels are never looked at: 8 pixels, a window of 3 and steps of 2
# give 3 places, and the last column is lost without a word.
#
# ## Channels
#
# A colour picture has three channels, a hidden layer may have 64. Each output channel owns one window *for every* input
# channel and sums over them all. So the weight has the shape (out, in, k, k), and a layer has
# $\text{out}\cdot(\text{in}\cdot k^2 + 1)$ parameters, however large the picture is.

# %%
layer = nn.Conv2d(3, 16, 3, padding=1)
count = sum(p.numel() for p in layer.parameters())
dense = (3 * 32 * 32 + 1) * 16 * 32 * 32
print("weight", tuple(layer.weight.shape), "bias", tuple(layer.bias.shape))
print(f"3 -> 16 channels, 32 x 32 pixels: convolution {count:,} parameters, linear layer of the same shape {dense:,}")
record.claim("a convolution has out (in k² + 1) parameters", f"{count}", count == 16 * (3 * 9 + 1))

# %% [markdown]
# Sharing has a second consequence. If the picture moves, its map moves with it, and nothing else changes:

# %%
blank = torch.zeros(1, 1, 16, 16)
here, there = blank.clone(), blank.clone()
here[:, :, 2:10, 2:10] = x[:1]
there[:, :, 4:12, 5:13] = x[:1]  # two down, three to the right
moved = F.conv2d(here, window, padding=1)[:, :, :-2, :-3] - F.conv2d(there, window, padding=1)[:, :, 2:, 3:]
record.claim("the map of a moved picture is the moved map", moved.abs().max().item(), moved.abs().max().item() < 1e-6)

# %% [markdown]
# ## A window learned from examples
#
# Nobody needs to invent the windows. (In older books they are called *filters* or *kernels*; a "3 × 3 kernel" is a
# window of nine weights.) Show a layer pictures and the edges that Sobel's window found in them, and gradient descent
# finds the nine numbers. The slope of a weight sums over all places where it was used:
#
# $$ \frac{\partial L}{\partial w_{u,v}} = \sum_{i,j} \frac{\partial L}{\partial z_{i,j}}\; x_{i+u,\;j+v} $$

# %%
wanted = F.conv2d(x[:256], window)
layer = nn.Conv2d(1, 1, 3, bias=False)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.2, momentum=0.9)
snapshots = {0: layer.weight.detach().clone()}
for number in range(1, 201):
    optimizer.zero_grad()
    loss = F.mse_loss(layer(x[:256]), wanted)
    loss.backward()
    optimizer.step()
    record.step("one window", loss=loss.item(), model=layer)
    if number in (3, 10, 200):
        snapshots[number] = layer.weight.detach().clone()

fig, axes = plt.subplots(1, 5, figsize=(8.4, 2.1))
for ax, (when, image) in zip(axes, [*snapshots.items(), ("Sobel", window)], strict=True):
    ax.imshow(image[0, 0].numpy(), cmap=draw.SIGNS, vmin=-2, vmax=2)
    for i in range(3):
        for j in range(3):
            value = image[0, 0, i, j].item()
            ax.text(
                j, i, f"{value + 0.0:.1f}", ha="center", va="center", color="white" if abs(value) > 1.2 else "black"
            )
    ax.set(xticks=[], yticks=[], title=when if when == "Sobel" else f"step {when}")
fig.tight_layout()
record.figure(fig, "21_learned")
off = (layer.weight.detach() - window).abs().max().item()
record.claim("gradient descent finds Sobel's nine numbers", f"off by {off:.1e}", off < 1e-2)

# %% [markdown]
# One picture and one window as a page. Forward, point at a place of the map: its window lights up in the picture, and
# the nine products stand below. Backward, point at one of the nine weights' gradients: it adds up over all 36 places
# where the weight was used.


# %%
def one_window():
    picture, goal = x[:1], wanted[:1]
    weight = torch.tensor([[[[-0.5, 0.2, 0.4], [-1.0, 0.1, 1.2], [-0.6, -0.1, 0.7]]]], requires_grad=True)
    answer = F.conv2d(picture, weight)
    return F.mse_loss(answer, goal)


draw.backward(one_window, "21_backward")

# %% [markdown]
# ## Max pooling
#
# Pooling keeps the largest of each 2 × 2 square: *that* there was an edge, hardly where. It has no weights, and its
# slope is 1 for the winner and 0 for the three others.

# %%
small = torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_()
pooled = F.max_pool2d(small, 2)
pooled.sum().backward()
print(pooled.detach().numpy()[0, 0])
print(small.grad.numpy()[0, 0])
winners = int(small.grad.sum().item())
record.claim("each square hands its slope to one pixel", f"{winners} of 16 pixels", winners == 4)

# %% [markdown]
# ## Feature maps
#
# A small network learns to tell the digits apart: eight windows, ReLU, pooling, one linear layer. Afterwards we look at
# what its windows answer. 1 × 8 × 8 becomes 8 × 8 × 8, pooled 8 × 4 × 4, and 128 numbers go into the last layer.

# %%
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 4 * 4, 10))
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(2026))
held_out, used = order[:360], order[360:]
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for _ in record.progress(range(15), "epochs"):
    for batch in used[torch.randperm(len(used))].split(64):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        record.step("classifier", loss=loss.item(), model=model)

with torch.no_grad():
    accuracy = (model(x[held_out]).argmax(dim=1) == y[held_out]).to(torch.float32).mean().item()
    maps = model[1](model[0](x[:2]))
    pooled = model[2](maps)
parameters = sum(p.numel() for p in model.parameters())
print(f"{parameters} parameters")
record.claim(
    "eight windows and one linear layer read at least 95 % of 360 held-out digits",
    f"{100 * accuracy:.1f} %",
    accuracy >= 0.95,
)

# %%
fig, axes = plt.subplots(5, 9, figsize=(9.5, 5.6))
rows = [
    ("window", model[0].weight.detach()[:, 0]),
    ("map", maps[0]),
    ("pooled", pooled[0]),
    ("map", maps[1]),
    ("pooled", pooled[1]),
]
for row, (name, shown) in enumerate(rows):
    signed = name == "window"
    limit = shown.abs().max().item()
    for channel in range(8):
        ax = axes[row, channel + 1]
        ax.imshow(
            shown[channel].numpy(), cmap=draw.SIGNS if signed else "viridis", vmin=-limit if signed else 0, vmax=limit
        )
    axes[row, 1].set_ylabel(name)
    if name == "map":
        axes[row, 0].imshow(pictures[row // 2 if row > 1 else 0], cmap="gray_r")
        axes[row, 0].set_title("picture", fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
for ax in axes[(0, 2, 4), 0]:
    ax.axis("off")
for channel in range(8):
    axes[0, channel + 1].set_title(f"channel {channel}", fontsize=9)
fig.tight_layout()
record.figure(fig, "21_feature_maps")

# %% [markdown]
# Some channels answer to ink as such, others only to an edge of one direction: their maps are bright where the digit
# has such an edge. The pooled maps are coarser and still tell the 0 from the 1. The network has 1,370 parameters;
# lesson 11's has 4,810.
#
# Change one thing: take `nn.MaxPool2d(2)` out and let the last layer read 8 · 8 · 8 numbers. How many parameters has
# the network then, and does it read better?
#
# <details><summary>What to expect</summary>
#
# The last layer grows from 128 · 10 to 512 · 10 weights, four times as many, and nearly all parameters of the network
# are in it. On digits that are centred and all of one size, accuracy hardly moves. Pooling pays where the same stroke
# turns up a pixel further to the left.
#
# </details>
#
# ## To remember
#
# - The same few weights everywhere: few parameters, and a map that moves with the picture.
# - $n' = \lfloor (n + 2p - d(k-1) - 1)/s \rfloor + 1$; out · (in · k² + 1) parameters.
# - A map is one channel's answer at every place; pooling keeps the strongest answer of a neighbourhood.
#
# ## Exercises
#
# In `curriculum/exercises/21_convolution.py`:
#
# 1. *Write it:* `conv2d` with channels, stride and padding, and the size formula.
# 2. *Derive it:* how many multiplications that takes.
# 3. *Find the planted bug:* the slope of a window, which is nearly right.
#
# Check them: `python -m curriculum check 21`.
#
# ## Further reading
#
# - K. Fukushima, *Neocognitron*, Biological Cybernetics 36, 1980.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-Based Learning Applied to Document Recognition*, Proceedings
#   of the IEEE 86, 1998.
# - V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, arXiv 1603.07285, 2016.
# - In this repository: `minigrad/ops/conv.py`.
