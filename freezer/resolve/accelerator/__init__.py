"""What `accelerator:` in a spec means in every world: constraints before solving, checks after."""
