"""``sr-bench schema``: the JSON schema of card.toml, for editors that check while one types."""

import argparse
import json

HELP = "print the JSON schema of card.toml, for editors"
EXAMPLE = "sr-bench schema > card.schema.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no argument: the schema has one form, JSON."""


def run(_args: argparse.Namespace) -> int:
    """Print the schema."""
    from sr_bench.cards.schema import CardTable

    print(json.dumps(CardTable.model_json_schema(), indent=1))
    return 0
