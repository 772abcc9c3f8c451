"""PyTorch: tensors and neural networks, on the CPU."""

from typing import Any

import torch

from benchmarks.atlas.inside import operation

PACKAGE = "torch"
VERSIONS = ("2.13.0+cpu",)
WITH = ("numpy==2.4.6",)


def _random(*shape: int, seed: int = 1) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _start(threads: int, setting: bool = False) -> None:
    torch.use_deterministic_algorithms(setting)
    torch.set_num_threads(threads)
    torch.manual_seed(0)


@operation(
    "Tensor.index_put_(accumulate=True)",
    factors=("process", "call", "threads"),
    data="200,000 x 16 into 50 x 16",
    setting="torch.use_deterministic_algorithms(True)",
    note="threads add to the same places without an order",
)
def index_put(threads: int, setting: bool) -> Any:
    _start(threads, setting)
    index = torch.randint(0, 50, (200_000,), generator=torch.Generator().manual_seed(2))
    return torch.zeros(50, 16).index_put_((index,), _random(200_000, 16), accumulate=True)


@operation(
    "Tensor.index_add_", factors=("process", "call", "threads"), data="200,000 x 16 into 50 x 16"
)
def index_add(threads: int) -> Any:
    _start(threads)
    index = torch.randint(0, 50, (200_000,), generator=torch.Generator().manual_seed(2))
    return torch.zeros(50, 16).index_add_(0, index, _random(200_000, 16))


@operation(
    "Tensor.scatter_add_", factors=("process", "call", "threads"), data="20,000 x 16 into 50 x 16"
)
def scatter_add(threads: int) -> Any:
    _start(threads)
    index = torch.randint(0, 50, (20_000, 16), generator=torch.Generator().manual_seed(2))
    return torch.zeros(50, 16).scatter_add_(0, index, _random(20_000, 16))


@operation(
    "torch.bincount(weights=...)", factors=("call", "threads"), data="400,000 weights, 50 bins"
)
def bincount(threads: int) -> Any:
    _start(threads)
    index = torch.randint(0, 50, (400_000,), generator=torch.Generator().manual_seed(2))
    return torch.bincount(index, weights=_random(400_000))


@operation(
    "Tensor.mean() of all values",
    factors=("process", "call", "threads"),
    data="200,000 x 16 float32",
)
def mean(threads: int) -> Any:
    _start(threads)
    return _random(200_000, 16).mean()


@operation("Tensor.sum() of all values", factors=("call", "threads"), data="400,000 float32")
def total(threads: int) -> Any:
    _start(threads)
    return _random(400_000).sum()


@operation("torch.dot", factors=("call", "threads"), data="400,000 float32")
def dot(threads: int) -> Any:
    _start(threads)
    return torch.dot(_random(400_000), _random(400_000, seed=2))


@operation("torch.cumsum", factors=("call", "threads"), data="400,000 float32")
def cumsum(threads: int) -> Any:
    _start(threads)
    return _random(400_000).cumsum(0)


@operation("A @ B", factors=("process", "call", "threads"), data="500 x 700 by 700 x 300, float32")
def product(threads: int) -> Any:
    _start(threads)
    return _random(500, 700) @ _random(700, 300)


@operation(
    "torch.linalg.svd", factors=("process", "call", "threads"), data="300 x 200; singular values"
)
def svd(threads: int) -> Any:
    _start(threads)
    return torch.linalg.svd(_random(300, 200))[1]


@operation("torch.linalg.qr", factors=("call", "threads"), data="300 x 200; R")
def qr(threads: int) -> Any:
    _start(threads)
    return torch.linalg.qr(_random(300, 200))[1]


@operation("torch.linalg.inv", factors=("call", "threads"), data="200 x 200")
def inverse(threads: int) -> Any:
    _start(threads)
    return torch.linalg.inv(_random(200, 200))


@operation("mse_loss", factors=("call", "threads"), data="200,000 x 16")
def mse(threads: int) -> Any:
    _start(threads)
    return torch.nn.functional.mse_loss(_random(200_000, 16), _random(200_000, 16, seed=2))


@operation("cross_entropy: loss and gradient", factors=("call", "threads"), data="5000 x 100")
def cross_entropy(threads: int) -> Any:
    _start(threads)
    x = _random(5000, 100).requires_grad_()
    loss = torch.nn.functional.cross_entropy(x, torch.arange(5000) % 100)
    loss.backward()
    return [loss, x.grad]


def _gradients(module: Any, x: Any) -> Any:
    found = module(x)
    found = found[0] if isinstance(found, tuple) else found
    weights = torch.linspace(0, 1, found.shape[-1])
    (found.pow(2) * weights).sum().backward()
    return [item.grad for item in module.parameters()]


