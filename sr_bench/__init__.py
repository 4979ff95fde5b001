"""Every number in a super-resolution model zoo's README is a test."""

__all__ = ["__version__"]

__version__ = "0.1.0"
