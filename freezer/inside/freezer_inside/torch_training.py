"""A tiny training in PyTorch, on the GPU where there is one: Adam, workers, mixed precision.

See ``trainer`` for the rules that it keeps, and ``torch_model`` for the network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from .hyperparameters import type_name
from .keyed import augmentation
from .seeding import seed_framework, worker_init
from .torch_layers import layer_probes
from .torch_model import DROPPED, WORDS, Net, first_weights, parameters
from .trainer import BATCH, COLUMNS, Trainer, leave, workers

if TYPE_CHECKING:
    from .data import Data

STEPS, MIXED, RATE, MIXED_RATE = 16, 4, 2.0**-10, 2.0**-4
LOW = torch.bfloat16
REPEATS = 12
Tensor = Any


class Samples(Dataset):  # type: ignore[misc]
    """Rows of the data, each with its word and label, augmented by dyadic noise of its own."""

    def __init__(self, data: Data, seed: int) -> None:
        self._x = torch.tensor(data.features).view(data.rows, data.columns)
        self._labels = torch.tensor(data.labels)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> Tuple[Tensor, int, Tensor, Tensor]:
        bits = augmentation(self._seed, 0, row).getrandbits(COLUMNS)
        noise = [(bits >> place & 1) / 16 for place in range(COLUMNS)]
        drawn = torch.rand(1)  # what a transform would draw that knows no better
        return self._x[row] + torch.tensor(noise), row * 7 % WORDS, self._labels[row], drawn


def loader(trainer: Trainer, data: Data) -> Iterator[Tuple[int, List[Tensor]]]:
    """Yield ``(step, batch)``, as loaded by worker processes; tell what those draw."""
    made = DataLoader(
        Samples(data, trainer.seed),
        batch_sampler=[rows for _, rows in trainer.batches()],
        num_workers=workers(),
        worker_init_fn=worker_init,
        generator=torch.Generator().manual_seed(trainer.seed),
    )
    drawn = []
    for step, batch in enumerate(made, 1):
        drawn.append(batch.pop())
        yield step, batch
    trainer.streams([("data loader workers", torch.cat(drawn))])


def one_step(net: Net, batch: List[Tensor], device: str, *, mixed: bool = False) -> Tensor:
    """Return the loss of a batch, with its gradients left in the network."""
    x, words, labels = (values.to(device) for values in batch)
    net.zero_grad()
    with torch.autocast(device, dtype=LOW, enabled=mixed):
        loss = functional.cross_entropy(net(x, words), labels)
    loss.backward()
    return loss


def norms(net: Net) -> Dict[str, float]:
    """Return the norm of each parameter's gradient."""
    return {
        name: float(torch.linalg.vector_norm(values.grad.double()))
        for name, values in net.named_parameters()
    }


def train(trainer: Trainer, data: Data, device: str) -> Net:
    """Train in single precision, telling loss, gradients and weights of every step."""
    net = Net()
    first_weights(net, trainer.seed)
    trainer.first_weights(dict(net.named_parameters()))
    net.to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, eps=2.0**-20)
    trainer.hyperparameters(optimizer)
    trainer.hyperparameters({"dropout": DROPPED})
    for step, batch in loader(trainer, data):
        if step == 1:
            trainer.fed(batch[0])
        loss = one_step(net, batch, device)
        trainer.gradients(step, norms(net))
        optimizer.step()
        trainer.loss(step, loss.item())
        trainer.weights(step, parameters(net))
    moments = optimizer.state[net.wide.weight]
    trainer.weights(trainer.steps, {f"Adam: {n}": moments[n] for n in ("exp_avg", "exp_avg_sq")})
    trainer.ranges({name: values.detach() for name, values in parameters(net).items()})
    return net


def train_mixed(trainer: Trainer, net: Net, data: Data, device: str) -> None:
    """Train on with products in bfloat16, by plain descent."""
    told = {"learning rate": MIXED_RATE, "type": type_name(LOW)}
    trainer.hyperparameters(told, "mixed precision")
    samples = Samples(data, trainer.seed)
    batch = next(iter(DataLoader(samples, batch_size=BATCH)))[:3]
    for step in range(1, MIXED + 1):
        loss = one_step(net, batch, device, mixed=True)
        trainer.loss(step, loss.item(), "mixed precision: loss")
        with torch.no_grad():
            for values in net.parameters():
                values.sub_(MIXED_RATE * values.grad)
    trainer.recorder.tensor("mixed precision: wide.weight", net.wide.weight, MIXED)


