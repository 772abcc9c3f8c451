"""`freeze rollback`: make an earlier lock current again, once its check was good."""
