"""What is wrong with a station, in words. The codes are the station's own, the words are of the
catalogue's area `trouble`; a code that it does not know is shown as it is.
"""

from collections.abc import Mapping

from diadema.stations.boards.table import DOWNLOADS, build_named, file_of
from diadema.words import section

_REASONS = ("reason", "part", "code")


def fault(reported: str, language: str) -> str:
    """A fault as `codec: no_answer`, in words."""
    words = section("trouble", language)
    part, _, code = reported.partition(": ")
    return f"{words.get(f'part.{part}', part)}: {words.get(f'code.{code}', code)}"


def advice(reported: str, language: str) -> str | None:
    """What to do about a fault as `codec: no_answer`; None where that is not known."""
    words = section("trouble", language)
    part, _, code = reported.partition(": ")
    return words.get(f"do.{part}.{code}") or words.get(f"do.{code}")


def check(name: str, language: str) -> str:
    """What a self-test checked, or why it ended as it did."""
    words = section("trouble", language)
    return words.get(f"check.{name}") or words.get(f"part.{name}", name)


def reason(reported: str, language: str) -> str:
    """Why an update ended, as `rolled_back: codec` or `wrong_board: this one is sim`."""
    words = section("trouble", language)
    return ": ".join(_known(one, words) for one in reported.split(": "))


def word(kind: str, name: str, language: str) -> str:
    """The word for a `cause` of a start, a `phase` of an update, or another `kind`."""
    return section("trouble", language).get(f"{kind}.{name}", name)


def start(
    needs_image: str | None, safe: str | None, cause: str, board: str, language: str
) -> list[str]:
    """What is wrong with how a station starts: it needs another image, does not start at all
    (`diadema.gateway.console`), is in safe mode, or started without its radio. Empty when
    nothing is wrong.
    """
    words = section("trouble", language)
    if needs_image:
        line = words[f"start.{needs_image}"].format(build=build_named(board))
        return [words["start.safe_too"].format(why=line) if safe else line]
    if safe is not None:
        if (key := f"console.{safe}") in words:
            return [words[key]]
        return [words["start.safe"].format(why=word("safe", safe, language))]
    return [words[key]] if (key := f"start.{cause}") in words else []


def image_advice(needs_image: str, board: str, language: str) -> str:
    """Which image to bring to a station that needs another, and from where."""
    text = section("trouble", language)[f"do.{needs_image}"]
    return text.format(file=file_of(build_named(board)), place=DOWNLOADS)


def _known(name: str, words: Mapping[str, str]) -> str:
    return next((words[key] for at in _REASONS if (key := f"{at}.{name}") in words), name)
