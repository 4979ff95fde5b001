"""int8 as the card is taken to compute it, on a CPU: for where there is no card."""
