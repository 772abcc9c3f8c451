"""Commands about a project: init, schema, doctor."""
