"""The arithmetic of a replay: when things happen, and what is compared with what."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from diadema.store import Contact
from diadema_sim import replay
from diadema_sim.bank_log import BankDay, Call

JERUSALEM = ZoneInfo("Asia/Jerusalem")
MIDNIGHT = 917_820_000_000  # 1999-02-01 00:00 there, two hours before UTC's


def call(line: int, start_s: int, talk_s: int, server: str = "IDIT") -> Call:
    return Call(line, "7", "PS", server, start_s, start_s + talk_s)


def day(*calls: Call) -> BankDay:
    made = BankDay(date(1999, 2, 1))
    for one in calls:
        made.calls.setdefault(one.server, []).append(one)
    return made


def contact(line: int, talk_ms: int, a: str = "a001", outcome: str = "answered") -> Contact:
    return Contact(
        station="DIA-02d1ade00001",
        epoch=1,
        sequence=line,
        contact=f"990201-{line}",
        agent=a,
        talk_ms=talk_ms,
        outcome=outcome,
    )


def test_local_seconds_become_utc_also_before_and_after_the_day() -> None:
    of = day(call(2, 100, 5))
    assert replay.utc_ms(of, 0, JERUSALEM) == MIDNIGHT
    assert replay.utc_ms(of, -60, JERUSALEM) == MIDNIGHT - 60_000
    assert replay.utc_ms(of, 86_400 + 30.5, JERUSALEM) == MIDNIGHT + 86_430_500
    assert replay.start_utc_ms(of, JERUSALEM) == MIDNIGHT + 100_000 - 240_000


@pytest.mark.parametrize(
    ("talk_s", "next_s", "line", "when"),
    [
        (100, None, 3, "after"),
        (100, None, 2, "during"),
        (100, 100, 3, "during"),
        (100, 103, 3, "during"),
        (100, 104, 3, "after"),
        (2, 2, 3, None),
        (0, 0, 2, None),
        (2, 50, 2, "after"),
    ],
)
def test_tipificacion_goes_where_there_is_time(
    talk_s: int, next_s: int | None, line: int, when: str | None
) -> None:
    assert replay.typify_when(call(line, 0, talk_s), next_s) == when


def test_figures_stand_beside_the_file() -> None:
    of = day(call(2, 0, 100), call(3, 200, 0), call(4, 0, 9, "TOVA"))
    contacts = [contact(2, 100_499), contact(3, 499), contact(4, 8_500, "a002")]
    found = replay.figures(of, contacts, {"a001": "IDIT", "a002": "TOVA"}, set())
    assert found == {
        "agents": [
            {"agent": "IDIT", "contacts": 2, "talk_s": 100, "file_contacts": 2,
             "file_talk_s": 100},
            {"agent": "TOVA", "contacts": 1, "talk_s": 9, "file_contacts": 1, "file_talk_s": 9},
        ],
        "total": {"contacts": 3, "talk_s": 109, "file_contacts": 3, "file_talk_s": 109},
    }  # fmt: skip
    assert replay.agree(found)


def test_a_second_too_many_or_a_contact_too_few_does_not_agree() -> None:
    of = day(call(2, 0, 100), call(3, 200, 10))
    names = {"a001": "IDIT"}
    assert not replay.agree(
        replay.figures(of, [contact(2, 100_500), contact(3, 10_000)], names, set())
    )
    missed = [contact(2, 100_000), contact(3, 0, outcome="missed")]
    assert not replay.agree(replay.figures(of, missed, names, set()))


def test_what_was_left_out_is_left_out_of_both() -> None:
    of = day(call(2, 0, 100), call(3, 200, 10), call(4, 300, 20))
    outcome = replay.Deviations(undelivered=[{"line": 3}], interrupted=[{"line": 4}])
    contacts = [contact(2, 100_000), contact(4, 12_000)]
    found = replay.figures(of, contacts, {"a001": "IDIT"}, outcome.left_out())
    assert found["total"] == {
        "contacts": 1, "talk_s": 100, "file_contacts": 1, "file_talk_s": 100
    }  # fmt: skip
