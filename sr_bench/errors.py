"""The exception tree: each message says what was expected, what was got, where, and what to do."""

from typing import Self


class SrBenchError(Exception):
    """Something is wrong with an input; the message is meant for the user."""

    def about(self, what: str) -> Self:
        """Return the same error with `what` it is about before its message."""
        return type(self)(f"{what}: {self}")

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes, whatever arguments the constructor of a subclass takes."""
        return type(self).__new__, (type(self), *self.args), vars(self)


class DocumentError(SrBenchError):
    """A README or its table can't be read or changed as asked."""


class CardError(SrBenchError):
    """A card.toml, or a protocol named in it, has one or more faults; all are listed."""


class CheckpointError(SrBenchError):
    """A weight file is corrupt, unsafe, or not of the declared architecture."""


class DatasetError(SrBenchError):
    """A dataset's manifest, folder or archive is not what was declared."""


class ImageError(SrBenchError):
    """An image can't be decoded, or has a shape or depth that isn't supported."""


class MetricError(SrBenchError):
    """Two images can't be scored against each other."""


class BackendError(SrBenchError):
    """A backend could not open an artefact or run it."""


class OptionError(SrBenchError):
    """A command-line option or ini key has a value that isn't valid."""


class NotRunError(SrBenchError):
    """Something is merely absent or unsupported here; the case is ``not_run``, never failed.

    The message says what is absent and what to do to get it.
    """


class CacheWarning(UserWarning):
    """What is kept to save time is damaged or can't be used; the work goes on."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)  # with which xdist makes it again
        self.kind = kind

    def __str__(self) -> str:
        """Return the text."""
        return str(self.args[1])


class DeviceError(BackendError):
    """A device, its compiler or its runtime failed; `failure` is the class that it falls in."""

    def __init__(self, failure: str, message: str) -> None:
        super().__init__(f"{failure}: {message}")
        self.failure = failure
        self._message = message

    def about(self, what: str) -> Self:
        """Return the same error with `what` it is about before its message."""
        return type(self)(self.failure, f"{what}: {self._message}")
