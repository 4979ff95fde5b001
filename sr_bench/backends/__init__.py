"""What runs a network: one module or package per backend, all with the same functions."""
