"""igraph: graphs."""

import random
from typing import Any

import igraph

from benchmarks.atlas.inside import operation

PACKAGE = "igraph"
VERSIONS = ("1.0.0",)
OLDEST = "0.10.8"


def _seeded(seed: int) -> None:
    random.seed(seed)
    igraph.set_random_number_generator(random)


def _club() -> Any:
    return igraph.Graph.Famous("Zachary")


@operation(
    "Graph.Erdos_Renyi after random.seed",
    factors=("process", "call", "hash seed", "version"),
    data="100 nodes, p 0.1; edges",
)
def erdos(seed: int) -> Any:
    _seeded(seed)
    return [list(edge) for edge in igraph.Graph.Erdos_Renyi(n=100, p=0.1).get_edgelist()]


@operation(
    "Graph.Barabasi after random.seed",
    factors=("process", "call", "version"),
    data="100 nodes, m 3; edges",
)
def barabasi(seed: int) -> Any:
    _seeded(seed)
    return [list(edge) for edge in igraph.Graph.Barabasi(100, 3).get_edgelist()]


@operation(
    "Graph.community_multilevel after random.seed",
    factors=("process", "call", "version"),
    data="the karate club; membership",
)
def louvain() -> Any:
    _seeded(1)
    return list(_club().community_multilevel().membership)


@operation(
    "Graph.community_leiden after random.seed",
    factors=("process", "call", "version"),
    data="the karate club, modularity; membership",
)
def leiden() -> Any:
    _seeded(1)
    return list(_club().community_leiden("modularity").membership)


@operation(
    "Graph.layout_fruchterman_reingold after random.seed",
    factors=("process", "call", "version"),
    data="the karate club; positions",
)
def layout(seed: int) -> Any:
    _seeded(seed)
    return [list(map(float, item)) for item in _club().layout_fruchterman_reingold(niter=50).coords]
