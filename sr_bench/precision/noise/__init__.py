"""How much of each layer's own int8 error arrives at the output: carried there by linearisation."""
