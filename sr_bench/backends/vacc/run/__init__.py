"""Run what was built on the card, and outlive what it does."""
