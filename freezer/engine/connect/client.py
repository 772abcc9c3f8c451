"""Clients of the docker SDK, in a module of its own: to import the SDK takes time."""

from __future__ import annotations

import docker

PlainClient = docker.APIClient


class DirectClient(docker.APIClient):  # type: ignore[misc]  # docker has no types
    """A client that takes neither proxies nor certificates from the environment.

    No proxy leads to a socket, and ``requests`` would look for one each time. The bundle that
    ``REQUESTS_CA_BUNDLE`` names would be used in the place of the authority of a context, from the
    first request on, which the constructor makes.
    """

    @property
    def trust_env(self) -> bool:
        """Whether variables of the environment count."""
        return False

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        del value
