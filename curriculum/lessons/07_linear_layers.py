# %% [markdown]
# # 7. Linear layers
#
# **What does a layer hold, and what do its numbers mean?**
#
# Until now we kept the weights in variables of our own. A network has many of them. From here on *modules* hold them. A
# module is an object with two jobs: it computes an output from an input when it is called, and it knows its parameters,
# the tensors that training changes. We meet the module that nearly every network is made of, count its numbers, write
# them by hand, and read what they have learned.

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
# Think of scoring flats by three numbers: size, age, distance to the station. A sensible score is a weighted sum, so
# much for each square metre, minus so much for each year, plus a number to start from. That is one output of a *linear
# layer*. In the language of networks it is a *unit*, or *neuron*, with three *weights* and a *bias*; the word neuron
# comes from a comparison with nerve cells, which also add up what comes in. A layer computes several such sums of the
# same inputs at once:
#
# $$ y = x W^\top + b, \qquad W : (\text{out}, \text{in}), \quad b : (\text{out}) $$
#
# $x$ holds an example in each row, $y$ its outputs. Row $j$ of $W$ holds the weights of output $j$; $W^\top$ is $W$
# with rows and columns exchanged, so that the sizes fit: (rows, in) times (in, out) is (rows, out). The bias is a row
# that broadcasting (lesson 4) adds to every example.
#
# How many numbers is that? Each of the $n$ outputs has $m$ weights, one for each input, and a bias: $n (m + 1)$.

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
# Weight and bias are printed as `Parameter`. A parameter is a tensor with `requires_grad=True` that a module finds when
# it is stored as an attribute: `self.scale = nn.Parameter(torch.ones(3))` is registered, a plain tensor is not. What is
# not registered is not in `parameters()`, so no optimizer moves it, and it is not saved either.
#
# The weights start at random, uniformly between $\pm 1/\sqrt{m}$. Why random? If all units of a layer started equal,
# they would compute the same, receive the same slopes, and stay equal for ever, one unit in many copies. Why just so
# large? Lesson 17 asks that.
#
# ## Several in a row
#
# `nn.Sequential` is a module that holds others and calls them one after the other. Between two linear layers usually
# stands an *activation function*, which is applied to each number alone. The commonest is the *rectified linear unit*,
# $\text{relu}(z) = \max(0, z)$: what is negative becomes 0, the rest stays. Below we see what would be missing without
# it. A layer whose outputs are neither the input nor the answer is called *hidden*, and "64-32-10" is short for 64
# inputs, 32 hidden units and 10 outputs.
#
# Parameters get their names from their place: `0.weight` is the weight of the first part, `2.bias` the bias of the
# third (the second is the ReLU, which has none). The dictionary from names to tensors is the *state dict*,
# `state_dict()`; it is what one saves and loads.

# %%
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
print(model)
for name, parameter in model.named_parameters():
    print(f"{name:10} {tuple(parameter.shape)!s:10} {parameter.numel():6,}")
total = sum(p.numel() for p in model.parameters())
record.claim("64-32-10 has 32 (64 + 1) + 10 (32 + 1) numbers", f"{total:,}", total == 32 * 65 + 10 * 33)

# %% [markdown]
# Before you go on: how many numbers has 64-64-64-10? Change the sizes above and let it count.
#
# <details><summary>Answer</summary>
#
# 64 · 65 + 64 · 65 + 10 · 65 = 8,970. Nearly all of them lie between the wide layers: a layer's numbers grow with the
# product of its two sizes.
#
# </details>
#
# ## Writing weights: exclusive or
#
# No training here; we write the numbers ourselves. The network has two inputs, $a$ and $b$, each 0 or 1, and shall
# answer "one or the other, but not both" (in logic: *exclusive or*). Two hidden units are enough:
#
# $$ h_1 = \max(0, a + b), \quad h_2 = \max(0, a + b - 1), \quad y = h_1 - 2 h_2 $$
#
# Follow one input: $a = b = 1$ gives $h_1 = 2$, $h_2 = 1$ and $y = 2 - 2 \cdot 1 = 0$. With one of them 1, $h_1 = 1$
# and $h_2 = 0$, so $y = 1$. The first unit counts, the second fires only when both are there, and takes the answer
# back.
#
# Values are written under `torch.no_grad()`, since writing is no part of a formula and must not be recorded. Methods
# whose name ends in an underscore, such as `fill_`, `copy_` and `zero_`, change the tensor in place.

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
twin.load_state_dict(xor.state_dict())  # all values at once, by their names
print("the twin answers the same:", torch.equal(twin(inputs), xor(inputs)))

# %%
hidden = nn.Sequential(xor[0], xor[1])  # the same modules, not copies
shown = {
    "h1 counts": lambda p: hidden(p)[:, 0],
    "h2: are both there?": lambda p: hidden(p)[:, 1],
    "y = h1 - 2 h2": lambda p: xor(p)[:, 0],
}
record.figure(draw.heights(shown, (-0.4, 1.4), inputs), "7_exclusive_or")

# %% [markdown]
# The pictures show each number over the whole plane, blue where it is positive, red where it is negative. Each hidden
# unit is flat on one side of a line and rises on the other. The output has a ridge: it rises up to the line $a + b = 1$
# and falls behind it. A single linear layer has no ridge. It is a tilted plane, and whatever lifts $(0, 1)$ and
# $(1, 0)$ lifts $(1, 1)$ even higher, unless $(0, 0)$ is already up. So no linear function is exclusive or.
#
# ## Without something between them, two layers are one
#
# Would a second linear layer help? Multiply it out:
#
# $$ (x W_1^\top + b_1) W_2^\top + b_2 = x (W_2 W_1)^\top + (b_1 W_2^\top + b_2) $$
#
# On the right stands one linear layer, with the weight $W_2 W_1$ and the bias $b_1 W_2^\top + b_2$. However many linear
# layers follow one another, what they compute is one linear function. Here are two layers of 144 and 84 numbers, and
# the one that replaces them, which has 28.

