"""Images with their documents in a registry, and signatures of images, reports and archives."""
