"""Text of others, made fit to print, or to stand in TOML: no control characters, no home folder."""