# %%
one, two = nn.Linear(6, 20), nn.Linear(20, 4)
x = torch.randn(50, 6)
weight, bias = two.weight @ one.weight, one.bias @ two.weight.T + two.bias
apart = (two(one(x)) - (x @ weight.T + bias)).abs().max().item()
bent = (two(F.relu(one(x))) - (x @ weight.T + bias)).abs().max().item()
print(f"with a relu between them they differ from it by up to {bent:.2f}")
record.claim("two linear layers in a row are one layer", f"{apart:.0e} apart", apart < 1e-5)
record.claim("with relu between them they are not", f"{bent:.2f} apart", bent > 0.05)

# %% [markdown]
# ## Reading weights: ten pictures of what a digit is
#
# Now a layer that learns. The data are 1,797 handwritten digits, each 8 × 8 grey values, and one layer from these 64
# numbers to ten *scores*, one for each digit. The answer is the digit with the largest score; `argmax` gives its place.
#
# What should the scores be? Say 1 for the right digit and 0 for the nine others; `F.one_hot` writes a 7 as a row of ten
# numbers with a 1 at place 7. The loss is then the mean squared error of lesson 2. (There is a better loss for such
# questions. Lessons 9 and 10 derive it.) The optimizer is SGD with momentum, from lesson 6.
#
# Each score has 64 weights, one for each place of the picture, so after training they can be looked at as a picture. We
# let them start at 0: then a place where no digit ever has ink, such as a corner, keeps the weight 0. One layer alone
# may start equal, since its ten outputs have ten different goals.

# %%
pictures, targets = digits()
x = torch.tensor(pictures.reshape(-1, 64) / 16, dtype=torch.get_default_dtype())  # (1797, 64), from 0 to 1
y = torch.tensor(targets)  # (1797,), the digits
wanted = F.one_hot(y, 10).to(x.dtype)  # (1797, 10)

reader = nn.Linear(64, 10)
with torch.no_grad():
    reader.weight.zero_()
optimizer = torch.optim.SGD(reader.parameters(), lr=0.2, momentum=0.9)
for _ in record.progress(range(200), "steps"):
    optimizer.zero_grad()
    loss = ((reader(x) - wanted) ** 2).mean()
    loss.backward()
    optimizer.step()
    record.step("one layer reads digits", loss=loss.item(), model=reader)
accuracy = (reader(x).argmax(dim=1) == y).to(x.dtype).mean().item()
record.claim("one layer tells most digits apart, those it was trained on", f"{100 * accuracy:.1f} %", accuracy > 0.9)

# %%
means = np.stack([pictures[targets == digit].mean(axis=0) for digit in range(10)])
weights = reader.weight.detach().numpy().reshape(10, 8, 8)
record.figure(draw.readers(means, weights), "7_weights_of_ten_digits")
centre = weights[0, 3:5, 3:5].mean()
record.claim("ink in the centre speaks against a zero", f"mean weight {centre:.2f}", centre < -0.03)
never = pictures.max(axis=0) == 0
record.claim(
    "where no picture has ink, every weight is still 0",
    f"{int(never.sum())} of 64 places", never.sum() > 0 and np.abs(weights[:, never]).max() == 0,
)  # fmt: skip

# %% [markdown]
# Above the mean picture of each digit, below its weights. Blue: ink here speaks for the digit. Red: ink here speaks
# against it. The weights are no mean pictures. They say what tells a digit from *the others*: a zero is known by its
# empty centre, since nearly every other digit has ink there. Where all digits look alike, the weights have nothing to
# say.
#
# Read them with care. Neighbouring places have much ink in common, so their weights can share the work in many ways,
# and a weight of 0 may mean "not needed, the neighbour does it". That a network of one layer can be read at all is a
# luxury. With hidden layers the weights of the first layer are pictures still, but of parts that no one has named.
#
# Change one thing: let the weights start at random, by deleting the line `reader.weight.zero_()`. What do the corners
# look like then, and does the accuracy change?
#
# <details><summary>Answer</summary>
#
# The unused places keep the noise they started with: their slope is 0, since their input is always 0. The accuracy
# stays about the same, because no digit has ink there.
#
# </details>
#
# ## To remember
#
# - A layer from $m$ to $n$ holds $n (m + 1)$ numbers; the weight's shape is (out, in).
# - `parameters()` for the optimizer, `named_parameters()` to look, `state_dict()` to save; write under `no_grad()`.
# - What stands between linear layers makes the network. Without it they are one layer.
#
# ## Exercises
#
# In `curriculum/exercises/07_linear_layers.py`:
#
# 1. *Write it:* `count`, a network's parameters from its sizes.
# 2. *Derive it:* `merge`, one layer of any number of layers.
# 3. *Change one thing:* `exactly_one`, weights that answer "exactly one of three".
# 4. *Find the planted bug:* `Bend`, a module that does not train all that it should.
#
# Check them: `python -m curriculum check 07`.
#
# ## Further reading
#
# - M. Minsky, S. Papert, *Perceptrons*, MIT Press 1969: what one layer cannot do.
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature
#   323, 1986.
# - In this repository: `minigrad/nn/module.py`, `minigrad/nn/linear.py`.
