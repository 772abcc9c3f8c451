"""The Python ecosystem: what is requested, the resolvers, and the files that are locked."""
