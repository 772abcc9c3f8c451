"""The artifact store: content-addressed files, verified downloads, memos and progress."""
