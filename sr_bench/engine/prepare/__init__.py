"""What to run: a card and a precision in; a `Prepared` network out, as a file kept by content."""
