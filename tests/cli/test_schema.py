"""``sr-bench schema`` prints what editors need to check a card.toml."""

from sr_bench.cards.schema import CardTable


def test_it_prints_the_json_schema_of_a_card(sr_bench) -> None:
    result = sr_bench("schema")
    assert (result.code, result.err) == (0, "")
    assert result.json == CardTable.model_json_schema()
