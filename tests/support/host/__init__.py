"""Commands, engines and daemons of this host, or in their place."""
