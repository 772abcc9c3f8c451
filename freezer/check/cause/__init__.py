"""Why two records differ: ranked factors, and experiments that isolate one of them."""
