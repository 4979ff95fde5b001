"""What an output is worth: arrays and a protocol in; scores out. Pure functions."""
