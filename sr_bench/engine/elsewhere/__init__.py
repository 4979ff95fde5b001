"""The same work in another process: `Work` in; image results out, from a child or a cluster."""
