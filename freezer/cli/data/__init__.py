"""Commands about data sets: `freeze data status`, `diff`, `verify` and `record`."""
