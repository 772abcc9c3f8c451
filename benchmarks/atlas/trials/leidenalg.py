"""leidenalg: communities in graphs."""

from typing import Any

import igraph
import leidenalg

from benchmarks.atlas.inside import operation

PACKAGE = "leidenalg"
VERSIONS = ("0.12.0",)
WITH = ("igraph==1.0.0",)


def _graph() -> Any:
    import random

    random.seed(3)
    igraph.set_random_number_generator(random)
    return igraph.Graph.Erdos_Renyi(n=300, p=0.02)


@operation(
    "find_partition(ModularityVertexPartition, seed=...)",
    factors=("process", "call", "hash seed"),
    data="300 nodes; membership",
)
def modularity(seed: int) -> Any:
    return list(
        leidenalg.find_partition(
            _graph(), leidenalg.ModularityVertexPartition, seed=seed
        ).membership
    )


@operation(
    "find_partition(CPMVertexPartition, seed=...)",
    factors=("process", "call", "hash seed"),
    data="300 nodes, resolution 0.05; membership",
)
def cpm(seed: int) -> Any:
    found = leidenalg.find_partition(
        _graph(), leidenalg.CPMVertexPartition, seed=seed, resolution_parameter=0.05
    )
    return list(found.membership)


@operation(
    "find_partition without a seed, after random.seed",
    factors=("process", "call"),
    data="300 nodes; membership",
    setting="seed=1",
)
def unseeded(setting: bool) -> Any:
    more = {"seed": 1} if setting else {}
    return list(
        leidenalg.find_partition(_graph(), leidenalg.ModularityVertexPartition, **more).membership
    )