def streams(seed: int) -> List[Tuple[str, Tensor]]:
    """Return what PyTorch's generator draws, and what a layer's own first weights are."""
    generator = torch.Generator().manual_seed(seed)
    found = [
        ("torch.rand", torch.rand(4096, generator=generator)),
        ("torch.randn", torch.randn(4096, generator=generator)),
        ("torch.randperm", torch.randperm(4096, generator=generator)),
    ]
    torch.manual_seed(seed)
    return [*found, ("torch.nn.Linear", torch.nn.Linear(64, 64).weight)]


def device_streams(seed: int) -> List[Tuple[str, Tensor]]:
    """Return what the GPU's generator draws."""
    generator = torch.Generator("cuda").manual_seed(seed)
    return [("torch.randn on CUDA", torch.randn(4096, generator=generator, device="cuda"))]


def probes(x: Tensor) -> List[Tuple[str, Tensor]]:
    """Return single operations whose rounding changes with versions and kernels."""
    wide = x[:256].double() / 3
    return [
        ("exp", torch.exp(x[:64])),
        ("tanh", torch.tanh(x[:64])),
        ("sum", x.sum(0)),
        ("deviation", x.std(0)),
        ("cumulated sum", x[:, 0].cpu().cumsum(0)),
        ("logsumexp", torch.logsumexp(x, 0)),
        ("product", wide.T @ wide),
        ("singular values", torch.linalg.svdvals(wide)),
        ("fft", torch.fft.rfft(wide[:64]).abs()),
    ]


def scatter(x: Tensor) -> List[Tensor]:
    """Return what many additions into few places give, each time that they are repeated."""
    where = torch.arange(400_000, device=x.device) * 2654435761 % 64
    values = (x.flatten() * 1.1).repeat(4)[:400_000]
    zeros = torch.zeros(64, device=x.device)
    return [zeros.index_put((where,), values, accumulate=True) for _ in range(REPEATS)]


def versions() -> Dict[str, str]:
    """Return PyTorch's version and those of the libraries that it was built with."""
    found = {"torch": torch.__version__}
    text = torch.__config__.show()
    for name, pattern in (
        ("MKL", r"Math Kernel Library Version (\S+)"),
        ("oneDNN", r"MKL-DNN v(\S+)"),
        ("LAPACK", r"LAPACK_INFO=([^\s,]+)"),
    ):
        match = re.search(pattern, text)
        if match:
            found[name] = match[1]
    if torch.cuda.is_available():
        found["CUDA"] = str(torch.version.cuda)
        found["cuDNN"] = str(torch.backends.cudnn.version())
    return found


def settings(device: str) -> Dict[str, str]:
    """Return the device, and which kernels are taken on it."""
    named = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    capability = getattr(torch.backends, "cpu", None)
    return {
        "torch: device": named,
        "torch: loader workers": str(workers()),
        "torch: CPU kernels": capability.get_cpu_capability() if capability else "unknown",
        "torch: oneDNN": str(torch.backends.mkldnn.enabled),
    }


def main() -> None:
    """Run as ``python -m freezer_inside.torch_training``."""
    trainer = Trainer("torch", STEPS)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    switches = seed_framework("torch", trainer.seed)
    trainer.begin(versions(), {**switches, **settings(device)})
    trainer.streams(streams(trainer.seed))
    if device == "cuda":
        trainer.streams(device_streams(trainer.seed))
    data = trainer.data()
    torch.manual_seed(trainer.seed)
    net = train(trainer, data, device)
    train_mixed(trainer, net, data, device)
    x = torch.tensor(data.features).view(data.rows, data.columns).to(device)
    trainer.probes([*probes(x), *layer_probes(x)])
    results = scatter(x)
    trainer.probes([("index_put", results[0])])
    trainer.race("index_put", [values.cpu() for values in results])
    trainer.end()


if __name__ == "__main__":
    main()
    leave()
