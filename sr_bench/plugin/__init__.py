"""The pytest plugin: collects card.toml files and judges each claim as a test item."""
