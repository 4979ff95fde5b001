"""The rules of lint: each module offers ``RULE`` and ``check(subject)``; named by its file."""
