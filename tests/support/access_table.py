"""Who may have which route: every one has its line here, or test_access fails.

`ALL` is for anybody, `IN` for whoever is logged in; else one of the rights is needed. `sample`
fills the places of a path, `asked` is a query and `body` what is sent, where a route looks at them
before it looks at the person.
"""

from typing import Any

from diadema.access.roles import Right
from msgspec import Struct, field

ALL, IN = "all", "in"
SAMPLE = {
    "a": "a001", "s": "DIA-0123456789ab", "i": "1", "e": "1", "n": "1", "number": "1",
    "kind": "llamadas", "name": "x", "due_ms": "1", "code": "x", "queue": "ventas",
    "draw": "3f9a01c2d4e5", "plan": "x", "period": "2026-W48",
    "ticket": "3f9a01c2d4e5", "q": "1-1", "listening": "3f9a01c2d4e5",
    "case": "3f9a01c2d4e5",
    "evaluation": "3f9a01c2d4e5",
}  # fmt: skip


class Line(Struct, kw_only=True):
    who: str | tuple[Right, ...]
    sample: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    body: Any = field(default_factory=dict)
    scoped: bool = False  # of one agent, whom one may see or not
    is_page: bool = False


def _(*who: Right, **more: Any) -> Line:
    return Line(who=who, **more)


_ACTION = {"action": "note", "kind": "orientacion", "note": "saludo"}
_OPENING = {"action": "ticket_opened", "area": "sistemas", "title": "CRM caído"}
_HELP = {"action": "help", "state": "accepted", "of": ["DIA-0123456789ab", 1, 1]}
_COPY = {"purpose": "arco", "receiver": "Teo Paz", "reason": "ARCO-1"}
_CASE = {
    "call": ["DIA-0123456789ab", 1, 1], "number": "RH-1", "reason": "x", "until": "2099-01-01",
}  # fmt: skip
_AMENDMENT = {"kind": "justified", "reason": "médico"}
_ORDER = {
    "name": "x",
    "kind": "asistencia",
    "every": "day",
    "at": "06:00",
    "format": "csv",
    "scope": "team:Mañana",
}
_PAPER = {"agents": ["a001"], "how": "paper", "date": "2026-11-17", "document": "RH-1"}
_DECISION = {"answers": {}, "reason": "x"}
_ANNULMENT = {"which": "first", "reason": "x"}
_EVENTS = {"from": 0, "to": 1}
_SAMPLE_ANNULMENT = {"of": ["HUB-main", 1, 1], "reason": "x"}
_TARGETED = {
    "call": ["DIA-0123456789ab", 1, 1], "to": "ana", "form": "x", "due": "2099-01-01",
    "why": "silence",
}  # fmt: skip

