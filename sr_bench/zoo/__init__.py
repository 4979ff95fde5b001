"""Networks: own-written architectures and the safe, strict loading of their weights."""
