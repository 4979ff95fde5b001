"""Write measured values back: records in; edited README cells, cards and a ledger line out."""
