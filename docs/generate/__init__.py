"""The parts of the reference that the code knows: options, commands, keys, rules and the like."""
