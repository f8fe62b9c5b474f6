"""People and places by the API: each kind by its own fields, and what is wrong in words."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from diadema.base.paths import DataDir
from diadema.site.directory.publishing import open_directory

from tests.support.web_stage import TOKEN, Nats, Web, empty_directory, headers_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
PEOPLE = "/api/v1/people"
AGENT = {"code": "e010", "name": "Nueva Inventada", "short": "NUEVA", "alias": "E10"}


@pytest.fixture(scope="module")
def people_web(nats_server: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    web = Web(tmp_path_factory.mktemp("people"), nats_server.url)
    web.start()
    yield web
    web.kill()


@pytest.fixture
def data(people_web: Web) -> DataDir:
    """The directory is begun anew by each test."""
    place = DataDir(people_web.folder)
    empty_directory(place)
    return place


@pytest.fixture
async def api(data: DataDir, people_web: Web) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": "es"}
    async with httpx.AsyncClient(
        base_url=f"{people_web.url}{PEOPLE}", headers=headers, timeout=300
    ) as client:
        yield client


def change(entry: dict[str, object], **more: object) -> dict[str, object]:
    return {"entry": entry, "reason": "prueba"} | more


async def test_an_entry_is_made_changed_retired_and_restored(
    api: httpx.AsyncClient, data: DataDir
) -> None:
    answer = await api.put("/agents/e010", json=change(AGENT, seen=0))
    assert (answer.status_code, answer.json()["version"]) == (200, 1), answer.text
    other = AGENT | {"team": "Mañana"}
    answer = await api.put("/agents/e010", json=change(other, seen=0))
    assert answer.status_code == 422 and "ya existe" in answer.json()["detail"]
    assert (await api.put("/agents/e010", json=change(other, seen=1))).status_code == 200
    answer = await api.put("/agents/e010", json=change(other, seen=1))
    assert answer.status_code == 409 and "mientras tanto" in answer.json()["detail"]
    assert (await api.get("/agents/e010")).json()["entry"] == other
    answer = await api.delete("/agents/e010", params={"reason": "se fue"})
    assert answer.json()["entry"] is None
    answer = await api.put("/agents/e010", json=change(AGENT))
    assert answer.status_code == 422 and "retirado" in answer.json()["detail"]
    answer = await api.post("/restore/agents/e010", json={"reason": "era un error"})
    assert answer.json()["entry"] == other
    versions = (await api.get("/history/agents/e010")).json()
    assert [one["version"] for one in versions] == [4, 3, 2, 1]
    assert all(one["by"] and one["reason"] for one in versions)
    with open_directory(data, 1) as book:
        assert book.entry("agents", "e010").body == other  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "entry", "said"),
    [
        ("fault_targets/1/", {"severity": 1, "accept_min": 0, "solve_min": 5},
         "0 minutos no es un plazo; escriba 1 o más"),
        ("fault_targets/1/", {"severity": 1, "accept_min": 9, "solve_min": 5}, "ponga 9 o más"),
        ("fault_areas/red", {"code": "red", "label": "Red", "email": "mesa"}, "mesa@empresa.pe"),
        ("helpers/nelly", {"account": "nelly", "start": "08:00"}, "falta este"),
        ("helpers/nelly", {"account": "nelly", "topics": ["nada"]},
         "no existe el tema de ayuda «nada»"),
        ("tools/nada/crm", {"campaign": "nada", "code": "crm", "label": "CRM"},
         "no existe la campaña «nada»"),
    ],
)  # fmt: skip
async def test_what_help_and_faults_cannot_be_is_refused_with_what_to_do(
    api: httpx.AsyncClient, path: str, entry: dict[str, object], said: str
) -> None:
    answer = await api.put(f"/{path}", json=change(entry))
    assert answer.status_code == 422 and said in answer.json()["detail"], answer.text


async def test_who_helps_and_who_mends(api: httpx.AsyncClient) -> None:
    entries: dict[str, dict[str, object]] = {
        "campaigns/ventas": {"code": "ventas", "label": "Ventas"},
        "help_topics/vip": {"code": "vip", "label": "VIP", "urgent": True, "alert_s": 40},
        "helpers/nelly": {
            "account": "nelly", "topics": ["vip"], "start": "22:00", "end": "06:00",
            "days": ["mon", "sun"],
        },
        "help_results/escalada": {"code": "escalada", "label": "Pasó a Lima"},
        "fault_areas/red": {
            "code": "red", "label": "Red", "external": True, "email": "red@aqui.pe",
            "accounts": ["ciro"],
        },
        "fault_targets/1/": {"severity": 1, "accept_min": 3, "solve_min": 45},
        "fault_targets/1/red": {
            "severity": 1, "area": "red", "accept_min": 9, "solve_min": 90, "clock": "shift",
        },
        "tools/ventas/crm": {"campaign": "ventas", "code": "crm", "label": "CRM abre"},
    }  # fmt: skip
    for path, entry in entries.items():
        answer = await api.put(f"/{path}", json=change(entry))
        assert answer.status_code == 200, answer.text
        assert (await api.get(f"/{path}")).json()["entry"] == entry
    answer = await api.delete("/help_topics/vip", params={"reason": "ya no"})
    assert answer.status_code == 422 and "nelly" in answer.json()["detail"]


async def test_codes_with_a_slash(api: httpx.AsyncClient) -> None:
    shift = {"code": "m", "name": "Mañana", "start": "08:00", "end": "16:00"}
    assert (await api.put("/shifts/m", json=change(shift))).status_code == 200
    row = {"day": "2026-12-01", "agent": "e001", "shift": "m"}
    answer = await api.put("/roster/2026-12-01/e001", json=change(row))
    assert answer.json()["entry"] == row, answer.text
    found = (await api.get("/week", params={"first": "2026-11-30"})).json()
    cells = {one["code"]: one["days"] for one in found["agents"]}
    for to, count in (("9999-12-31", 1), ("2026-11-30", 0)):
        listed = await api.get("/roster", params={"from": "2026-11-01", "to": to})
        assert (listed.status_code, listed.json()["total"]) == (200, count)
    assert cells["e001"]["2026-12-01"]["shift"] == "m" and cells["e002"] == {}


async def test_a_page_at_a_time(api: httpx.AsyncClient) -> None:
    first = (await api.get("/reasons", params={"limit": 4})).json()
    assert (len(first["entries"]), first["total"]) == (4, 10)
    rest = (await api.get("/reasons", params={"after": first["next"]})).json()
    codes = [one["code"] for one in first["entries"] + rest["entries"]]
    assert codes == sorted(codes) and len(codes) == 10 and rest["next"] is None
    found = (await api.get("/reasons", params={"search": "topico"})).json()
    assert [one["code"] for one in found["entries"]] == ["topico"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/agents/e011", AGENT, "el código no se cambia"),
        ("/agents/e010", AGENT | {"team": "Nadie"}, "no existe el equipo «Nadie»"),
        ("/agents/e010", AGENT | {"name": "Ana\u202e"}, "caracteres invisibles (U+202E)"),
        ("/employers/x", {"code": "x", "name": "X", "ruc": "20100070971"}, "revise el RUC"),
    ],
)
async def test_what_is_wrong_is_told(
    api: httpx.AsyncClient, path: str, body: dict[str, object], says: str
) -> None:
    answer = await api.put(path, json=change(body))
    assert answer.status_code == 422 and says in answer.json()["detail"], answer.text
    assert answer.json()["errors"]


async def test_nobody_knows_it(api: httpx.AsyncClient) -> None:
    for path in ("/agents/nadie", "/history/agents/nadie"):
        assert (await api.get(path)).status_code == 404
    assert (await api.get("/history/nada/x")).status_code == 422


async def test_tables(api: httpx.AsyncClient) -> None:
    for form, begins in (("xlsx", b"PK"), ("csv", b"\xef\xbb\xbfC\xc3\xb3digo;")):
        answer = await api.get("/export/agents", params={"format": form})
        assert answer.content.startswith(begins)
        done = (await api.post("/import/agents", content=answer.content)).json()
        assert (done["unchanged"], done["done"], done["problems"]) == (2, False, [])
    table = b"code;name;short;alias\ne010;Nueva;N;N\ne011;;N;N\n"
    told = (await api.post("/import/agents", content=table)).json()
    assert [(one["row"], one["column"]) for one in told["problems"]] == [(3, "Nombre")]
    wanted = {"dry_run": False, "skip_bad": True, "reason": "alta"}
    told = (await api.post("/import/agents", content=table, params=wanted)).json()
    assert (told["added"], told["done"]) == (1, True)
    answer = await api.post("/import/agents", content=b"\xd0\xcf\x11\xe0")
    assert answer.status_code == 422 and "XLSX" in answer.json()["detail"]


async def test_what_stations_would_be_told(api: httpx.AsyncClient, data: DataDir) -> None:
    area = {"code": "nueva", "label": "Nueva"}
    await api.put("/areas/nueva", json=change(area))
    told = (await api.get("/publication")).json()
    assert told["differences"] == [
        {"part": "areas", "added": ["nueva"], "changed": [], "removed": []}
    ]
    assert [one["seat"] for one in told["stations"]] == ["A-01", "A-02"]
    done = (await api.post("/publication")).json()
    assert done["generation"] is None and "nueva" in data.site.read_text()
    assert (await api.get("/publication")).json()["differences"] == []
    # what stations would not take is told and not put in force
    agent = (await api.get("/agents/e002")).json()["entry"] | {"station_code": "1122"}
    await api.put("/agents/e002", json=change(agent))
    assert (await api.get("/publication")).json()["without_pin"] == ["e002"]
    book = {"motive": "9", "id": "NADA", "version": "1"}
    await api.put("/playbooks/9", json=change(book))
    problems = (await api.get("/publication")).json()["problems"]
    assert [(one["kind"], one["code"]) for one in problems] == [("playbooks", "9")]
    answer = await api.post("/publication")
    assert answer.status_code == 422 and "nivel 1" in answer.json()["detail"]


async def test_the_document_has_a_model_of_each_kind(api: httpx.AsyncClient) -> None:
    url = f"{api.base_url.copy_with(path='/api/v1/openapi.json')}"
    schemas = (await api.get(url)).json()["components"]["schemas"]
    assert schemas["Agents"]["properties"]["document_kind"]["anyOf"][0]["enum"] == [
        "DNI", "CE", "PASAPORTE",
    ]  # fmt: skip
    assert set(schemas["Roster"]["required"]) == {"day", "agent"}


async def test_whose_a_kind_is(data: DataDir, people_web: Web) -> None:
    """The quality lead has quality's, the administrator those of people, both the notices."""
    notice = {"code": "graba", "name": "Grabación", "side": "caller", "text": "Se graba."}
    entries: dict[str, dict[str, object]] = {
        "scorecards/c": {"code": "c", "name": "Atención"},
        "sample_exclusions/e001": {"agent": "e001", "why": "nesting"},
        "agents/e010": AGENT,
        "notices/graba": notice,
    }
    for role, may in (
        ("admin", ["agents", "notices"]),
        ("quality_lead", ["scorecards", "sample_exclusions", "notices"]),
        ("monitor", []),
        ("supervisor", []),
    ):
        headers = headers_of(people_web.login(role)) | {"Accept-Language": "es"}
        async with httpx.AsyncClient(
            base_url=f"{people_web.url}{PEOPLE}", headers=headers, timeout=300
        ) as client:
            done = [
                path.partition("/")[0]
                for path, entry in entries.items()
                if (await client.put(f"/{path}", json=change(entry))).status_code == 200
            ]
            assert sorted(done) == sorted(may), role
            named = await client.get("/teams")  # which plans and notices name
            assert (named.status_code == 200) == bool(may), role
            kinds = await client.get("/kinds")
            if may:
                assert {*may} <= {one["name"] for one in kinds.json()}
                for path in entries:
                    kind = path.partition("/")[0]
                    read = [
                        (await client.get(f"/{way}")).status_code
                        for way in (path, kind, f"export/{kind}", f"history/{path}")
                    ]
                    assert ({*read} == {200}) if kind in may else ({*read} == {403}), (role, kind)
            else:
                assert kinds.status_code == 403


