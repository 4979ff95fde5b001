pytest_plugins = ["sr_bench.plugin", "pytester"]
