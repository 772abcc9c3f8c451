"""Where bytes come from and where they are kept: sources, downloads, the artifact store."""
