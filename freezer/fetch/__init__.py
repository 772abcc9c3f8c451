"""Sources, downloads and the artifact store."""
