"""Who may hear a call: one decision, each thing that it looks at by itself, and why not."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from diadema.access.roles import RIGHTS, Person, Role
from diadema.quality.hearing import (
    CASE,
    DRAWN,
    LEADING,
    SUPERVISING,
    Barred,
    Grounds,
    Permit,
    Wanted,
    is_held,
    may_hear,
    not_informed,
    published_of,
)
from diadema.site.directory.notices import Notice, Notices
from diadema.site.directory.people import People, Worker
from diadema.site.directory.scorecards import Item, Scorecard
from diadema.store.quality import AssignedCall, OpenedCase
from diadema.store.quality_rows import Assignment, CaseStep, RecordingAct, Signature
from diadema.store.quality_rows import Notice as PublishedNotice
from diadema.store.rows import Contact, Details
from diadema.words import LANGUAGES, said
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

LIMA = ZoneInfo("America/Lima")
HOUR, DAY_MS = 3_600_000, 86_400_000


def at(day, clock="10:00"):
    moment = datetime.fromisoformat(f"2026-11-{day:02} {clock}").replace(tzinfo=LIMA)
    return round(moment.timestamp() * 1000)


START = at(20)
EVENT = {"station": "HUB-main", "epoch": 1, "sequence": 1, "utc": at(1), "by": "luz"}
CALLER = Notice(code="graba", hash="c")
AGENT = Notice(code="asesor", side="agent", hash="a")
PUBLISHED = {("graba", "c"): at(2), ("asesor", "a"): at(2)}
SIGNED = Signature(**EVENT | {"utc": at(3)}, notice="asesor", agent="a1", how="badge")
CALL = Contact(station="DIA-1", epoch=1, sequence=7, contact="c", agent="a1", queue="saldos",
               start_utc=START)  # fmt: skip
ASSIGNED = AssignedCall(
    assignment=Assignment(
        **EVENT, agent="a1", call_s="DIA-1", call_e=1, call_n=7, assignee="noe", form="atencion",
        version=1, due_utc=at(27),
    )
)  # fmt: skip
OPENED = OpenedCase(
    opened=CaseStep(
        **EVENT, kind="opened", case_id="6f9a01c2d4e5", agent="a1", call_s="DIA-1", call_e=1,
        call_n=7, number="RH-12", reason="queja", until_utc=at(25),
    )
)  # fmt: skip
NOTICES = Notices(versions={"graba": [CALLER], "asesor": [AGENT]})
PEOPLE = People(
    workers={a: Worker(id=a, name=a, team=team) for a, team in (("a1", "V"), ("a2", "W"))},
    queues={"saldos": "Saldos"},
    supervised={"sofia": ["V"], "ana": ["W"]},
    notices=NOTICES,
)
GROUNDS = Grounds(people=PEOPLE, zone=LIMA, now_ms=at(21), published=PUBLISHED,
                  signatures=[SIGNED], assigned=[ASSIGNED], cases=[OPENED])  # fmt: skip
RECORDED = Wanted(source="recording", purpose="coaching")
OF_DRAW = Wanted(source="recording", purpose=DRAWN)
OF_CASE = Wanted(source="recording", purpose=CASE)


def person(account, role, **more):
    return Person(id=account, name=account, role=role, **more)


SOFIA = person("sofia", "supervisor")
NOE = person("noe", "monitor")
LUZ = person("luz", "quality_lead")
HUGO = person("hugo", "hr")


def people(**changed):
    return replace(GROUNDS, people=replace(PEOPLE, **changed))


def why(who, wanted=RECORDED, grounds=GROUNDS, call=CALL):
    found = may_hear(who, call, wanted, grounds)
    return found.reason if isinstance(found, Barred) else ""


PURPOSES = (*LEADING, DRAWN, CASE, "", "curiosity")
OF_ROLE = {
    "supervisor": {*SUPERVISING}, "monitor": {DRAWN}, "quality_lead": {*LEADING, DRAWN},
    "hr": {CASE},
}  # fmt: skip


@pytest.mark.parametrize("role", list(RIGHTS))
@pytest.mark.parametrize("source", ["live", "recording"])
def test_each_role_hears_for_its_own_purposes_alone(role: Role, source):
    """Of a call on which everything else is as it should be."""
    who = person("noe", role, teams=frozenset({"V"}), agent="a1" if role == "agent" else None)
    for purpose in PURPOSES:
        wanted = Wanted(source=source, purpose=purpose)
        heard = isinstance(may_hear(who, CALL, wanted, GROUNDS), Permit)
        never_live = purpose == CASE and source == "live"
        assert heard == (purpose in OF_ROLE.get(role, ()) and not never_live), (role, purpose)


def test_a_program_hears_nothing():
    for role, purpose in product(("supervisor", "monitor", "hr", "admin"), PURPOSES):
        program = person("token:noe", role, teams=frozenset({"V"}))
        assert why(program, Wanted(source="recording", purpose=purpose)) == "no_right"


def test_a_supervisor_hears_the_own_teams_alone():
    assert why(SOFIA) == ""
    assert why(person("ana", "supervisor")) == "other_team"
    assert why(person("otra", "supervisor")) == "other_team", "of no team, of no agent"
    assert why(LUZ) == "", "the lead's are all"


def test_a_monitor_hears_what_is_assigned_and_waiting():
    assert why(NOE, OF_DRAW) == ""
    assert why(person("eva", "monitor"), OF_DRAW) == "not_assigned", "it is another's"
    assert why(LUZ, OF_DRAW) == "not_assigned"
    other = replace(CALL, sequence=8)
    assert why(NOE, OF_DRAW, call=other) == "not_assigned", "another call of the same agent"
    for change in ({"submitted": ("HUB-main", 1, 9)}, {"replaced": True}, {"annulled": True}):
        over = replace(GROUNDS, assigned=[replace(ASSIGNED, **change)])
        assert why(NOE, OF_DRAW, over) == "assignment_over"
        assert why(NOE, OF_DRAW, replace(over, assigned=[*over.assigned, ASSIGNED])) == ""
    assert why(NOE, OF_DRAW, replace(GROUNDS, now_ms=at(27) - 1)) == ""
    assert why(NOE, OF_DRAW, replace(GROUNDS, now_ms=at(27))) == "assignment_due"


def test_nobody_evaluates_the_own_team_oneself_or_in_conflict():
    mine = replace(ASSIGNED, assignment=replace(ASSIGNED.assignment, assignee="sofia"))
    both = person("sofia", "quality_lead")
    assert why(both, OF_DRAW, replace(GROUNDS, assigned=[mine])) == "own_team"
    assert why(person("a1", "quality_lead")) == "oneself"
    barred = people(conflicts=frozenset({("luz", "a1"), ("noe", "a2"), ("sofia", "a1")}))
    assert (why(LUZ, grounds=barred), why(SOFIA, grounds=barred)) == ("conflict", "conflict")
    assert why(NOE, OF_DRAW, barred) == ""


def test_human_resources_hears_what_is_opened_to_a_case_while_it_is():
    def at_(now_ms=GROUNDS.now_ms, *those):
        return replace(GROUNDS, now_ms=now_ms, cases=those)

    assert why(HUGO, OF_CASE) == ""
    assert why(HUGO, OF_CASE, at_()) == "no_case"
    assert why(HUGO, OF_CASE, at_(at(25) - 1, OPENED)) == ""
    assert why(HUGO, OF_CASE, at_(at(25), OPENED)) == "no_case"
    closed = replace(OPENED, closed=replace(OPENED.opened, kind="closed"))
    assert why(HUGO, OF_CASE, at_(at(21), closed)) == "no_case"
    assert why(HUGO, OF_CASE, at_(at(21), closed, OPENED)) == "", "it was opened again"
    other = replace(CALL, sequence=8)
    assert why(HUGO, OF_CASE, call=other) == "no_case", "another call of the same agent"
    assert why(HUGO) == "purpose" and why(LUZ, OF_CASE) == "purpose"
    assert why(person("hugo", "hr", teams=frozenset({"W"})), OF_CASE) == "other_team"
    barred = people(conflicts=frozenset({("hugo", "a1")}))
    assert why(HUGO, OF_CASE, barred) == "conflict"
    assert why(person("a1", "hr"), OF_CASE) == "oneself"
    assert why(HUGO, OF_CASE, replace(GROUNDS, signatures=[])) == "not_informed"


@given(
    role=st.sampled_from(sorted(RIGHTS)),
    source=st.sampled_from(["live", "recording"]),
    purpose=st.sampled_from(PURPOSES),
    opened=st.lists(
        st.tuples(st.sampled_from([7, 8]), st.integers(at(20), at(22)), st.booleans()), max_size=3
    ),
)
def test_of_human_resources_nobody_hears_what_no_open_case_is_of(role, source, purpose, opened):
    those = [
        replace(
            OPENED,
            opened=replace(OPENED.opened, call_n=n, until_utc=until),
            closed=OPENED.opened if closed else None,
        )
        for n, until, closed in opened
    ]
    is_open = any(n == 7 and GROUNDS.now_ms < until and not over for n, until, over in opened)
    wanted = Wanted(source=source, purpose=purpose)
    found = may_hear(person("hugo", role), CALL, wanted, replace(GROUNDS, cases=those))
    if role == "hr" or purpose == CASE:
        may = is_open and (role, purpose, source) == ("hr", CASE, "recording")
        assert isinstance(found, Permit) == may


def test_who_judges_does_not_speak():
    for purpose, mode in product(LEADING, ("silent", "whisper", "joined")):
        wanted = Wanted(source="live", purpose=purpose, mode=mode)
        may = mode == "silent" or purpose in SUPERVISING
        assert why(LUZ, wanted) == ("" if may else "mode"), (purpose, mode)


def noticed(*versions, published=PUBLISHED, call=CALL):
    notices = Notices(versions={"graba": versions, "asesor": [AGENT]})
    return not_informed(call, replace(people(notices=notices), published=published))


@pytest.mark.parametrize(
    ("versions", "reason"),
    [
        ([CALLER], ""),
        ([], "no_notice"),
        ([replace(CALLER, side="agent")], "no_notice"),
        ([replace(CALLER, queues=frozenset({"saldos"}))], ""),
        ([replace(CALLER, queues=frozenset({"otra"}))], "no_notice"),
        ([replace(CALLER, campaigns=frozenset({"ventas"}))], ""),
        ([replace(CALLER, campaigns=frozenset({"otra"}))], "no_notice"),
        ([replace(CALLER, queues=frozenset({"otra"}), campaigns=frozenset({"ventas"}))], ""),
        ([replace(CALLER, first=date(2026, 11, 20), last=date(2026, 11, 20))], ""),
        ([replace(CALLER, first=date(2026, 11, 21))], "no_notice"),
        ([replace(CALLER, last=date(2026, 11, 19))], "no_notice"),
        ([replace(CALLER, hash="x")], "no_notice"),
    ],
)
def test_the_callers_notice_was_in_force_at_its_hour(versions, reason):
    call = replace(CALL, more=Details(campaign="ventas"))
    assert noticed(*versions, call=call) == reason


def test_a_notice_is_in_force_from_its_publication_on():
    late = PUBLISHED | {("graba", "c"): START + 1}
    assert noticed(CALLER, published=late) == "no_notice"
    assert noticed(CALLER, published=late | {("graba", "c"): START}) == ""
    changed = replace(CALLER, hash="new", queues=frozenset({"otra"}))
    both = PUBLISHED | {("graba", "new"): START + HOUR}
    assert noticed(changed, CALLER, published=both) == "", "the one before, until then"
    after = replace(CALL, start_utc=START + HOUR)
    assert noticed(changed, CALLER, published=both, call=after) == "no_notice"


def test_a_withdrawn_notice_is_in_force_on_none_of_those_days():
    gone = Notice(code="graba", first=date(2026, 11, 20), at_ms=at(25))
    assert noticed(gone, CALLER) == "no_notice", "whenever that was said"
    assert noticed(replace(gone, first=date(2026, 11, 21)), CALLER) == ""
    restored = replace(CALLER, hash="again", at_ms=at(26))
    both = PUBLISHED | {("graba", "again"): at(26)}
    assert noticed(restored, replace(gone, at_ms=at(19)), CALLER, published=both) == "no_notice"


def test_a_call_that_may_have_begun_before_its_notice_was_not_told():
    late = replace(CALL, start_utc=at(2) + HOUR, late=True, uncertainty_ms=2 * HOUR)
    assert noticed(CALLER, call=late) == "no_notice"
    assert noticed(CALLER, call=replace(late, uncertainty_ms=0)) == "not_informed", "but told"
    assert noticed(CALLER, call=replace(CALL, start_utc=None)) == "no_hour"


def signed(*those):
    return not_informed(CALL, replace(GROUNDS, signatures=those))


PAPER = replace(SIGNED, how="paper", utc=at(30), date="2026-11-20", document="RH-112")
REFUSED = replace(PAPER, how="refused", document=None, witnesses="Ana Paz\nIván Ruiz")


@pytest.mark.parametrize(
    ("one", "informed"),
    [
        (SIGNED, True),
        (replace(SIGNED, utc=START), True),
        (replace(SIGNED, utc=START + 1), False),
        (replace(SIGNED, agent="a2"), False),
        (replace(SIGNED, notice="graba"), False),
        (replace(SIGNED, how="word of mouth"), False),
        (PAPER, True),
        (replace(PAPER, date="2026-11-21"), False),
        (replace(PAPER, document=None), False),
        (replace(PAPER, date=None), False),
        (REFUSED, True),
        (replace(REFUSED, witnesses="Ana Paz"), False),
        (replace(REFUSED, witnesses="Ana Paz\nAna Paz"), False),
        (replace(REFUSED, witnesses=None), False),
    ],
)
def test_the_agent_was_informed_by_then(one, informed):
    assert signed(one) == ("" if informed else "not_informed")
    assert signed(replace(SIGNED, agent="a2"), one) == ("" if informed else "not_informed")


def form(**item):
    its = Item(code="graba", text="Informó la grabación", section="s", weight=1, **item)
    return {("atencion", 1): Scorecard(code="atencion", label="", version=1, sections=(),
                                       items=(its,))}  # fmt: skip


def test_where_the_agent_says_the_notice_the_form_asks_for_it():
    spoken = Notices(versions=NOTICES.versions | {"graba": [replace(CALLER, spoken="agent")]})
    asks = form(kind="compliance", checks="recording_notice")
    for cards, reason in (
        ({}, "form_without_notice"), (form(), "form_without_notice"), (asks, ""),
        (form(checks="recording_notice"), "form_without_notice"),
        ({("atencion", 2): asks["atencion", 1]}, "form_without_notice"),
    ):  # fmt: skip
        assert why(NOE, OF_DRAW, people(notices=spoken, scorecards=cards)) == reason
    assert why(SOFIA, grounds=people(notices=spoken)) == "", "who does not judge needs no form"


def test_a_recording_is_heard_for_its_time_and_while_it_is_held():
    held = RecordingAct(**EVENT, kind="held", call_s="DIA-1", call_e=1, call_n=7, reason="queja")
    last = START + 180 * DAY_MS
    for now, kept, acts, reason in (
        (last - 1, {}, [], ""), (last, {}, [], "expired"),
        (START + 30 * DAY_MS, {"saldos": 30}, [], "expired"),
        (START + 30 * DAY_MS, {"": 60, "otra": 30}, [], ""),
        (last, {}, [held], ""), (last, {}, [replace(held, until_utc=last)], "expired"),
        (last, {}, [replace(held, kind="released")], "expired"),
        (last, {}, [held, replace(held, until_utc=last - 1)], "expired"),
    ):  # fmt: skip
        grounds = replace(people(retention=kept), now_ms=now, acts=acts)
        assert why(SOFIA, grounds=grounds) == reason, (now, kept, acts)
    assert is_held([held], last) and not is_held([], last)
    lasting = replace(OPENED, opened=replace(OPENED.opened, until_utc=last + 1))
    for cases, reason in (([lasting], ""), ([OPENED], "expired")):
        grounds = replace(GROUNDS, now_ms=last, cases=cases)
        assert why(SOFIA, grounds=grounds) == reason


def announced(purpose, mode="silent", source="live", **policies):
    found = may_hear(LUZ, CALL, Wanted(source=source, purpose=purpose, mode=mode),
                     people(**policies))  # fmt: skip
    assert isinstance(found, Permit)
    return found.announced


def test_the_agent_sees_it_on_the_station_or_in_the_register():
    assert announced("help") and announced("coaching") and announced("drill")
    assert not announced("calibration"), "what is heard at random stands in the register"
    assert announced("calibration", announce_random="station")
    assert not announced("help", announce="register")
    assert announced("help", "whisper", announce="register"), "whom one hears one sees"
    assert announced("help", "joined", announce="register")
    assert not announced("help", source="recording")


def test_the_first_publication_of_a_text_counts():
    rows = [
        PublishedNotice(**EVENT | {"utc": utc}, notice="graba", side="caller", version=version,
                        hash=text)
        for utc, version, text in ((5, 1, "c"), (7, 2, "d"), (9, 3, "c"))
    ]  # fmt: skip
    assert published_of(rows) == {("graba", "c"): 5, ("graba", "d"): 7}
    assert published_of(reversed(rows)) == published_of(rows)


REASONS = (
    "no_right", "purpose", "oneself", "conflict", "own_team", "other_team", "mode",
    "not_assigned", "assignment_over", "assignment_due", "no_hour", "no_notice", "not_informed",
    "form_without_notice", "expired", "no_case",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_says_why_and_fits_its_event(language):
    sentences = {said(Barred(one).said, language) for one in REASONS}
    assert len(sentences) == len(REASONS) and all(map(str.strip, sentences))
    assert max(map(len, REASONS)) <= 24


@given(
    lacking=st.sets(
        st.sampled_from(["caller", "agent", "signature", "hour", "publication"]), min_size=1
    ),
    role=st.sampled_from(sorted(RIGHTS)),
    purpose=st.sampled_from(PURPOSES),
    source=st.sampled_from(["live", "recording"]),
    mode=st.sampled_from(["silent", "whisper", "joined"]),
)
def test_nobody_hears_who_was_not_told(lacking, role, purpose, source, mode):
    versions = {
        code: its
        for code, its in NOTICES.versions.items()
        if {"graba": "caller", "asesor": "agent"}[code] not in lacking
    }
    grounds = replace(
        people(notices=Notices(versions=versions)),
        signatures=[] if "signature" in lacking else [SIGNED],
        published={} if "publication" in lacking else PUBLISHED,
    )
    call = replace(CALL, start_utc=None) if "hour" in lacking else CALL
    for account in ("noe", "sofia"):
        who = person(account, role, teams=frozenset({"V"}))
        wanted = Wanted(source=source, purpose=purpose, mode=mode)
        assert isinstance(may_hear(who, call, wanted, grounds), Barred)


def test_the_day_is_the_sites():
    """At ten at night in Lima it is the next day by UTC."""
    night = at(20, "22:00")
    assert datetime.fromtimestamp(night / 1000, UTC).date() == date(2026, 11, 20) + timedelta(1)
    call = replace(CALL, start_utc=night)
    assert noticed(replace(CALLER, last=date(2026, 11, 20)), call=call) == ""
    assert noticed(replace(CALLER, first=date(2026, 11, 21)), call=call) == "no_notice"
