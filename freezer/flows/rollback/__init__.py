"""`freeze rollback`: make an earlier lock current again, once it is shown to be good."""
