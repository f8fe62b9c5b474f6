"""The kinds of people and places, each with its fields: one table that forms, files, checks and
the API are made from. A kind's `key` names an entry; its code is never given to another.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from diadema.metrics.queue import VARIANTS
from diadema.site.directory.alert_limits import ALERT_RULES
from diadema.site.directory.fields import DOCUMENTS, STEPS, Field, Value, wrong_document
from diadema.site.directory.notices import SIDES, SPOKEN
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.scorecards import AUTO_FAILS, CHECKS, COMMENTS, ITEM_KINDS, OPTIONS
from diadema.wire.switching import WAYS

type Body = dict[str, Value]

SECONDS = ("aht_s", "asa_s", "help_wait_s")  # the others are percents
METRICS = (*SECONDS, "service_level", "abandonment", "answer_rate", "occupancy", "utilisation",
           "adherence", "quality")  # fmt: skip
ABSENCES = ("day_off", "permission", "unpaid_permission", "vacation", "medical_rest")
STAGES = ("training", "nesting", "floor")
CLOCKS = ("clock", "shift", "working_days")  # whose minutes a fault's target counts
RESULTS = ("resuelto", "seguimiento", "reclamo", "negativa")
PERIODS = ("day", "week", "month")
STRATA = ("motive", "half", "duration")  # of a sample, in which an agent's calls are parted
EXCLUSIONS = ("training", "nesting", "leave", "other_duties", "leaving")
ANNOUNCE = ("station", "register")


class Kind(Struct, frozen=True, kw_only=True):
    """`slot`: an entry is a place on a plan, as an agent's day, and may be filled again after it
    was emptied. `many`: more than a page holds, in order of their codes. `dated`: an entry can be
    in force for some time only. `rights`: whoever has one of them reads and changes it;
    `readers`: these read its list too, to name one of it.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ("code",)
    slot: bool = False
    many: bool = False
    dated: bool = True
    rights: tuple[Literal["people", "quality"], ...] = ("people",)
    readers: tuple[Literal["quality"], ...] = ()

    def code(self, body: Body) -> str:
        """Of what names it; beyond the second part only what is given."""
        parts = [str(body.get(name) or "") for name in self.key]
        while len(parts) > 2 and not parts[-1]:
            parts.pop()
        return "/".join(parts)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def read(self, given: Mapping[str, Any]) -> Body:
        """A body in the order of the fields, without what is empty. Raises Wrong with every
        problem in it.
        """
        body: Body = {}
        problems: list[Problem] = []
        for field in self.fields:
            try:
                value = field.read(given.get(field.name))
            except Wrong as error:
                problems += error.problems
                continue
            if value is not None:
                body[field.name] = value
        if not problems:
            problems = [*self.check(body)]
        if problems:
            raise Wrong(*problems)
        return body

    def with_badges(self, body: Body, stored: Callable[[str], str]) -> Body:
        """With each badge as `stored` gives it; the same one named twice is one."""
        result = dict(body)
        for field in self.fields:
            value = body.get(field.name)
            if field.shape in ("badge", "day_badge") and isinstance(value, list):
                parts = (one.partition(" ") for one in value)  # the day stands after a lent one
                badges = (f"{stored(badge)}{blank}{day}" for badge, blank, day in parts)
                result[field.name] = [*dict.fromkeys(badges)]
        return result

    def check(self, body: Body) -> list[Problem]:
        """What two of its fields together make wrong."""
        match self.name:
            case "agents":
                return _check_agent(body)
            case "shifts" if body["start"] == body["end"]:
                return [Problem(word="shift_empty", column="end", value=str(body["end"]))]
            case "roster" if body.get("shift") and body.get("absence") == "day_off":
                return [Problem(word="shift_on_day_off", column="shift", value=str(body["shift"]))]
            case "roster" if not body.get("shift") and not body.get("absence"):
                return [Problem(word="roster_empty", column="shift")]
            case "targets":
                return _check_target(body)
            case "alert_limits":
                return _check_alert_limit(body)
            case "campaigns":
                return _check_campaign(body)
            case "helpers":
                return _check_helper(body)
            case "help_topics":
                return _check_topic(body)
            case "fault_targets":
                return _check_fault_target(body)
            case "notices":
                return _check_notice(body)
            case "scorecard_items":
                return _check_item(body)
            case "sample_plans":
                return _check_plan(body)
        return []


