"""Beyond one machine: the same work, done by the workers of a Dask cluster."""
