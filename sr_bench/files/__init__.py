"""Files: bytes, addresses and archives in; what is whole and checked out, or an error alone."""
