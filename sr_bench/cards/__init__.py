"""Cards: card.toml and named protocols in; model cards out, or all that is wrong with them."""

CARD = "card.toml"
"""What the file is called."""
