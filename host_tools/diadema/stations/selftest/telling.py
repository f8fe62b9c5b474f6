"""A bench test in words, of the catalogue's area `selftest`. A check that it does not know is told
as the station calls it.
"""

import shlex
from zoneinfo import ZoneInfo

from diadema.base.sanitize import file_name
from diadema.stations.selftest.console import Step
from diadema.stations.selftest.record import Signed, Standing
from diadema.stations.technician.hub_key import fingerprint
from diadema.words import section, text
from diadema.words.formatting import local_time


def check(name: str, language: str) -> str:
    return section("selftest", language).get(f"check.{name}", name)


def result(word: str, language: str) -> str:
    return section("selftest", language).get(f"result.{word}", word)


def advice(name: str, language: str) -> str | None:
    """What to do about a check that failed, or about why it ended."""
    words = section("selftest", language)
    return words.get(f"do.{name}") or words.get(f"do.{name.partition('_')[0]}")


def begun(step: Step, language: str) -> str:
    """What a person is to do now."""
    return _of_step("step", step, language)


def done(step: Step, language: str) -> str:
    return f"{_of_step('done', step, language)}: {result(step.result or '', language)}"


def why(signed: Signed, language: str) -> str:
    """What failed, and why else it is not fit."""
    words = section("selftest", language)
    failed = [check(name, language) for name in signed.failed]
    if signed.reason and signed.reason not in signed.checks:
        failed.append(words.get(f"why.{signed.reason}", signed.reason))
    if not failed and not signed.checks:
        failed.append(words["why.no_checks"])
    return ", ".join(failed)


def verdict(signed: Signed, language: str) -> str:
    words, seat = section("selftest", language), named(signed)
    if signed.record.fit:
        return words["verdict.fit"].format(seat=seat)
    return words["verdict.unfit"].format(seat=seat, why=why(signed, language))


def to_do(signed: Signed, language: str) -> list[str]:
    """A line for each thing that is wrong."""
    told = [(check(name, language), advice(name, language)) for name in signed.failed]
    lines = [f"{name}: {what}" for name, what in told if what]
    if signed.reason and signed.reason not in signed.checks:
        lines += filter(None, [advice(signed.reason, language)])
    elif not signed.checks:
        lines += filter(None, [advice("no_checks", language)])
    return lines


def standing(found: Standing, public: str, language: str) -> str:
    return text(f"selftest.standing.{found}", language, fingerprint=fingerprint(public))


def next_step(signed: Signed, language: str) -> str:
    """How to print its record, as a shell takes it."""
    seat = named(signed)
    file = shlex.quote(f"{file_name(seat)}.pdf")
    return text("selftest.next", language, seat=shlex.quote(seat), file=file)


def named(signed: Signed) -> str:
    return signed.record.seat or signed.record.of[0]


def hour(utc_ms: int, zone: ZoneInfo) -> str:
    return local_time(utc_ms, zone, "date_minute")


def _of_step(kind: str, step: Step, language: str) -> str:
    words = section("selftest", language)
    which = check(f"badge_{step.which}", language) if step.part == "badge" else step.which
    said = words.get(f"{kind}.{step.part}")
    return said.format(which=which) if said else f"{step.part} {step.which}".strip()
