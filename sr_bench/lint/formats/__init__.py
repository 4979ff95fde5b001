"""How a report is printed: each module offers ``render(report, *, show_waived)``."""