@operation(
    "nn.LSTM: gradients of the weights",
    factors=("process", "call", "threads"),
    data="32 x 40 x 32, 64 hidden units",
    setting="torch.use_deterministic_algorithms(True)",
    note="use_deterministic_algorithms(True) does not make it independent of the thread count",
)
def lstm(threads: int, setting: bool) -> Any:
    _start(threads, setting)
    return _gradients(torch.nn.LSTM(32, 64, batch_first=True), _random(32, 40, 32))


@operation(
    "nn.GRU: gradients of the weights",
    factors=("call", "threads"),
    data="32 x 40 x 32, 64 hidden units",
)
def gru(threads: int) -> Any:
    _start(threads)
    return _gradients(torch.nn.GRU(32, 64, batch_first=True), _random(32, 40, 32))


@operation(
    "nn.LayerNorm: gradients of weight and bias",
    factors=("process", "call", "threads"),
    data="1000 x 128",
    setting="torch.use_deterministic_algorithms(True)",
    note="use_deterministic_algorithms(True) does not make it independent of the thread count",
)
def layer_norm(threads: int, setting: bool) -> Any:
    _start(threads, setting)
    return _gradients(torch.nn.LayerNorm(128), _random(1000, 128))


@operation(
    "nn.GroupNorm: gradients of weight and bias",
    factors=("call", "threads"),
    data="16 x 8 x 32 x 32",
)
def group_norm(threads: int) -> Any:
    _start(threads)
    return _gradients(torch.nn.GroupNorm(2, 8), _random(16, 8, 32, 32))


@operation(
    "nn.BatchNorm2d: gradients of weight and bias",
    factors=("call", "threads"),
    data="16 x 8 x 32 x 32",
)
def batch_norm(threads: int) -> Any:
    _start(threads)
    return _gradients(torch.nn.BatchNorm2d(8), _random(16, 8, 32, 32))


@operation(
    "nn.Conv2d: gradients of weight and bias",
    factors=("process", "call", "threads"),
    data="16 x 8 x 32 x 32, 3 x 3 kernels",
)
def convolution(threads: int) -> Any:
    _start(threads)
    return _gradients(torch.nn.Conv2d(8, 16, 3), _random(16, 8, 32, 32))


@operation(
    "nn.Linear: gradients of weight and bias", factors=("call", "threads"), data="1000 x 128 to 64"
)
def linear(threads: int) -> Any:
    _start(threads)
    return _gradients(torch.nn.Linear(128, 64), _random(1000, 128))


@operation("nn.Embedding: gradient", factors=("call", "threads"), data="64 x 300 of 1000 x 32")
def embedding(threads: int) -> Any:
    _start(threads)
    index = torch.randint(0, 1000, (64, 300), generator=torch.Generator().manual_seed(3))
    return _gradients(torch.nn.Embedding(1000, 32), index)


@operation(
    "nn.EmbeddingBag(mode='sum'): gradient",
    factors=("call", "threads"),
    data="64 x 300 of 1000 x 32",
)
def embedding_bag(threads: int) -> Any:
    _start(threads)
    index = torch.randint(0, 1000, (64, 300), generator=torch.Generator().manual_seed(3))
    return _gradients(torch.nn.EmbeddingBag(1000, 32, mode="sum"), index)


@operation(
    "scaled_dot_product_attention: gradient", factors=("call", "threads"), data="4 x 4 x 128 x 32"
)
def attention(threads: int) -> Any:
    _start(threads)
    q = _random(4, 4, 128, 32).requires_grad_()
    torch.nn.functional.scaled_dot_product_attention(q, q, q).pow(2).sum().backward()
    return q.grad


@operation(
    "interpolate(mode='bilinear'): gradient",
    factors=("call", "threads"),
    data="4 x 8 x 24 x 24, factor 2.3",
)
def interpolate(threads: int) -> Any:
    _start(threads)
    x = _random(4, 8, 24, 24).requires_grad_()
    torch.nn.functional.interpolate(x, scale_factor=2.3, mode="bilinear").pow(2).sum().backward()
    return x.grad


@operation(
    "torch.randn after manual_seed", factors=("process", "threads"), data="1,000,003 numbers"
)
def randn(seed: int, threads: int) -> Any:
    _start(threads)
    torch.manual_seed(seed)
    return torch.randn(1_000_003)


@operation(
    "torch.nn.functional.dropout after manual_seed",
    factors=("process", "threads"),
    data="200,000 x 16",
)
def dropout(seed: int, threads: int) -> Any:
    _start(threads)
    x = _random(200_000, 16)
    torch.manual_seed(seed)
    return torch.nn.functional.dropout(x, 0.3)


@operation("torch.randperm after manual_seed", factors=("process", "threads"), data="100,000")
def randperm(seed: int, threads: int) -> Any:
    _start(threads)
    torch.manual_seed(seed)
    return torch.randperm(100_000)


@operation(
    "torch.multinomial after manual_seed", factors=("process", "threads"), data="100 of 400,000"
)
def multinomial(seed: int, threads: int) -> Any:
    _start(threads)
    weights = _random(400_000).abs()
    torch.manual_seed(seed)
    return torch.multinomial(weights, 100)
