"""The network of the PyTorch training: one of each layer whose kernels are chosen by the host."""

from __future__ import annotations

from typing import Any, Dict

import torch
from torch import nn
from torch.nn import functional

from .data import dyadic
from .trainer import CLASSES, COLUMNS

WORDS, CHANNELS, HIDDEN, HEADS, DROPPED = 64, 8, 256, 8, 0.1
Tensor = Any


class Net(nn.Module):  # type: ignore[misc]
    """Embedding, convolution, normalisations, attention, a scatter, dropout, linear layers.

    No layer before a normalisation has a bias, and attention has none: see ``trainer``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, COLUMNS)
        self.convolution = nn.Conv1d(1, CHANNELS, 5, padding=2, bias=False)
        self.batch_norm = nn.BatchNorm1d(CHANNELS)
        self.wide = nn.Linear(CHANNELS * COLUMNS, HIDDEN, bias=False)
        self.layer_norm = nn.LayerNorm(HIDDEN)
        self.attention = nn.Linear(HIDDEN // HEADS, 3 * (HIDDEN // HEADS), bias=False)
        self.last = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """Return scores (rows x classes) of features (rows x columns) and a word for each row."""
        x = x + self.embedding(words)
        # Rows that share a word see their mean: a scatter that adds, forwards and backwards.
        sums = torch.zeros(WORDS, x.shape[1], dtype=x.dtype, device=x.device)
        x = x + sums.index_add(0, words, x)[words] / x.shape[0]
        x = functional.relu(self.batch_norm(self.convolution(x[:, None]))).flatten(1)
        x = functional.gelu(self.layer_norm(self.wide(x)))
        query, key, value = self.attention(x.view(len(x), HEADS, -1)).chunk(3, dim=-1)
        weights = torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, dim=-1)
        x = functional.dropout(x + (weights @ value).flatten(1), DROPPED, self.training)
        return self.last(x)


def first_weights(net: Net, seed: int) -> None:
    """Give a network weights that are exact in every float type; normalisations begin with one."""
    with torch.no_grad():
        for number, (name, values) in enumerate(net.named_parameters()):
            if "norm" in name and name.endswith("weight"):
                values.fill_(1)
                continue
            drawn = dyadic(seed + 10 + number, values.numel(), bits=8, scale=10)
            values.copy_(torch.tensor(drawn).view(values.shape))


def parameters(net: Net) -> Dict[str, Tensor]:
    """Return what training changes, running statistics included."""
    running = {name: values for name, values in net.named_buffers() if values.is_floating_point()}
    return {**dict(net.named_parameters()), **running}