def _check_agent(body: Body) -> list[Problem]:
    kind, number = body.get("document_kind"), body.get("document")
    if number and not kind:
        return [Problem(word="document_kind", column="document_kind", value=str(number))]
    if kind and not number:
        return [Problem(word="missing", column="document")]
    if kind and (word := wrong_document(str(kind), str(number))):
        values: dict[str, Any] = {"full": str(number).zfill(8)}
        return [Problem(word=word, column="document", value=str(number), values=values)]
    return []


def _check_target(body: Body) -> list[Problem]:
    level = body["metric"] == "service_level"
    if level and "threshold_s" not in body:
        return [Problem(word="threshold_missing", column="threshold_s")]
    if not level and "threshold_s" in body:
        value = str(body["threshold_s"])
        return [Problem(word="threshold_idle", column="threshold_s", value=value)]
    if not level and "variant" in body:
        return [Problem(word="variant_idle", column="variant", value=str(body["variant"]))]
    low = body["value"]
    assert isinstance(low, int | float)
    if body["metric"] not in SECONDS and low > 100:
        return [Problem(word="range", column="value", value=str(low),
                        values={"low": "0", "high": "100"})]  # fmt: skip
    most = body.get("most")
    if isinstance(most, int | float):
        if body["metric"] != "occupancy":
            return [Problem(word="most_idle", column="most", value=str(most))]
        if most <= low:
            return [Problem(word="range", column="most", value=str(most),
                            values={"low": str(low), "high": "100"})]  # fmt: skip
    return []


def _check_alert_limit(body: Body) -> list[Problem]:
    of = ALERT_RULES[str(body["rule"])].of
    return [
        Problem(word="limit_idle", column=name, value=str(body[name]))
        for name in ("team", "queue", "aux_reason")
        if name in body and name not in of
    ]


def _check_campaign(body: Body) -> list[Problem]:
    given = [name for name in ("call_from", "call_to", "call_days") if name in body]
    if given and len(given) < 3:
        lacking = next(n for n in ("call_from", "call_to", "call_days") if n not in body)
        return [Problem(word="hours_whole", column=lacking)]
    if given and str(body["call_from"]) >= str(body["call_to"]):
        return [Problem(word="hours_order", column="call_to", value=str(body["call_to"]))]
    return []


def _check_helper(body: Body) -> list[Problem]:
    if ("start" in body) != ("end" in body):
        lacking = "end" if "start" in body else "start"
        return [Problem(word="helper_hours", column=lacking)]
    if "start" in body and body["start"] == body["end"]:
        return [Problem(word="shift_empty", column="end", value=str(body["end"]))]
    return []


def _check_topic(body: Body) -> list[Problem]:
    escalate, alert = body.get("escalate_s"), body.get("alert_s")
    if isinstance(escalate, int) and isinstance(alert, int) and alert < escalate:
        values = {"first": escalate}
        return [Problem(word="alert_first", column="alert_s", value=str(alert), values=values)]
    return []


def _check_fault_target(body: Body) -> list[Problem]:
    accept, solve = body["accept_min"], body["solve_min"]
    assert isinstance(accept, int) and isinstance(solve, int)
    for name, minutes in (("accept_min", accept), ("solve_min", solve)):
        if minutes == 0:
            return [Problem(word="no_time", column=name, value="0")]
    if solve < accept:
        values = {"accept": accept}
        return [Problem(word="solve_first", column="solve_min", value=str(solve), values=values)]
    return []


def _check_notice(body: Body) -> list[Problem]:
    if body["side"] == "agent" and "spoken" in body:
        return [Problem(word="spoken_idle", column="spoken", value=str(body["spoken"]))]
    return []


def _check_item(body: Body) -> list[Problem]:
    normal = body.get("kind", "normal") == "normal"
    if normal and "auto_fail" in body:
        return [Problem(word="auto_fail_idle", column="auto_fail", value=str(body["auto_fail"]))]
    if normal and body.get("checks") == "recording_notice":
        return [Problem(word="notice_critical", column="kind", value="normal")]
    return []


def _check_plan(body: Body) -> list[Problem]:
    each, total = body.get("per_agent"), body.get("total")
    if (each is None) == (total is None):
        column = "per_agent" if each is None else "total"
        return [Problem(word="one_amount", column=column, value=str(total or ""))]
    found = [
        Problem(word="amount_idle", column=name, value=str(body[name]))
        for name in ("least", "most")
        if name in body and total is None
    ]
    least, most = body.get("least"), body.get("most")
    if isinstance(least, int) and isinstance(most, int) and most < least:
        found.append(Problem(word="range", column="most", value=str(most),
                             values={"low": str(least), "high": str(total)}))  # fmt: skip
    if body.get("period") == "month" and not body.get("audit"):
        found.append(Problem(word="month_audit", column="period", value="month"))
    return found


