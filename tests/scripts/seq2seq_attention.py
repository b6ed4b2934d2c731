"""Translation with attention. Source: Bahdanau et al. 2014, "Neural machine translation by jointly learning to align"."""

import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

SOS_token, EOS_token, MAX_LENGTH = 0, 1, 6


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size):
        super(EncoderRNN, self).__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, input, hidden):
        embedded = self.embedding(input).view(1, 1, -1)
        return self.gru(embedded, hidden)


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size, dropout_p=0.1, max_length=MAX_LENGTH):
        super(AttnDecoderRNN, self).__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attn = nn.Linear(hidden_size * 2, max_length)
        self.attn_combine = nn.Linear(hidden_size * 2, hidden_size)
        self.dropout = nn.Dropout(dropout_p)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, input, hidden, encoder_outputs):
        embedded = self.dropout(self.embedding(input).view(1, 1, -1))
        attn_weights = F.softmax(self.attn(torch.cat((embedded[0], hidden[0]), 1)), dim=1)
        attn_applied = torch.bmm(attn_weights.unsqueeze(0), encoder_outputs.unsqueeze(0))
        output = self.attn_combine(torch.cat((embedded[0], attn_applied[0]), 1)).unsqueeze(0)
        output, hidden = self.gru(F.relu(output), hidden)
        return F.log_softmax(self.out(output[0]), dim=1), hidden, attn_weights


random.seed(0)
torch.manual_seed(0)
pairs = [
    ([2, 3, 4, EOS_token], [5, 4, 3, EOS_token]),
    ([3, 5, EOS_token], [2, 3, EOS_token]),
    ([4, 4, 2, 1], [6, 2, 2, 1]),
]
encoder, decoder = EncoderRNN(6, 10), AttnDecoderRNN(10, 7)
encoder_optimizer = optim.SGD(encoder.parameters(), lr=0.05)
decoder_optimizer = optim.SGD(decoder.parameters(), lr=0.05)
criterion = nn.NLLLoss()
losses = []
for step in range(6):
    source, target = (torch.tensor(s, dtype=torch.long).view(-1, 1) for s in pairs[step % 3])
    encoder_hidden = torch.zeros(1, 1, 10)
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    encoder_outputs = torch.zeros(MAX_LENGTH, 10)
    loss = 0
    for ei in range(source.size(0)):
        encoder_output, encoder_hidden = encoder(source[ei], encoder_hidden)
        encoder_outputs[ei] += encoder_output[0, 0]
    decoder_input, decoder_hidden = torch.tensor([[SOS_token]]), encoder_hidden
    decoder_attentions = torch.zeros(MAX_LENGTH, MAX_LENGTH)
    teacher_forcing = random.random() < 0.5
    for di in range(target.size(0)):
        decoder_output, decoder_hidden, attention = decoder(decoder_input, decoder_hidden, encoder_outputs)
        decoder_attentions[di] = attention.data
        loss += criterion(decoder_output, target[di])
        topv, topi = decoder_output.topk(1)
        decoder_input = target[di] if teacher_forcing else topi.squeeze().detach()
        if not teacher_forcing and decoder_input.item() == EOS_token:
            break
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    losses.append(loss.item() / target.size(0))
results = {"losses": losses, "attention": decoder_attentions}
