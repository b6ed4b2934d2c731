"""Adversarial examples and training. Sources: Goodfellow et al. 2014 (FGSM); Madry et al. 2017 (PGD)."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable


def fgsm_attack(image, epsilon, data_grad):
    sign_data_grad = data_grad.sign()
    perturbed_image = image + epsilon * sign_data_grad
    return torch.clamp(perturbed_image, 0, 1)


class PGD:
    def __init__(self, model, eps=0.1, alpha=0.03, steps=3, random_start=True):
        self.model, self.eps, self.alpha, self.steps, self.random_start = model, eps, alpha, steps, random_start

    def __call__(self, images, labels):
        images, labels = images.clone().detach(), labels.clone().detach()
        adv_images = images.clone().detach()
        if self.random_start:
            adv_images = adv_images + torch.empty_like(adv_images).uniform_(-self.eps, self.eps)
            adv_images = torch.clamp(adv_images, min=0, max=1).detach()
        for _ in range(self.steps):
            adv_images.requires_grad = True
            cost = nn.CrossEntropyLoss()(self.model(adv_images), labels)
            grad = torch.autograd.grad(cost, adv_images, retain_graph=False, create_graph=False)[0]
            adv_images = adv_images.detach() + self.alpha * grad.sign()
            delta = torch.clamp(adv_images - images, min=-self.eps, max=self.eps)
            adv_images = torch.clamp(images + delta, min=0, max=1).detach()
        return adv_images


torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Softplus(), nn.Linear(12, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.rand(8, 1, 4, 4), torch.randint(3, (8,))
losses = []
for _ in range(3):
    optimizer.zero_grad()
    adversarial = PGD(model)(x, y)
    loss = F.cross_entropy(model(adversarial), y) + 0.5 * F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
data = Variable(x, requires_grad=True)
loss = F.nll_loss(F.log_softmax(model(data), dim=1), y)
model.zero_grad()
loss.backward()
perturbed = fgsm_attack(data, 0.2, data.grad.data)
results = {"losses": losses, "perturbed": perturbed, "after": model(perturbed)}
