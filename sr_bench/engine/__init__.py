"""The engine: suites and options in; records out. The only place where capabilities meet.

`ls` shows its rooms; a case goes through plan, prepare, measure, score and judge, in that order.
"""