@pytest.mark.parametrize(
    ("path", "entry", "said"),
    [
        ("scorecard_items/c/i", {"scorecard": "c", "code": "i", "section": "s", "text": "Saluda",
                                 "weight": 5, "auto_fail": "section"}, "hágalo crítico"),
        ("scorecard_items/c/i", {"scorecard": "c", "code": "i", "section": "s", "text": "Saluda",
                                 "weight": 101}, "weight es a lo más 100"),
        ("scorecard_items/c/i", {"scorecard": "c", "code": "i", "section": "s", "text": "Saluda",
                                 "weight": 5}, "no tiene la sección «c/s»"),
        ("sample_plans/p", {"code": "p", "name": "P", "scorecard": "c", "monitors": ["noe"],
                            "per_agent": 2, "total": 9}, "una de las dos"),
        ("sample_plans/p", {"code": "p", "name": "P", "scorecard": "c", "monitors": ["noe"],
                            "per_agent": 2, "period": "month"}, "solo para auditorías"),
        ("sample_plans/p", {"code": "p", "name": "P", "scorecard": "c", "monitors": ["noe"],
                            "per_agent": 2}, "no existe la planilla «c»"),
    ],
)  # fmt: skip
async def test_what_a_form_or_a_plan_cannot_be_is_refused_with_what_to_do(
    data: DataDir, people_web: Web, path: str, entry: dict[str, object], said: str
) -> None:
    headers = headers_of(people_web.login("quality_lead")) | {"Accept-Language": "es"}
    url = f"{people_web.url}{PEOPLE}/{path}"
    async with httpx.AsyncClient(headers=headers, timeout=300) as client:
        answer = await client.put(url, json=change(entry))
    assert answer.status_code == 422 and said in answer.text, answer.text