ROUTES: dict[str, Line] = {
    "GET /": Line(who=IN),
    "GET /wall": Line(who=ALL),
    "GET /static/fonts.css": Line(who=ALL),
    "GET /static/wire.js": Line(who=ALL),
    "GET /static": Line(who=ALL),
    "GET /static/fonts": Line(who=ALL),
    "GET /login": Line(who=ALL),
    "POST /login": Line(who=ALL, body=None),
    "GET /login/provider": Line(who=ALL),
    "GET /login/provider/back": Line(who=ALL),
    "GET /setup": Line(who=ALL),
    "POST /setup": Line(who=ALL, body=None),
    "GET /enter": Line(who=ALL),
    "POST /logout": Line(who=IN, body=None),
    "GET /account": Line(who=IN),
    "POST /account/password": Line(who=IN, body=None),
    "POST /account/language": Line(who=IN, body=None),
    "POST /account/sessions": Line(who=IN, body=None),
    "GET /metrics": Line(who=ALL),  # on this machine
    "WS /ws": _("floor"),
    "WS /ui/_nicegui_ws": Line(who=IN),
    "GET /api/v1/openapi.json": Line(who=IN),
    "GET /api/v1/me": Line(who=IN),
    "GET /api/v1/live": _("floor"),
    "GET /api/v1/alerts": _("floor"),
    "GET /api/v1/help": _("help"),
    "GET /api/v1/help/gaps": _("help"),
    "GET /api/v1/help/{s}/{e}/{n}/takers": _("help"),
    "GET /api/v1/status": _("floor", "fleet"),
    "GET /api/v1/standby/stream": _("copy", asked={"here": "https://x"}),
    "GET /api/v1/standby/backup": _("copy"),
    "GET /api/v1/standby/term": _("copy", "accounts"),
    "POST /api/v1/stations/{s}/commands": _("command"),
    "POST /api/v1/switch/calls": _("command", "act", "own"),
    "GET /api/v1/stations/{s}/commands/{i}": _("command"),
    "GET /api/v1/stations/{s}/clock": _("fleet"),
    "POST /api/v1/stations/{s}/inspections": _("fleet"),
    "GET /api/v1/stations/{s}/inspections": _("fleet"),
    "GET /api/v1/stations/{s}/inspections/{e}/{n}.pdf": _("fleet"),
    "GET /api/v1/agents": _("figures", "attendance", "own"),
    "GET /api/v1/agents/{a}/day": _("figures", "own", scoped=True),
    "GET /api/v1/agents/{a}/page": _("figures", "own", scoped=True),
    "GET /api/v1/agents/{a}/events": _("figures", "own", scoped=True, asked=_EVENTS),
    "GET /api/v1/contacts": _("figures", "own"),
    "GET /api/v1/sessions": _("attendance", "own"),
    "GET /api/v1/marks": _("attendance", "own"),
    "GET /api/v1/audit": _("audit"),
    "POST /api/v1/agents/{a}/actions": _("act", scoped=True, body=_ACTION),
    "POST /api/v1/stations/{s}/actions": _("act", "fleet"),
    "POST /api/v1/queues/{queue}/actions": _("act"),
    "POST /api/v1/help/actions": _("help", body=_HELP),
    "POST /api/v1/messages": _("act"),
    "GET /api/v1/actions": _("register", "reprimands", "own"),
    "GET /api/v1/actions/{s}/{e}/{n}": _("register", "reprimands", "own"),
    "POST /api/v1/actions/{s}/{e}/{n}/annulment": _("act", "annul", body={"reason": "x"}),
    "POST /api/v1/actions/{s}/{e}/{n}/reply": _("own", body={"text": "x"}),
    "GET /api/v1/messages": _("register", "own"),
    "POST /api/v1/attendance/{number}/corrections": _("correct"),
    "POST /api/v1/agents/{a}/corrections": _("correct", scoped=True, body=_AMENDMENT),
    "GET /api/v1/corrections": _("attendance", "own"),
    "GET /api/v1/reports": Line(who=IN),  # those kinds that one may have
    "GET /api/v1/reports/{kind}": _("figures"),
    "GET /api/v1/reports/schedules": _("figures", "attendance", "register", "tickets"),
    "POST /api/v1/reports/schedules": _("attendance", body=_ORDER),
    "DELETE /api/v1/reports/schedules/{name}": _("figures", "attendance", "register", "tickets"),
    "GET /api/v1/reports/runs/{name}/{due_ms}": _("figures", "attendance", "register", "tickets"),
    "GET /api/v1/tickets": _("tickets", "area"),
    "GET /api/v1/tickets/{ticket}": _("tickets", "area"),
    "POST /api/v1/tickets": _("tickets", body=_OPENING),
    "POST /api/v1/tickets/{ticket}/actions": _("tickets", "area", body={"action": "ticket_taken"}),
    "GET /api/v1/listenings/{listening}/peaks": _("listen", "evaluate", "cases"),
    "GET /api/v1/listenings/{listening}/sound": _("listen", "evaluate", "cases"),
    "POST /api/v1/listenings/{listening}/end": _("listen", "evaluate", "cases"),
    "GET /api/v1/quality/cases": _("cases", "quality"),
    "GET /api/v1/quality/cases/{case}": _("cases", "quality"),
    "GET /api/v1/quality/cases/calls/{s}/{e}/{n}": _("quality"),
    "POST /api/v1/quality/cases": _("quality", body=_CASE),
    "POST /api/v1/quality/cases/{case}/close": _("quality", body={"reason": "x"}),
    "POST /api/v1/quality/cases/{case}/hearing": _("cases"),
    "GET /ui/quality/cases": _("cases", "quality"),
    "GET /api/v1/quality/assignments": _("evaluate"),
    "GET /api/v1/quality/assignments/{q}": _("evaluate"),
    "PUT /api/v1/quality/assignments/{q}/draft": _("evaluate"),
    "POST /api/v1/quality/assignments/{q}/code": _("evaluate", body={"code": "111"}),
    "POST /api/v1/quality/assignments/{q}/submit": _("evaluate"),
    "POST /api/v1/quality/assignments/{q}/replace": _("evaluate", body={"why": "nobodys"}),
    "GET /api/v1/agents/{a}/quality": _("own", "listen", scoped=True),
    "GET /api/v1/agents/{a}/listenings": _("own", "listen", scoped=True),
    "GET /api/v1/quality/notices": _("notices"),
    "POST /api/v1/quality/notices/publication": _("quality", body=None),
    "POST /api/v1/quality/notices/{code}/messages": _("notices", body={"agents": ["a001"]}),
    "POST /api/v1/quality/notices/{code}/signatures": _("notices", body=_PAPER),
    "GET /api/v1/quality/notices/{code}/sheet": _("notices"),
    "POST /api/v1/quality/notices/{code}/import": _("notices", body=None),
    "POST /api/v1/quality/assignments/{q}/hearing": _("evaluate"),
    "POST /api/v1/calls/search": _("listen", "evaluate", "quality"),
    "GET /api/v1/calls/{s}/{e}/{n}": _("listen", "evaluate", "quality"),
    "GET /api/v1/calls/terms": _("quality"),
    "POST /api/v1/calls/{s}/{e}/{n}/hold": _("quality", body={"reason": "x"}),
    "POST /api/v1/calls/{s}/{e}/{n}/copies": _("quality", body=_COPY),
    "GET /api/v1/calls/copies/{s}/{e}/{n}": _("quality", sample={"s": "HUB-main"}),
    "GET /calls/copies/{s}/{e}/{n}": _("quality", sample={"s": "HUB-main"}),
    "POST /api/v1/calls/{s}/{e}/{n}/listening": _("listen", body={"purpose": "help"}),
    "POST /api/v1/calls/{s}/{e}/{n}/outside": _("listen", body={"purpose": "help"}),
    "POST /api/v1/calls/outside/{listening}": _("listen", body={"minutes": 1}),
    "GET /api/v1/listenings": _("listen", "quality"),
    "GET /api/v1/listenings/live": _("listen"),
    "POST /api/v1/listenings/live": _("listen", body={"a": "a001", "purpose": "help"}),
    "POST /api/v1/listenings/live/{listening}/end": _("listen"),
    "GET /api/v1/quality/pairs/{q}": _("quality"),
    "POST /api/v1/quality/pairs/{q}/hearing": _("quality"),
    "POST /api/v1/quality/pairs/{q}/decision": _("quality", body=_DECISION),
    "POST /api/v1/quality/pairs/{q}/annulment": _("quality", body=_ANNULMENT),
    "GET /api/v1/quality/evaluations/{evaluation}": _("quality"),
    "POST /api/v1/quality/evaluations/{evaluation}/hearing": _("quality"),
    "POST /api/v1/quality/evaluations/{evaluation}/revision": _("quality", body=_DECISION),
    "POST /api/v1/quality/evaluations/{evaluation}/annulment": _("quality", body={"reason": "x"}),
    "GET /handover": _("register"),
    "GET /flasher": _("fleet"),
    "GET /flasher/{name}.bin": _("fleet"),
    "GET /flasher/{name}.zip": _("fleet"),
    "GET /api/v1/people/kinds": _("people", "quality"),
    "GET /api/v1/people/week": _("people"),
    "POST /api/v1/people/take-in": _("people"),
    "GET /api/v1/people/publication": _("people"),
    "POST /api/v1/people/publication": _("people"),
    "GET /ui/": _("floor", is_page=True),
    "GET /ui/faults": _("tickets", is_page=True),
    "GET /ui/area": _("area", is_page=True),
    "GET /ui/help": _("help", is_page=True),
    "GET /ui/agents": _("figures", is_page=True),
    "GET /ui/agents/{a}": _("figures", "own", is_page=True, scoped=True),
    "GET /ui/attendance": _("attendance", is_page=True),
    "GET /ui/handling": _("figures", is_page=True),
    "GET /ui/dispositions": _("figures", is_page=True),
    "GET /ui/reports": _("figures", "attendance", "register", "tickets", is_page=True),
    "GET /ui/register": _("register", "reprimands", is_page=True),
    "GET /ui/calls": _("listen", "evaluate", "quality", is_page=True),
    "GET /ui/listening": _("listen", "quality", is_page=True),
    "GET /ui/quality": _("evaluate", "quality"),
    "GET /ui/quality/samples": _("quality"),
    "GET /ui/quality/samples/{plan}": _("quality"),
    "GET /ui/quality/samples/{plan}/{period}": _("quality"),
    "GET /ui/quality/samples/{plan}/{period}/commitment": _("quality"),
    "GET /ui/quality/targeted": _("quality"),
    "GET /ui/quality/scorecards": _("quality", "people"),
    "GET /ui/quality/scorecards/{code}": _("quality", "people"),
    "GET /api/v1/quality/scorecards": _("quality", "people"),
    "POST /api/v1/quality/scorecards": _("quality", body={"code": "ñ", "reason": "x"}),
    "GET /api/v1/quality/scorecards/{code}/versions/{n}": _("quality", "people"),
    "POST /api/v1/quality/scorecards/{code}/publish": _("quality"),
    "GET /api/v1/quality/samples": _("quality"),
    "GET /api/v1/quality/samples/{plan}/{period}": _("quality"),
    "GET /api/v1/quality/draws/{draw}.zip": _("quality"),
    "POST /api/v1/quality/samples/draws": _("quality", body={"plan": "x", "period": "2026-W48"}),
    "POST /api/v1/quality/samples/annulments": _("quality", body=_SAMPLE_ANNULMENT),
    "GET /api/v1/quality/targeted": _("quality"),
    "POST /api/v1/quality/targeted": _("quality", body=_TARGETED),
    "GET /ui/quality/evaluate/{q}": _("evaluate"),
    "GET /ui/quality/notices": _("notices", is_page=True),
    "GET /ui/agents/{a}/quality": _("own", "listen", scoped=True),
    "GET /ui/quality/pairs/{q}": _("quality"),
    "GET /ui/quality/evaluations/{evaluation}": _("quality"),
    "GET /ui/people": _("people", "quality", is_page=True),
    "GET /ui/fleet": _("fleet", is_page=True),
    "GET /ui/switch": _("fleet", is_page=True),
    "GET /ui/fleet/{s}": _("fleet", is_page=True),
    "GET /ui/accounts": _("accounts", is_page=True),
}
# of each kind of people and places, for whoever has one of its rights; the first are there once
OF_A_KIND = (
    "GET /api/v1/people/export/{kind}",
    "POST /api/v1/people/import/{kind}",
    "GET /api/v1/people/history/{kind}/{code}",
    "POST /api/v1/people/restore/{kind}/{code}",
)
PEOPLE = (
    "GET /api/v1/people/{kind}",
    "GET /api/v1/people/{kind}/{code}",
    "PUT /api/v1/people/{kind}/{code}",
    "DELETE /api/v1/people/{kind}/{code}",
)
# NiceGUI's own: files of its pages, in the wheel for everybody to read
INNER = "/ui/_nicegui/"
