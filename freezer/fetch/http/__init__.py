"""HTTP, HTTPS and file addresses: one client, bounded reads, zip archives read by ranges."""
