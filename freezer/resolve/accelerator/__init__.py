"""What `accelerator:` means in every ecosystem: constraints before solving, checks after."""
