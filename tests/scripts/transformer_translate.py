"""nn.Transformer, encoder and decoder. Source: Vaswani et al. 2017, "Attention is all you need"."""

import torch
import torch.nn as nn
from torch.nn import Transformer

torch.manual_seed(0)
PAD_IDX, BOS_IDX = 0, 1


class Seq2SeqTransformer(nn.Module):
    def __init__(self, vocab, emb):
        super().__init__()
        self.transformer = Transformer(
            d_model=emb, nhead=2, num_encoder_layers=1, num_decoder_layers=2, dim_feedforward=16, dropout=0.1
        )
        self.generator = nn.Linear(emb, vocab)
        self.tok_emb = nn.Embedding(vocab, emb)

    def forward(self, src, trg, src_mask, tgt_mask, src_padding, tgt_padding, memory_key_padding_mask):
        outs = self.transformer(
            self.tok_emb(src),
            self.tok_emb(trg),
            src_mask,
            tgt_mask,
            None,
            src_padding,
            tgt_padding,
            memory_key_padding_mask,
        )
        return self.generator(outs)


def create_mask(src, tgt):
    tgt_mask = Transformer.generate_square_subsequent_mask(tgt.shape[0])
    tgt_mask = tgt_mask.isinf()
    src_mask = torch.zeros((src.shape[0], src.shape[0])).type(torch.bool)
    return src_mask, tgt_mask, (src == PAD_IDX).transpose(0, 1), (tgt == PAD_IDX).transpose(0, 1)


model = Seq2SeqTransformer(10, 8)
for p in model.parameters():
    if p.dim() > 1:
        nn.init.xavier_uniform_(p)
loss_fn = torch.nn.CrossEntropyLoss(ignore_index=PAD_IDX)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
src = torch.randint(2, 10, (6, 4))
src[4:, 1:3] = PAD_IDX
tgt = torch.cat([torch.full((1, 4), BOS_IDX), src.flip(0)])
tgt_input = tgt[:-1, :]
losses = []
for _ in range(3):
    src_mask, tgt_mask, src_padding, tgt_padding = create_mask(src, tgt_input)
    logits = model(src, tgt_input, src_mask, tgt_mask, src_padding, tgt_padding, src_padding)
    optimizer.zero_grad()
    tgt_out = tgt[1:, :]
    loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt_out.reshape(-1))
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
model.eval()
memory = model.transformer.encoder(model.tok_emb(src[:, :1]))
ys = torch.ones(1, 1).fill_(BOS_IDX).type(torch.long)
for i in range(4):
    mask = Transformer.generate_square_subsequent_mask(ys.size(0)).type(torch.bool)
    out = model.transformer.decoder(model.tok_emb(ys), memory, mask).transpose(0, 1)
    _, next_word = torch.max(model.generator(out[:, -1]), dim=1)
    ys = torch.cat([ys, torch.ones(1, 1).type_as(src.data).fill_(next_word.item())], dim=0)
results = {"losses": losses, "written": ys}
