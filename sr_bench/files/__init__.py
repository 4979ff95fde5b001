"""Files: hashes, atomic writes, downloads, archives, and tables read from TOML."""
