"""The engine: select, plan, prepare, run and judge; the only place where capabilities meet."""
