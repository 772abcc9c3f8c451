"""Output of commands about images: build, bundle, images, inventory, push and pull."""
