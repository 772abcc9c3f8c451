"""Licenses as SPDX expressions, from what packages declare."""
