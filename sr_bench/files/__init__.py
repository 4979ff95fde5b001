"""Hash, write, download, unpack and cache files so that nothing is ever half there."""
