"""Training programs on which the engines agree, whatever type they name and whoever takes the step."""

import random

import numpy as np

from .table import program


def network(torch, inputs=3, outputs=1):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))


def train(torch, model, optimizer, x, y, steps=5):
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(x) - y) ** 2).mean().backward()
        optimizer.step()


DATA = np.random.default_rng(0).normal(size=(20, 3))
SINGLE = DATA.astype(np.float32)


@program("as usual")
def usual(torch):
    model = network(torch)
    train(torch, model, torch.optim.Adam(model.parameters(), lr=0.01), torch.randn(20, 3), torch.randn(20, 1))


@program(".float() on data and model")
def floats(torch):
    model = network(torch).float()
    x = torch.tensor(DATA).float()
    train(torch, model, torch.optim.SGD(model.parameters(), lr=0.1), x, x.sum(1, keepdim=True).float())


@program("float32 by name")
def by_name(torch):
    model = network(torch).to(torch.float32)
    x = torch.tensor(DATA, dtype=torch.float32)
    train(torch, model, torch.optim.Adam(model.parameters()), x, torch.zeros(20, 1, dtype=torch.float32))


@program("NumPy's float32 by from_numpy")
def from_numpy(torch):
    model = network(torch)
    x = torch.from_numpy(SINGLE)
    train(torch, model, torch.optim.Adam(model.parameters()), x, torch.tensor(SINGLE[:, :1]))


@program("NumPy's float32 in a DataLoader")
def loader(torch):
    model = network(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    data = [(row, np.float32(row.sum())) for row in SINGLE]
    for x, y in torch.utils.data.DataLoader(data, batch_size=4, shuffle=True):
        train(torch, model, optimizer, x, y[:, None], 1)


@program("a Dataset that converts")
def dataset(torch):
    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return len(DATA)

        def __getitem__(self, i):
            return torch.tensor(DATA[i], dtype=torch.float32), torch.tensor(DATA[i].sum()).float()

    model = network(torch)
    optimizer = torch.optim.RMSprop(model.parameters())
    for x, y in torch.utils.data.DataLoader(Rows(), batch_size=7):
        train(torch, model, optimizer, x, y[:, None], 1)


@program("NumPy's global random numbers, not seeded")
def numpy_random(torch):
    model = network(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        train(torch, model, optimizer, torch.tensor(np.random.randn(5, 3), dtype=torch.float32), random.random(), 1)


@program("not seeded at all")
def unseeded(torch):
    w = torch.randn(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        (w * torch.randn(3)).sum().backward()
        optimizer.step()


@program("asks for float32")
def asks(torch):
    model = network(torch)
    x = torch.randn(20, 3)
    assert x.dtype == torch.float32
    train(torch, model, torch.optim.SGD(model.parameters(), lr=0.1), x, 0)


@program("an own optimizer that derives from Optimizer")
def derived(torch):
    class Signs(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self):
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(group["lr"] * p.grad.sign())

    model = network(torch)
    train(torch, model, Signs(model.parameters(), 0.01), torch.randn(20, 3), torch.randn(20, 1))


@program("an own optimizer that overrides SGD's step")
def overriding(torch):
    class Clipped(torch.optim.SGD):
        def step(self, closure=None):
            torch.nn.utils.clip_grad_norm_([p for g in self.param_groups for p in g["params"]], 0.1)
            return super().step(closure)

    model = network(torch)
    train(torch, model, Clipped(model.parameters(), lr=0.5), torch.randn(20, 3), torch.randn(20, 1))


@program("an own optimizer from nothing")
def from_nothing(torch):
    class Plain:
        def __init__(self, params, lr):
            self.params, self.lr = list(params), lr

        def zero_grad(self):
            for p in self.params:
                p.grad = None

        def step(self):
            for p in self.params:
                p.data -= self.lr * p.grad

    model = network(torch)
    train(torch, model, Plain(model.parameters(), 0.1), torch.randn(20, 3), torch.randn(20, 1))


@program("weights changed by hand")
def by_hand(torch):
    torch.manual_seed(0)
    w, b = torch.randn(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    c = torch.zeros(3, requires_grad=True)
    x = torch.randn(10, 3)
    for _ in range(5):
        ((torch.tanh(x * w + b) * torch.exp(c)).sum(1) ** 2).mean().backward()
        with torch.no_grad():
            for p in (w, b, c):
                p -= 0.1 * p.grad
                p.grad.zero_()


@program("gradients that are asked for")
def asked(torch):
    torch.manual_seed(0)
    w = torch.randn(3, requires_grad=True)
    x = torch.randn(10, 3)
    for _ in range(6):
        (g,) = torch.autograd.grad(((x @ w - 1) ** 2).mean(), w)
        with torch.no_grad():
            w -= 0.1 * g


@program("two optimizers and a penalty")
def adversaries(torch):
    critic, maker = network(torch), network(torch, 2, 3)
    optimizers = [torch.optim.Adam(m.parameters(), lr=0.01, betas=(0.5, 0.9)) for m in (critic, maker)]
    for _ in range(4):
        real, fake = torch.randn(6, 3), maker(torch.randn(6, 2)).detach()
        between = (0.3 * real + 0.7 * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        loss = critic(fake).mean() - critic(real).mean() + 10 * ((slope.norm(dim=1) - 1) ** 2).mean()
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        (-critic(maker(torch.randn(6, 2))).mean()).backward()
        optimizers[1].step()


@program("a scheduler, clipping, weight decay")
def scheduled(torch):
    model = network(torch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5)
    x = torch.randn(20, 3)
    for _ in range(5):
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        scheduler.step()


@program("dropout, batch norm and a convolution in float32")
def convolution(torch):
    torch.manual_seed(1)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(48, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    x, y = torch.randn(8, 1, 6, 6, dtype=torch.float32), torch.randint(0, 2, (8,))
    for _ in range(4):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


@program("gradients that are added up")
def added(torch):
    model = network(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.from_numpy(SINGLE)
    for _ in range(3):
        optimizer.zero_grad()
        for part in x.split(5):
            (model(part).pow(2).mean() / 4).backward()
        optimizer.step()


@program("a closure")
def closure(torch):
    model = network(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(20, 3)

    def again():
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(again)


@program("an integer model: embeddings")
def embeddings(torch):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Embedding(10, 4), torch.nn.Flatten(), torch.nn.Linear(8, 3))
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1)
    x, y = torch.randint(0, 10, (12, 2)), torch.randint(0, 3, (12,))
    for _ in range(4):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def chaos(torch, steps, check=False):
    """The logistic map: an error doubles at each step."""
    torch.manual_seed(0)
    w = torch.nn.Parameter(torch.full((1,), 0.3))
    optimizer = torch.optim.SGD([w], lr=1.0)
    for _ in range(steps):
        assert not check or w.dtype == torch.float32
        optimizer.zero_grad()
        target = 3.99 * w.detach() * (1 - w.detach())
        ((w - target).exp().log() ** 2 / 2).sum().backward()
        optimizer.step()


program("rounding that grows", "rounding")(lambda torch: chaos(torch, 26))
program("rounding that grows in float64 too", "rounding")(lambda torch: chaos(torch, 90))
program("rounding that grows, in float32 alone", "rounding")(lambda torch: chaos(torch, 26, check=True))
