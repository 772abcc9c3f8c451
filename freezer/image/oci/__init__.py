"""OCI documents: the image's config, an OCI layout archive, and bundles."""
