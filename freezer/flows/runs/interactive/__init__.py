"""Interactive containers: `freeze shell`."""
