"""How fast the card is, by its own profiler."""
