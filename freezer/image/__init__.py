"""Lock to image: chunks, layers, context, canonical form, verification."""
