"""Cards: read card.toml and the named protocols, refuse what is not understood."""
