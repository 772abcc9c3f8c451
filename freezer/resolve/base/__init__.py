"""The base image: what it contains, and which Python and platform packages must fit."""
