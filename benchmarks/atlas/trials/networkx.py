"""NetworkX: graphs."""

from typing import Any

import networkx as nx

from benchmarks.atlas.inside import operation

PACKAGE = "networkx"
VERSIONS = ("3.6.1",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")
OLDEST = "2.8.8"
STREAMS_WITH = ("numpy==1.26.4", "scipy==1.11.4")


def _edges(graph: Any) -> Any:
    return sorted(map(list, graph.edges()))


def _named(p: float = 0.05) -> Any:
    graph = nx.gnp_random_graph(200, p, seed=3)
    return nx.relabel_nodes(graph, {n: f"node{n}" for n in range(200)})


@operation(
    "gnp_random_graph(seed=...)",
    factors=("process", "hash seed", "version"),
    data="100 nodes, p 0.1; edges",
)
def gnp(seed: int) -> Any:
    return _edges(nx.gnp_random_graph(100, 0.1, seed=seed))


@operation(
    "barabasi_albert_graph(seed=...)",
    factors=("process", "hash seed", "version"),
    data="100 nodes, m 3; edges",
)
def barabasi(seed: int) -> Any:
    return _edges(nx.barabasi_albert_graph(100, 3, seed=seed))


@operation(
    "watts_strogatz_graph(seed=...)",
    factors=("process", "version"),
    data="100 nodes, k 4, p 0.1; edges",
)
def watts(seed: int) -> Any:
    return _edges(nx.watts_strogatz_graph(100, 4, 0.1, seed=seed))


@operation(
    "powerlaw_cluster_graph(seed=...)",
    factors=("process", "hash seed", "version"),
    data="100 nodes, m 3, p 0.2; edges",
)
def powerlaw(seed: int) -> Any:
    return _edges(nx.powerlaw_cluster_graph(100, 3, 0.2, seed=seed))


@operation(
    "community.louvain_communities(seed=...) with nodes named by strings",
    factors=("process", "hash seed", "version"),
    data="200 nodes, p 0.05; communities, sorted",
    setting="PYTHONHASHSEED=0",
    variables={"PYTHONHASHSEED": "0"},
    note="nodes are shuffled as a set gives them",
)
def louvain(seed: int) -> Any:
    return sorted(sorted(part) for part in nx.community.louvain_communities(_named(), seed=seed))


@operation(
    "community.asyn_lpa_communities(seed=...) with nodes named by strings",
    factors=("process", "hash seed"),
    data="200 nodes, p 0.01; communities, sorted",
)
def labels(seed: int) -> Any:
    return sorted(
        sorted(part) for part in nx.community.asyn_lpa_communities(_named(0.01), seed=seed)
    )


@operation(
    "spring_layout(seed=...)",
    factors=("process", "hash seed", "version"),
    data="the karate club; positions",
)
def layout(seed: int) -> Any:
    return list(nx.spring_layout(nx.karate_club_graph(), seed=seed).values())


@operation("pagerank", factors=("process", "hash seed", "version"), data="the karate club")
def pagerank() -> Any:
    return list(map(float, nx.pagerank(nx.karate_club_graph()).values()))
