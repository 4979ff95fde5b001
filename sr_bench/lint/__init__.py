"""Find what is wrong with a document's numbers without running a model."""
