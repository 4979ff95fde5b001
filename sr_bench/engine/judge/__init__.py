"""Judge: measurements, claims and limits in, verdicts out; pure functions without I/O."""
