"""A card's checkpoint, and what it says of the Python code that its architecture names."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from sr_bench.core.fields import SLASHES, Spelled, matching, without_secret

_SHA256 = matching("[0-9a-f]{64}|", "64 lower-case hex digits, or nothing if unknown")

_PACKAGE = "([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?"


@dataclass(frozen=True)
class Checkpoint:
    """A weight file and how to know that it is the right one.

    With `file` and `package` both, the file is taken where it is, else that of the package.
    """

    file: Annotated[str, SLASHES] = ""
    """File name; looked up in ``--sr-weights``, beside the card, then in the cache. Of ncnn's
    ``X.param`` the weights are beside it in ``X.bin``."""
    url: Annotated[str, Spelled(without_secret)] = ""
    """Where the authors publish it; empty if unknown."""
    sha256: Annotated[str, _SHA256] = ""
    """Hex digest of `file`; empty if none is known: then the file is not checked. Of ncnn's two
    files it is that of one after the other: ``cat X.param X.bin | sha256sum``."""
    key: str = ""
    """Entry of the file that holds the weights (``params``, ``params_ema``); empty: detected."""
    licence: str = ""
    """Of the weights, whatever the package that carries them says about itself."""
    package: Annotated[str, matching(_PACKAGE, "the name of a Python package")] = ""
    """Python package that carries the weights; empty: none is known."""
    path: str = ""
    """The file in `package`, or an end of its path, with or without suffix."""
    package_sha256: Annotated[str, _SHA256] = ""
    """As `sha256`, of the file in `package`."""

    @property
    def name(self) -> str:
        """What it is called where it is absent."""
        return self.file or f"{self.path} of package {self.package}"

    @property
    def declared(self) -> str:
        """Both digests, for keys of what is made of the weights: a wrong one must not be hidden."""
        return self.sha256 + self.package_sha256

    def sha256_of(self, name: str) -> str:
        """Return the digest that the file called `name` must have; empty: any."""
        packaged = PurePosixPath(self.path).name
        of_package = packaged and packaged in (name, PurePosixPath(name).stem)
        return self.package_sha256 if of_package else self.sha256


@dataclass(frozen=True)
class Code:
    """What a card says of the Python code that its architecture names."""

    trust: bool = False
    """Whether it may be run, where the session agrees by ``--sr-trust-code``."""
