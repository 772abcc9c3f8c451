"""The work behind each command: one module a verb, which joins the lower rooms in order.

Internal, and may change in any release; the public Python API is what ``import freezer`` gives.
"""
