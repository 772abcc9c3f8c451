"""Operations of PyTorch whose results depend on the number of threads, whatever its switches say.

``torch.use_deterministic_algorithms(True)`` makes each of them repeat with one number of threads,
and none of them independent of it: gradients of parameters are sums over a batch, of which each
thread adds a part. The network of the training shows that threads matter; these show where.
"""

from __future__ import annotations

from typing import Any, List, Tuple

import torch
from torch import nn

from .data import dyadic

BATCH, LENGTH, WIDTH, HIDDEN, SIDE = 64, 16, 32, 64, 200
Tensor = Any


def layer_probes(x: Tensor) -> List[Tuple[str, Tensor]]:
    """Return gradients and reductions of features (rows x columns)."""
    scaled = x / (1 + torch.arange(x.shape[1], device=x.device))  # sums of these are rounded
    square = scaled.flatten()[: SIDE * SIDE].view(SIDE, SIDE) + 8 * torch.eye(SIDE).to(x.device)
    return [
        *_gradients("LSTM", nn.LSTM(WIDTH, HIDDEN, batch_first=True), _sequences(x)),
        *_gradients("LayerNorm", nn.LayerNorm(x.shape[1]), scaled),
        *_gradients("Conv2d", nn.Conv2d(1, 8, 3), _images(x)),
        ("mean", scaled.mean()),
        ("dot", scaled.flatten() @ scaled.flatten()),
        ("inverse", torch.linalg.inv(square)),
    ]


def _sequences(x: Tensor) -> Tensor:
    return x.flatten()[: BATCH * LENGTH * WIDTH].view(BATCH, LENGTH, WIDTH) / 4


def _images(x: Tensor) -> Tensor:
    return x[:1024].reshape(64, 1, 32, 32) / 4


def _gradients(name: str, layer: Any, x: Tensor) -> List[Tuple[str, Tensor]]:
    """Return the gradients of a layer's parameters, from first weights that are exact."""
    with torch.no_grad():
        for number, values in enumerate(layer.parameters()):
            drawn = dyadic(1 + number, values.numel(), bits=8, scale=9)
            values.copy_(torch.tensor(drawn).view(values.shape))
    layer.to(x.device)
    result = layer(x)
    (result[0] if isinstance(result, tuple) else result).square().sum().backward()
    return [(f"{name}: gradient of {key}", one.grad) for key, one in layer.named_parameters()]
