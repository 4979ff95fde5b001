"""The environment of the synthetic sessions of tests."""

from sr_bench.core.history import Environment

ENVIRONMENT = Environment({"numpy": "2.0"}, "3.11", "Linux", "cpu", 2, "abc")
