"""Text of others, made fit to print: no control characters, no folder of a person."""
