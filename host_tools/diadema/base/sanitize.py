"""Text that people typed somewhere, made harmless where it goes: into CSV cells, onto pages, into
lists. Whoever writes such a file or takes such a name asks here.
"""

import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format and bidi, half characters
_LINES = frozenset("\n\t")
# what a spreadsheet takes for a formula; the full-width ones and after spaces too
_FORMULA = r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]"
_RISKY = re.compile(rf"'*(?:{_FORMULA})")
_PATHS = re.compile(r'[/\\:*?"<>|]')
_GUARDED = re.compile(rf"'+(?:{_FORMULA})")
_ADDRESS = re.compile(
    r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
)  # no quotes, comments, routes or anything else that a header or SMTP could take for more


def cell(text: str) -> str:
    """As the text cell of a CSV: a leading `'` keeps a formula from being one; nothing in it
    stays hidden. Numbers are not for this: `-3` would become text.
    """
    shown = visible(text, lines=True)
    return f"'{shown}" if _RISKY.match(text) or _RISKY.match(shown) else shown


def from_cell(text: str) -> str:
    """What `cell` was given."""
    return text[1:] if _GUARDED.match(text) else text


def mail_address(text: str) -> str:
    """An address to which mail can go, in lower case. Raises ValueError for anything else."""
    if len(text) > 254 or len(text.partition("@")[0]) > 64 or not _ADDRESS.fullmatch(text):
        raise ValueError(text)
    return text.lower()


def hidden(text: str, *, lines: bool = False) -> list[str]:
    """The characters in it that nobody sees or that turn the text around, as `U+202E`; `lines`:
    line ends and tabs are welcome.
    """
    if text.isprintable():
        return []
    return list(dict.fromkeys(_name(one) for one in text if _is_hidden(one, lines)))


def stripped(text: str, *, lines: bool = False) -> str:
    """Without them."""
    if text.isprintable():
        return text
    return "".join(one for one in text if not _is_hidden(one, lines))


def visible(text: str, *, lines: bool = False) -> str:
    """With each of them shown as `⟨U+202E⟩`: for old data, which is never changed."""
    if text.isprintable():
        return text
    return "".join(f"⟨{_name(one)}⟩" if _is_hidden(one, lines) else one for one in text)


def file_name(text: str) -> str:
    """As part of a file's name, on any system: never a path."""
    return _PATHS.sub("-", visible(text))


def _is_hidden(one: str, lines: bool) -> bool:
    return unicodedata.category(one) in _HIDDEN and not (lines and one in _LINES)


def _name(one: str) -> str:
    return f"U+{ord(one):04X}"
