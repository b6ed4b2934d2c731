# %% [markdown]
# # 23. Residual learning
#
# **Why can a network of a hundred layers learn, if each layer may add to its input instead of replacing it?**
#
# A deeper network can do all that a shallower one can: let the layers it has more do nothing. Yet deeper plain networks
# end with a *larger training loss*. So it is no overfitting, it is the training that fails. Residual networks make
# doing nothing easy: a block computes $x + f(x)$, and $f = 0$ does nothing.

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
x = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())
x = x - x.mean(dim=0)
y = torch.tensor(targets)

# %% [markdown]
# ## The gradient's way through
#
# Through $L$ plain layers the chain rule gives a product, through $L$ residual blocks a product of *one plus
# something*:
#
# $$ \text{plain: } \frac{\partial h_L}{\partial h_0} = \prod_{l} f_l'(h_{l-1}) \qquad
#    \text{residual: } \frac{\partial h_L}{\partial h_0} = \prod_{l} \bigl(I + f_l'(h_{l-1})\bigr)
#    = I + \sum_l f_l' + \dots $$
#
# A product of many factors smaller than 1 vanishes: 64 factors of 0.5 are $5 \cdot 10^{-20}$. Multiplied out, the
# second product has the term $I$: one way on which the gradient is multiplied by nothing, however deep the network is.
# So it cannot vanish. It can grow, though: the other terms are there too, $2^{64}$ of them for 64 blocks, one for each
# choice of blocks that the signal goes through and blocks that it goes around.
#
# The way around a block is called a *skip connection*, or a shortcut. It has no weights, and costs one addition.


# %%
class Layer(nn.Module):
    """One linear layer and ReLU, with or without the skip."""

    def __init__(self, width, skip):
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.skip = skip

    def forward(self, x):
        change = torch.relu(self.linear(x))
        return x + change if self.skip else change


def network(depth, skip, width=32):
    return nn.Sequential(nn.Linear(64, width), *[Layer(width, skip) for _ in range(depth)], nn.Linear(width, 10))


def gradient_norms(depth, skip):
    """The norm of the loss's gradient at the weights of each hidden layer, before any training."""
    torch.manual_seed(seed)
    model = network(depth, skip)
    F.cross_entropy(model(x[:256]), y[:256]).backward()
    return [layer.linear.weight.grad.norm().item() for layer in model if isinstance(layer, Layer)]


plt = draw.pyplot()

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.4, 3.5), sharey=True)
norms = {}
for ax, skip, title in zip(axes, (False, True), ("plain", "residual"), strict=True):
    for depth, color in ((4, draw.GREY), (16, draw.BLUE), (64, draw.ORANGE)):
        norms[depth, skip] = gradient_norms(depth, skip)
        ax.plot(
            range(1, depth + 1), [norm or np.nan for norm in norms[depth, skip]], color=color, label=f"{depth} layers"
        )
    ax.set(title=title, xlabel="hidden layer, counted from the input", ylabel="norm of its gradient", yscale="log")
    ax.yaxis.set_tick_params(labelleft=True)
axes[1].legend(frameon=False)
fig.tight_layout()
record.figure(fig, "23_gradients")

plain, residual = norms[64, False][0], norms[64, True][0]
record.claim(
    "64 plain layers: the first one's gradient is a millionth of the last one's, or less",
    f"{plain / norms[64, False][-1]:.0e}",
    plain < 1e-6 * norms[64, False][-1],
)
record.claim(
    "64 residual blocks: the first one's gradient is at least a hundredth of the last one's",
    f"{residual / norms[64, True][-1]:.3g}",
    residual > 0.01 * norms[64, True][-1],
)

# %% [markdown]
# The plain network loses a constant factor a layer, which is a straight line in this logarithmic picture; where the
# line ends, in float32, the gradient is too small to be stored and is 0 (PyTorch's default initialization is smaller
# than ReLU needs; lesson 17 shows the better one). In the residual network every layer gets a gradient of about the
# same size. For 64 blocks that size is $10^5$: nothing has vanished, and much has grown. Every block adds to the
# signal, so the signal doubles every few blocks, and so does what flows back. A step against a gradient of $10^5$ at
# the usual learning rate would throw the weights far away. The skip cures vanishing, and needs a second measure against
# growing: ResNets carry batch normalization inside the block, transformers layer normalization, and others start each
# block near zero, as we do in a moment.
#
# Do not read too much into the picture's left end: a gradient that is small everywhere is no harm, since Adam divides
# by its size. What harms is a *ratio*: no learning rate suits a layer whose gradient is $10^{-20}$ of another's.
#
# ## Training at growing depth
#
# Both kinds, at depth 2, 8 and 24, with the same optimizer and the same number of steps. The residual blocks start at a
# tenth of their weights, so that the sums stay small.


