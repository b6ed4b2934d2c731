"""Names classified by letters, with a hand-made RNN. In the style of the early tutorials; Elman 1990, "Finding structure in time"."""

import string

import torch
import torch.nn as nn
from torch.autograd import Variable

all_letters = string.ascii_lowercase
n_letters = len(all_letters)


def lineToTensor(line):
    tensor = torch.zeros(len(line), 1, n_letters)
    for li, letter in enumerate(line):
        tensor[li][0][all_letters.find(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        return self.softmax(self.i2o(combined)), self.i2h(combined)

    def initHidden(self):
        return Variable(torch.zeros(1, self.hidden_size))


torch.manual_seed(0)
names = [("rossi", 0), ("bianchi", 0), ("tanaka", 1), ("suzuki", 1), ("smith", 2), ("brown", 2)]
rnn = RNN(n_letters, 12, 3)
criterion = nn.NLLLoss()
confusion = torch.zeros(3, 3)
losses = []
for epoch in range(3):
    for line, category in names:
        category_tensor = Variable(torch.LongTensor([category]))
        line_tensor = Variable(lineToTensor(line))
        hidden = rnn.initHidden()
        rnn.zero_grad()
        for i in range(line_tensor.size()[0]):
            output, hidden = rnn(line_tensor[i], hidden)
        loss = criterion(output, category_tensor)
        loss.backward()
        for p in rnn.parameters():
            p.data.add_(p.grad.data, alpha=-0.05)
        top_n, top_i = output.data.topk(1)
        confusion[category][top_i[0][0]] += 1
        losses.append(loss.item())
for i in range(3):
    confusion[i] = confusion[i] / confusion[i].sum()
results = {"losses": losses, "confusion": confusion}
