"""The whole of a first lock, base included, beside what bare uv takes for its Python half."""
