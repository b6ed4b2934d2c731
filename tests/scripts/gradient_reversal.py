"""Domains told apart, and confused. Source: Ganin & Lempitsky 2014, "Unsupervised domain adaptation by backpropagation"."""

import itertools

import torch
import torch.nn as nn
from torch.autograd import Function


class ReverseLayerF(Function):
    @staticmethod
    def forward(ctx, x, alpha):
        ctx.alpha = alpha
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.alpha, None


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, input):
        return (input > 0).to(input.dtype)

    @staticmethod
    def backward(ctx, grad_output):
        return nn.functional.hardtanh(grad_output)


class CNNModel(nn.Module):
    def __init__(self):
        super(CNNModel, self).__init__()
        self.feature = nn.Sequential()
        self.feature.add_module("f_conv1", nn.Conv2d(1, 4, kernel_size=3))
        self.feature.add_module("f_bn1", nn.BatchNorm2d(4))
        self.feature.add_module("f_pool1", nn.MaxPool2d(2))
        self.feature.add_module("f_relu1", nn.ReLU(True))
        self.class_classifier = nn.Sequential(nn.Linear(36, 3), nn.LogSoftmax(dim=1))
        self.domain_classifier = nn.Sequential(nn.Linear(36, 6), nn.ReLU(True), nn.Linear(6, 2), nn.LogSoftmax(dim=1))

    def forward(self, input_data, alpha):
        input_data = input_data.expand(input_data.data.shape[0], 1, 8, 8)
        feature = self.feature(input_data).view(-1, 36)
        reverse_feature = ReverseLayerF.apply(feature, alpha)
        return self.class_classifier(feature), self.domain_classifier(reverse_feature)


torch.manual_seed(0)
my_net = CNNModel()
optimizer = torch.optim.Adam(my_net.parameters(), lr=1e-3)
loss_class = loss_domain = torch.nn.NLLLoss()
for p in my_net.parameters():
    p.requires_grad = True
source, target, labels = torch.randn(6, 1, 8, 8), torch.randn(6, 1, 8, 8) * 2 + 1, torch.arange(6) % 3
history = []
for i in range(4):
    alpha = 2.0 / (1.0 + 2.718281828 ** (-10 * i / 4)) - 1
    my_net.zero_grad()
    class_output, domain_output = my_net(source, alpha)
    err_s_label = loss_class(class_output, labels)
    err_s_domain = loss_domain(domain_output, torch.zeros(6).long())
    _, domain_output = my_net(target, alpha)
    err = err_s_label + err_s_domain + loss_domain(domain_output, torch.ones(6).long())
    err.backward()
    optimizer.step()
    history += [err_s_label.item(), err.item()]
w = torch.randn(5, requires_grad=True)
(StraightThrough.apply(w) * torch.arange(5) * 0.4).sum().backward()
numbers = list(itertools.chain(*[p.grad.norm().view(1).tolist() for p in my_net.parameters()]))
results = {"history": history, "norms": numbers, "straight": w.grad}
