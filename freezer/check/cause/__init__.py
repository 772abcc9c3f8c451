"""Causes of differing records: ranked factors, and experiments that isolate one of them."""
