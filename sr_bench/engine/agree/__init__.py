"""Agreement: one file on several runtimes, how far they are apart, and where they part."""