def _code(name: str = "code", most: int = 64) -> Field:
    return Field(name=name, type="code", required=True, most=most)


def _label(name: str = "label") -> Field:
    return Field(name=name, required=True, most=16)


def _account(name: str, *, required: bool = False, many: bool = False) -> Field:
    return Field(name=name, required=required, many=many, pattern=ACCOUNT, most=32)


def _flag(name: str) -> Field:
    return Field(name=name, type="bool")


_ORDER = Field(name="order", type="int", low=0, high=9999)
_RETENTION = Field(name="retention_days", type="int", low=1, high=3650)
_COUNT_S = 86_400
# `PJSIP/101`: one telephone, and no way through the exchange's own dialplan
EXTENSION = r"(?!(?i:local)/)[A-Za-z0-9]{2,12}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,26}"
ACCOUNT = r"[a-z0-9][a-z0-9._-]{0,31}"  # how people of the pages are called
_ID = r"[A-Za-z0-9_-]{1,24}"
_PLAYBOOK = "[A-Za-z0-9_.-]{1,16}"
_QUALITY: tuple[Literal["quality"]] = ("quality",)
_SCORECARD = Field(name="scorecard", type="ref", of="scorecards", required=True, most=24)
_DUE_MIN = 43_200  # thirty days
_ALL = (
    Kind(name="agents", fields=(
        Field(name="code", type="code", required=True, pattern=_ID),
        Field(name="name", required=True),
        _label("short"),
        _label("alias"),
        Field(name="team", type="ref", of="teams"),
        Field(name="stage", type="choice", choices=STAGES),
        Field(name="employer", type="ref", of="employers", most=24),
        Field(name="document_kind", type="choice", choices=DOCUMENTS),
        Field(name="document", type="document", most=20, unique=True),
        Field(name="queues", type="ref", of="queues", many=True, most=24),
        Field(name="badges", many=True, shape="badge", most=104, unique=True),
        Field(name="day_badges", many=True, shape="day_badge", most=115),
        Field(name="station_code", pattern="[1-6]{4}", unique=True),
        Field(name="switch_aliases", many=True, unique=True),
        Field(name="penalty", type="int", low=0, high=10),
    )),
    Kind(name="employers", fields=(
        _code(),
        Field(name="name", required=True, most=128),
        Field(name="ruc", type="ruc", required=True, most=20, unique=True),
    )),
    Kind(name="teams", readers=_QUALITY, fields=(
        Field(name="code", required=True),
        Field(name="name", most=128),
    )),
    Kind(name="supervisors", key=("account",), fields=(
        Field(name="account", required=True),
        Field(name="teams", type="ref", of="teams", many=True, required=True),
    )),
    Kind(name="seats", fields=(
        Field(name="code", required=True, most=12),
        Field(name="station", required=True, unique=True, pattern="DIA-[0-9a-f]{12}"),
        Field(name="teams", type="ref", of="teams", many=True),
        Field(name="extension", unique=True, pattern=EXTENSION, most=40),
        Field(name="phone", type="choice", choices=WAYS),
    )),
    Kind(name="queues", readers=_QUALITY, fields=(
        _code(),
        Field(name="name", required=True),
        Field(name="switch_names", many=True, unique=True),
        _RETENTION,
    )),
    Kind(name="shifts", fields=(
        _code(),
        Field(name="name", required=True),
        Field(name="start", type="time", required=True),
        Field(name="end", type="time", required=True),
        Field(name="tolerance_min", type="int", low=0, high=240),
        Field(name="pauses", many=True, shape="pause"),
    )),
    Kind(name="roster", key=("day", "agent"), slot=True, many=True, dated=False, fields=(
        Field(name="day", type="date", required=True),
        Field(name="agent", type="ref", of="agents", required=True, most=24),
        Field(name="shift", type="ref", of="shifts", most=24),
        Field(name="absence", type="choice", choices=ABSENCES),
        Field(name="pauses", many=True, shape="pause"),
    )),
    Kind(name="targets", key=("metric", "queue", "stage"), slot=True, fields=(
        Field(name="metric", type="choice", choices=METRICS, required=True),
        Field(name="queue", type="ref", of="queues", most=24),
        Field(name="stage", type="choice", choices=STAGES[:2]),
        Field(name="value", type="decimal", low=0, high=_COUNT_S, required=True),
        Field(name="most", type="decimal", low=0, high=100),
        Field(name="threshold_s", type="int", low=1, high=3600),
        Field(name="variant", type="choice", choices=tuple(VARIANTS)),
    )),
    Kind(name="alert_limits", key=("rule", "team", "queue", "aux_reason"), slot=True, fields=(
        Field(name="rule", type="choice", choices=tuple(ALERT_RULES), required=True),
        Field(name="team", type="ref", of="teams"),
        Field(name="queue", type="ref", of="queues", most=24),
        Field(name="aux_reason", type="ref", of="reasons", most=24),
        Field(name="value", type="int", low=0, high=_COUNT_S, required=True),
    )),
    Kind(name="dispositions", fields=(
        _code(),
        _label(),
        Field(name="level1_code", type="code", required=True),
        _label("level1"),
        Field(name="level2_code", type="code", required=True),
        _label("level2"),
        Field(name="result", type="choice", choices=RESULTS),
        _ORDER,
    )),
    Kind(name="reasons", fields=(
        _code(),
        _label(),
        _flag("private"),
        _flag("paid"),
        _flag("productive"),
        Field(name="limit_s", type="int", low=0, high=28_800),
        _ORDER,
    )),
    Kind(name="campaigns", readers=_QUALITY, fields=(
        _code(),
        _label(),
        Field(name="steps", many=True, shape="step"),
        Field(name="call_from", type="time"),
        Field(name="call_to", type="time"),
        Field(name="call_days", many=True, shape="weekday"),
        _flag("call_holidays"),
        _flag("consent"),
        _ORDER,
    )),
    Kind(name="playbooks", key=("motive",), fields=(
        _code("motive"),
        Field(name="id", required=True, most=16, pattern=_PLAYBOOK),
        Field(name="version", required=True, most=16),
        _account("owner"),
        Field(name="email", shape="mail", most=254),
    )),
    Kind(name="areas", fields=(
        _code(), _label(), _flag("consulted"), _flag("external"),
        Field(name="number", pattern=r"[0-9*#]{1,20}", most=20), _ORDER,
    )),
    Kind(name="help_topics", fields=(
        _code(), _label(), _flag("urgent"),
        Field(name="escalate_s", type="int", low=5, high=3600),
        Field(name="alert_s", type="int", low=5, high=3600),
        _ORDER,
    )),
    Kind(name="helpers", key=("account",), fields=(
        _account("account", required=True),
        Field(name="topics", type="ref", of="help_topics", many=True, most=24),
        Field(name="queues", type="ref", of="queues", many=True, most=24),
        Field(name="start", type="time"),
        Field(name="end", type="time"),
        Field(name="days", many=True, shape="weekday"),
    )),
    Kind(name="help_results", fields=(_code(), _label(), _ORDER)),
    Kind(name="fault_areas", fields=(
        _code(), _label(), _flag("external"), Field(name="parts", many=True, shape="part"),
        Field(name="email", shape="mail", most=254),
        _account("accounts", many=True),
        _ORDER,
    )),
    Kind(name="fault_targets", key=("severity", "area"), slot=True, fields=(
        Field(name="severity", type="int", low=1, high=4, required=True),
        Field(name="area", type="ref", of="fault_areas", most=24),
        Field(name="accept_min", type="int", low=0, high=_DUE_MIN, required=True),
        Field(name="solve_min", type="int", low=0, high=_DUE_MIN, required=True),
        Field(name="clock", type="choice", choices=CLOCKS),
    )),
    Kind(name="tools", key=("campaign", "code"), fields=(
        Field(name="campaign", type="ref", of="campaigns", required=True, most=24),
        _code(), _label(), _flag("vital"), _ORDER,
    )),
    Kind(name="notices", rights=("people", "quality"), fields=(
        _code(most=16),
        Field(name="name", required=True),
        Field(name="side", type="choice", choices=SIDES, required=True),
        Field(name="text", required=True, most=1000),
        Field(name="spoken", type="choice", choices=SPOKEN),
        Field(name="queues", type="ref", of="queues", many=True, most=24),
        Field(name="campaigns", type="ref", of="campaigns", many=True, most=24),
    )),
    Kind(name="scorecards", rights=_QUALITY, dated=False, fields=(
        _code(most=14), Field(name="name", required=True), _flag("contract"),
    )),
    Kind(name="scorecard_sections", key=("scorecard", "code"), rights=_QUALITY, dated=False,
         fields=(_SCORECARD, _code(most=16), Field(name="name", required=True), _ORDER)),
    Kind(name="scorecard_items", key=("scorecard", "code"), rights=_QUALITY, dated=False, fields=(
        _SCORECARD,
        _code(most=16),
        Field(name="section", type="code", required=True),
        Field(name="text", required=True, most=200),
        Field(name="guide", most=1000),
        Field(name="kind", type="choice", choices=ITEM_KINDS),
        Field(name="weight", type="int", low=0, high=100, required=True),
        Field(name="scale", type="choice", choices=tuple(OPTIONS)),
        _flag("na"),
        Field(name="comment", type="choice", choices=COMMENTS[1:]),
        Field(name="auto_fail", type="choice", choices=AUTO_FAILS[1:]),
        Field(name="step", type="choice", choices=STEPS),
        Field(name="playbook", pattern=_PLAYBOOK, most=16),
        Field(name="checks", type="choice", choices=CHECKS),
        _ORDER,
    )),
    Kind(name="sample_plans", rights=_QUALITY, dated=False, fields=(
        _code(),
        Field(name="name", required=True),
        _SCORECARD,
        Field(name="period", type="choice", choices=PERIODS),
        Field(name="teams", type="ref", of="teams", many=True),
        Field(name="queues", type="ref", of="queues", many=True, most=24),
        Field(name="per_agent", type="int", low=1, high=100),
        Field(name="total", type="int", low=1, high=20_000),
        Field(name="least", type="int", low=0, high=100),
        Field(name="most", type="int", low=1, high=100),
        Field(name="strata", type="choice", choices=STRATA, many=True),
        Field(name="least_talk_s", type="int", low=0, high=3600),
        Field(name="twice_share", type="int", low=0, high=100),
        Field(name="twice_least", type="int", low=0, high=1000),
        _account("monitors", required=True, many=True),
        Field(name="cap_per_day", type="int", low=1, high=100),
        Field(name="plan_days", type="int", low=1, high=60),
        _flag("audit"),
    )),
    Kind(name="conflicts", key=("account", "agent"), rights=_QUALITY, fields=(
        _account("account", required=True),
        Field(name="agent", type="ref", of="agents", required=True, most=24),
    )),
    Kind(name="sample_exclusions", key=("agent",), slot=True, rights=_QUALITY, fields=(
        Field(name="agent", type="ref", of="agents", required=True, most=24),
        Field(name="why", type="choice", choices=EXCLUSIONS, required=True),
    )),
    Kind(name="materials", fields=(_code(), _label(), _ORDER)),
    Kind(name="identity_methods", fields=(_code(), _label(), _ORDER)),
    Kind(name="holidays", key=("day",), slot=True, dated=False, fields=(
        Field(name="day", type="date", required=True),
        Field(name="name"),
    )),
    Kind(name="settings", key=("code",), fields=(
        Field(name="code", type="choice", choices=("site",), required=True),
        Field(name="site", required=True, most=32),
        Field(name="zone", required=True),
        Field(name="language", type="choice", choices=("es", "en")),
        Field(name="ring_limit_s", type="int", low=5, high=600),
        Field(name="wrapup_limit_s", type="int", low=5, high=3600),
        Field(name="broker_names", many=True, pattern="[A-Za-z0-9.:-]{1,253}", most=253),
        Field(name="sntp", pattern="[A-Za-z0-9.-]{1,253}:[0-9]{1,5}", most=260),
        Field(name="firmware", most=16),
        Field(name="pin", type="choice", choices=("none", "always", "clonable")),
        Field(name="multi_login", type="choice", choices=("deny", "move", "allow")),
        _flag("selftest"),
        _RETENTION,
        Field(name="announce", type="choice", choices=ANNOUNCE),
        Field(name="announce_random", type="choice", choices=ANNOUNCE),
    )),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}


def kind_of(name: str) -> Kind:
    """Raises Wrong."""
    if name not in KINDS:
        raise Wrong(Problem(word="kind", value=name, values={"kinds": ", ".join(KINDS)}))
    return KINDS[name]
