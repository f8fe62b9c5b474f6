"""Whatever the record of access can say is said in words, in both languages."""

import ast
from pathlib import Path
from zoneinfo import ZoneInfo

import diadema
import pytest
from diadema.access.audit import Row
from diadema.maintenance.erase import Erased
from diadema.report.kinds import KINDS as REPORTS
from diadema.site.directory.kinds import KINDS as PEOPLE_KINDS
from diadema.site.directory.people import People
from diadema.web.accounts.spoken import action, detail, whom
from diadema.words import LANGUAGES, section

ROOT = Path(diadema.__file__).parent
REACHED = {  # what stands in the places of a code that is put together
    "report.{}": REPORTS,
    "people_{}": PEOPLE_KINDS,
    "people_change_{}": PEOPLE_KINDS,
    "people_export_{}": PEOPLE_KINDS,
    "people_import_{}": PEOPLE_KINDS,
    "attendance.{}": ("corrected", "justified"),
    "update_{}": ("add", "start", "stop", "resume"),
    "records.{}": ("restored", "rebuilt", "erased"),
    "{}.list": ("contacts", "sessions", "marks"),
}
# by its name, how a call says what was done: the place of that argument
CALLS = {"audit": 1, "append": 3, "record": 1, "note": 2, "day_page": 2}
EXPORTED = (
    "events", "contacts", "sessions", "marks", "corrections", "messages", "actions", "trails",
    "presses", "badges", "commands", "directory", "account", "logs", "reads", "reports",
)  # fmt: skip
HEADED = ("agent", "name", "role", "teams", "ledger", "head", "reason", "was", "now", "erasure")


def written(node):
    """The code that an expression is, with {} for each place; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return None


def codes_of(source, in_access):
    """(code, the keywords that come with it) of each call that writes a row."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and [getattr(one, "id", "") for one in node.targets] in (
            ["what"] if in_access else [], ["BEGUN"],
        ):  # fmt: skip
            branches = [node.value]
            if isinstance(node.value, ast.IfExp):
                branches = [node.value.body, node.value.orelse]
            yield from ((written(one), set()) for one in branches)
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        at = CALLS.get(name)
        if at is not None and len(node.args) > at:
            yield written(node.args[at]), {one.arg for one in node.keywords if one.arg}


def all_codes():
    found, keys = set(), set()
    for path in ROOT.rglob("*.py"):
        source = path.read_text("utf-8")
        if "audit" not in source and "day_page" not in source and "BEGUN" not in source:
            continue
        for code, keywords in codes_of(source, path.parent.name == "access"):
            keys |= keywords
            if code is None or not code or " " in code:
                continue
            if "{}" in code:
                assert code in REACHED, f"{path.name} writes {code}: say here what it can be"
                found |= {code.replace("{}", one) for one in REACHED[code]}
            else:
                found.add(code)
    return found, keys


CODES, KEYS = all_codes()


def test_the_calls_that_write_a_row_are_found():
    assert {
        "login", "login.failed", "accounts.add", "accounts.disable", "accounts.enable",
        "tokens.revoke", "records.begun", "records.restored", "report.llamadas", "floor.live",
        "people_agents", "people_change_shifts", "handling", "privacy.erase", "register.annul",
        "update_stop", "marks.list", "attendance.corrected",
    } <= CODES  # fmt: skip
    assert {"account", "token", "ledger"} <= KEYS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_has_words(language):
    assert sorted(code for code in CODES if action(code, language) == code) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_of_a_row_has_words(language):
    said = section("audit", language)
    keys = {*KEYS, *EXPORTED, *Erased.__struct_fields__, *HEADED} - {"pick", "agents"}
    assert sorted(key for key in keys if f"detail.{key}" not in said) == []


def row(what, **more):
    return Row(number=1, at_ms=0, who="ana", role="admin", what=what, agents=[], detail=more,
               address="", hash="")  # fmt: skip


LIMA = ZoneInfo("America/Lima")


@pytest.mark.parametrize(
    ("its", "said"),
    [
        (row("accounts.change", account="rosa", role=["hr", "admin"], teams=[["Norte"], []]),
         "usuario: rosa · rol: Recursos humanos → Administrador · equipos: Norte → —"),
        (row("records.begun", ledger="marks", head="12:0badc0de"),
         "libro: marcas de asistencia · hasta: fila 12, sello 0badc0de"),
        (row("x", events=[["HUB-x", 1, 7], ["HUB-x", 1, 8]]), "eventos: HUB-x/1/7, HUB-x/1/8"),
        (row("privacy.erase", before_ms=1_795_000_325_000, chain=[None, "ab"], reason=""),
         "anteriores a: 18/11/2026 06:12:05 · sello del libro: — → ab"),
        (row("records.rebuilt", was={"marks": "1:aa"}, now={"marks": "2:bb"}),
         "antes: marcas de asistencia fila 1, sello aa"
         " · ahora: marcas de asistencia fila 2, sello bb"),
    ],
)  # fmt: skip
def test_what_else_a_row_tells_is_no_list_of_a_program(its, said):
    assert detail(its, "es", LIMA) == said


def test_of_whom_it_tells():
    people = People(teams={"N": "Norte"})
    assert whom(["*", "*N", "a001"], people, "es") == "todos los que ve, equipo Norte, a001"


def test_what_nobody_has_words_for_stays_as_it_is():
    assert action("moon.landed", "es") == "moon.landed"
    assert detail(row("moon.landed", crew=3), "es", LIMA) == "crew: 3"