# %%
def train(depth, skip, steps=80):
    torch.manual_seed(seed)
    model = network(depth, skip)
    if skip:
        with torch.no_grad():
            for layer in model:
                if isinstance(layer, Layer):
                    layer.linear.weight *= 0.1
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    name, losses = f"{'residual' if skip else 'plain'} {depth}", []
    order = torch.randperm(1437)
    for number in record.progress(range(steps), name):
        rows = order[64 * (number % 22) :][:64]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        record.step(name, loss=loss.item(), model=model)
        losses.append(loss.item())
    return losses


# %%
fig, axes = plt.subplots(1, 2, figsize=(9.4, 3.5), sharey=True)
final = {}
for ax, skip, title in zip(axes, (False, True), ("plain", "residual"), strict=True):
    for depth, color in ((2, draw.GREY), (8, draw.BLUE), (24, draw.ORANGE)):
        losses = train(depth, skip)
        final[depth, skip] = np.mean(losses[-20:])
        ax.plot(losses, color=color, label=f"{depth} layers", linewidth=1.2)
    ax.set(title=title, xlabel="step", ylabel="cross-entropy of the batch")
    ax.yaxis.set_tick_params(labelleft=True)
axes[1].legend(frameon=False)
fig.tight_layout()
record.figure(fig, "23_depth")
for depth in (2, 8, 24):
    print(f"depth {depth:2}: plain {final[depth, False]:.3f}, residual {final[depth, True]:.3f}")
record.claim(
    "24 plain layers do not learn in 80 steps (guessing has loss 2.30)", final[24, False], final[24, False] > 2.0
)
record.claim("24 residual blocks learn at least as well as 2", final[24, True], final[24, True] < final[2, True])

# %% [markdown]
# Plain networks get worse with depth, residual ones better: the same layers, the same optimizer. In fairness: the plain
# one of 24 layers is not beyond help, Kaiming's initialization and batch normalization (lessons 17 and 18) let it
# learn. The paper's point is that beyond some depth even these did not suffice, and the skip did.
#
# ## ResNet18
#
# The network of the paper, for colour pictures. Two convolutions with batch normalization make a block, and the input
# is added before the last ReLU. Where a block halves the picture and doubles the channels, a 1 × 1 convolution brings
# the input into the same shape. Eight blocks of two, the first convolution and the linear layer: 18 with weights.


# %%
class Block(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)  # its shift replaces the convolution's bias
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        skip = x if self.downsample is None else self.downsample(x)
        change = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(skip + self.bn2(self.conv2(change)))


# %%
class ResNet18(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(Block(64, 64), Block(64, 64))
        self.layer2 = nn.Sequential(Block(64, 128, stride=2), Block(128, 128))
        self.layer3 = nn.Sequential(Block(128, 256, stride=2), Block(256, 256))
        self.layer4 = nn.Sequential(Block(256, 512, stride=2), Block(512, 512))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


torch.manual_seed(seed)
resnet = ResNet18()
for name, part in resnet.named_children():
    print(f"{name:8} {sum(p.numel() for p in part.parameters()):>12,}")
count = sum(p.numel() for p in resnet.parameters())
record.claim("ResNet18 has 11,689,512 parameters with 1,000 classes", f"{count:,}", count == 11_689_512)

# %% [markdown]
# The names are those of torchvision, so its weights would fit: `resnet.load_state_dict(torch.load(...))`. One step
# forward and one backward, on two small pictures of 64 × 64:

# %%
images = torch.randn(2, 3, 64, 64)
start = time.perf_counter()
logits = resnet(images)
loss = F.cross_entropy(logits, torch.tensor([3, 999]))
loss.backward()
print(f"loss {loss.item():.4f}, forward and backward {record.timed(time.perf_counter() - start, '.2f')} s")
whole = all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in resnet.parameters())
record.step("ResNet18", loss=loss.item(), params=[resnet.conv1.weight, resnet.layer4[1].bn2.weight, resnet.fc.bias])
record.claim("every one of its parameters gets a finite gradient", f"loss {loss.item():.4f}", whole)

first = resnet.conv1.weight.grad.norm().item()
print(
    f"norm of the gradient at the first convolution {first:.2f}, at the last {resnet.layer4[1].conv2.weight.grad.norm().item():.2f}"
)

# %% [markdown]
# ## To remember
#
# - A deep plain network fails to *train*; it does not overfit.
# - $x + f(x)$: the derivative is $I + f'$, and the gradient reaches every layer.
# - Sums grow with depth: normalize inside the block, or start it near zero.
#
# ## Exercises
#
# In `curriculum/exercises/23_residual.py`:
#
# 1. *Write it:* a residual block that halves the picture, and count its parameters.
# 2. *Derive it:* how many of the ways of the gradient go through exactly $k$ blocks.
# 3. *Change one thing:* a single tensor, so that the block begins by doing nothing.
#
# Check them: `python -m curriculum check 23`.
#
# ## Further reading
#
# - K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016.
# - A. Veit, M. Wilber, S. Belongie, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*,
#   NIPS 2016.
# - H. Zhang, Y. Dauphin, T. Ma, *Fixup Initialization: Residual Learning Without Normalization*, ICLR 2019.
