"""What several outputs share: the order of records, notes, and marks."""
