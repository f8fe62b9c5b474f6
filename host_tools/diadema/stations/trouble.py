"""What a station has, in words. The codes are the station's own, the words those of the catalogue's
area `trouble`; a code that it does not know is shown as it is.
"""

from collections.abc import Mapping

from diadema.stations.boards.table import DOWNLOADS, build_named, file_of
from diadema.words import section

_REASONS = ("reason", "part", "code")


def fault(told: str, language: str) -> str:
    """Of «codec: no_answer»."""
    words = section("trouble", language)
    part, _, code = told.partition(": ")
    return f"{words.get(f'part.{part}', part)}: {words.get(f'code.{code}', code)}"


def advice(told: str, language: str) -> str | None:
    """What to do about «codec: no_answer», where that is known."""
    words = section("trouble", language)
    part, _, code = told.partition(": ")
    return words.get(f"do.{part}.{code}") or words.get(f"do.{code}")


def check(name: str, language: str) -> str:
    """What a self-test looked at, or why it ended as it did."""
    words = section("trouble", language)
    return words.get(f"check.{name}") or words.get(f"part.{name}", name)


def reason(told: str, language: str) -> str:
    """Why an update ended: «rolled_back: codec», «wrong_board: this one is sim»."""
    words = section("trouble", language)
    return ": ".join(_known(one, words) for one in told.split(": "))


def word(kind: str, name: str, language: str) -> str:
    """Of a `cause` of a start, or a `phase` of an update."""
    return section("trouble", language).get(f"{kind}.{name}", name)


def start(
    needs_image: str | None, safe: str | None, cause: str, board: str, language: str
) -> list[str]:
    """What is wrong with how it starts: needs another image, does not start at all
    (`diadema.gateway.console`), is in safe mode, started without its radio.
    """
    words = section("trouble", language)
    if needs_image:
        told = words[f"start.{needs_image}"].format(build=build_named(board))
        return [words["start.safe_too"].format(why=told) if safe else told]
    if safe is not None:
        if (key := f"console.{safe}") in words:
            return [words[key]]
        return [words["start.safe"].format(why=word("safe", safe, language))]
    return [words[key]] if (key := f"start.{cause}") in words else []


def image_advice(needs_image: str, board: str, language: str) -> str:
    """What to do with one that needs another image."""
    told = section("trouble", language)[f"do.{needs_image}"]
    return told.format(file=file_of(build_named(board)), place=DOWNLOADS)


def _known(name: str, words: Mapping[str, str]) -> str:
    return next((words[key] for at in _REASONS if (key := f"{at}.{name}") in words), name)
