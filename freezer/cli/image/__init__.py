"""Commands about an image: fetch, build, bundle, image, images, inventory."""
