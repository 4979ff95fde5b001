"""Compare words in any case and width, and tell the numbers of a text from its names."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeVar

Key = TypeVar("Key")

_DIGIT: Final = re.compile("[0-9]")
_FRACTION: Final = re.compile(r"\d\\?[.,．，]\d")  # noqa: RUF001 - full-width
_SIGNS: Final = re.compile(r"[\W_]+")
# Not the digits of names (Set5, v1.2, EDSR-2) and shapes (3x8x8).
_NUMBER: Final = re.compile(
    r"(?<![\w.×])(?<![A-Za-z]-)\.?\d+(?:[.,٫]\d+)*[a-zA-Z%\u00b5]{0,4}(?![\w×])"  # noqa: RUF001
)
# Traditional characters of the words that are known in simplified ones.
_SIMPLIFIED: Final = str.maketrans(
    "參數計準確間遲幀顯據評測試驗證結論網絡損張圖單訊雜憶體積標類模延時記錄質對資訓練誤差倍長總權",
    "参数计准确间迟帧显据评测试验证结论网络损张图单讯杂忆体积标类模延时记录质对资训练误差倍长总权",
)


def folded(text: str) -> str:
    """Return `text` in lower case, full-width letters and accents made plain."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def compact(text: str) -> str:
    """Return the letters and digits of `text`, in lower case, without accents, and simplified."""
    key = _SIGNS.sub("", folded(text))
    return key if key.isascii() else key.translate(_SIMPLIFIED)


def words(text: str) -> frozenset[str]:
    """Return the words of `text` as `compact` spells them."""
    return frozenset(map(compact, text.split()))


def by_word(meanings: Mapping[Key, str]) -> Mapping[str, Key]:
    """Return the key of each word in the texts of `meanings`."""
    return MappingProxyType({word: key for key, text in meanings.items() for word in words(text)})


def has_digit(text: str) -> bool:
    """Tell whether `text` holds a digit of any script, or a fraction such as a half."""
    if text.isascii():
        return bool(_DIGIT.search(text))
    return any(character.isnumeric() and not character.isalpha() for character in text)


def has_fraction(text: str) -> bool:
    """Tell whether `text` holds a decimal, whatever else it says."""
    return bool(_FRACTION.search(text))


def has_number(text: str) -> bool:
    """Tell whether a number stands alone in `text`, with or without a unit."""
    return bool(_NUMBER.search(unicodedata.normalize("NFKC", text)))


def narrow(text: str) -> str:
    """Return `text` with its full-width characters made plain, each in its place.

    Raised and lowered digits become blanks: in names and numbers they are footnote marks.
    """
    return "".join(map(_narrow, text))


@lru_cache(maxsize=1000)
def _narrow(character: str) -> str:
    if character.isascii():
        return character
    plain = unicodedata.normalize("NFKC", character)
    if plain.isdecimal() and not character.isdecimal() and not character.isalpha():
        return " "
    return plain if len(plain) == 1 else character
