"""Container registries: references, authentication, manifests, pull, push and referrers."""
