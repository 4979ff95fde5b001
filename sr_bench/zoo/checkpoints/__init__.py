"""Read weight files, run nothing of them, and find the tensors that are a network's."""
