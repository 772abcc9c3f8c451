"""All layers of an image put together: made once, kept in the store, verified, loaded."""
