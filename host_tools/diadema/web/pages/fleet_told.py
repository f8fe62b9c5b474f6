"""What is known of a station, in the words of the fleet's pages."""

from datetime import datetime

from diadema.stations.fleet import trouble
from diadema.stations.fleet.reading import Row
from diadema.web.pages.shell import Page
from diadema.web.service import Service

KIB = 1024


def link(row: Row, page: Page) -> str:
    words = page.words
    ways = "" if row.link == "lost" else ", ".join(words[f"way.{way}"] for way in row.ways)
    return words[f"link.{row.link}"] + (f" ({ways})" if ways else "")


def wrong(row: Row, page: Page) -> str:
    """In a few words, what a technician should look at."""
    found = "; ".join(troubles(row, page))
    return found[:1].upper() + found[1:]


def troubles(row: Row, page: Page) -> list[str]:
    words, language = page.words, page.language
    found = trouble.start(row.needs_image, row.safe, row.cause, row.board, language)
    found += [
        words["wrong.fault"].format(fault=trouble.fault(fault, language)) for fault in row.faults
    ]
    if row.unfit:
        found.append(words["wrong.unfit"].format(reason=trouble.check(row.unfit, language)))
    if row.seat is None:
        found.append(words["wrong.no_seat"])
    elif row.seen_utc is not None and row.generation != row.wanted:
        found.append(words["wrong.generation"].format(has=row.generation, wanted=row.wanted))
    if row.revoked:
        found.append(words["wrong.revoked"])
    if row.phase == "failed":
        reason = trouble.reason(row.reason or "", language)
        found.append(words["wrong.update"].format(reason=reason).removesuffix(": "))
    return found


def hour(utc_ms: int | None, service: Service) -> str:
    if utc_ms is None:
        return ""
    return f"{datetime.fromtimestamp(utc_ms / 1000, service.zone):%d/%m %H:%M}"
