"""What to ask: options, card and document in; `Case`s out, one for each claim, in their order."""
