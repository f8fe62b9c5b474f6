"""Every answer of the API that may tell of a person is searched for the three private reasons: SS.
HH., tópico, lactancia.
"""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from diadema import site as sites
from diadema.clock import open_clock
from diadema.ingest.acts import Acts
from diadema.ingest.commanding import Commands
from diadema.ingest.core import Ingest
from diadema.paths import DataDir
from diadema.store import open_reader, open_writer
from test_private_reasons import CODES, LABELS
from test_report_adherence import DAY, DESCRIBED, Desk, at
from web_stage import Nats, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
# lists to choose from, of nobody; and people and rosters, whole to who may edit them alone
LISTS = ("/api/v1/people", "/api/v1/openapi.json", "/api/v1/schemas")


@pytest_asyncio.fixture(loop_scope="session")
async def private_web(own_nats: Nats, tmp_path) -> AsyncIterator[Web]:
    data = DataDir(tmp_path)
    data.make()
    data.site.write_text(json.dumps(DESCRIBED))
    writer, reader = open_writer(data.store), open_reader(data.store)
    ingest = Ingest(writer, sites.parse(data.site.read_bytes()), open_clock(None))
    for k in (1, 2):
        desk = Desk(k, at(8))
        for hour, reason in zip((9, 10, 11), CODES, strict=True):
            desk.until(at(hour)).pause(reason).until(at(hour, 20)).ready()
        desk.until(at(13)).pause(CODES[k], by="supervisor")
        ingest.take([desk.script.hello_message(), *desk.script.messages()], "stream", "server")
    acts = Acts(ingest, Commands(ingest, None), reader, None)
    for reason in CODES:
        acts.act({"action": "presence", "a": "a001", "reason": reason, "by": "elena", "who": "E"})
    reader.close()
    writer.close()
    web = Web(tmp_path, own_nats.url)
    web.start()
    yield web
    web.kill()


def check(where: str, text: str) -> None:
    for word in (*CODES, *LABELS):
        assert word not in text, (where, word, text[max(0, text.find(word) - 200) :][:400])


async def test_no_answer_of_the_api_names_one(private_web: Web) -> None:
    """Each GET there is, of her and of that day where it can be asked so."""
    told = {"agent": "a001", "a": "a001", "day": DAY.isoformat(), "span": DAY.isoformat(),
            "month": f"{DAY:%Y-%m}", "from": str(at(0) * 1000), "to": str(at(23) * 1000),
            "scope": "agent:a001"}  # fmt: skip
    answered = set()
    async with httpx.AsyncClient(
        base_url=private_web.url, cookies=private_web.cookies, timeout=60
    ) as client:
        paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
        for path, ways in paths.items():
            if "get" not in ways or path.startswith(LISTS):
                continue
            asked = ways["get"].get("parameters", ())
            query = {
                one["name"]: told[one["name"]]
                for one in asked
                if one["in"] == "query" and one["name"] in told
            }
            kinds = next(
                (
                    one["schema"]["enum"]
                    for one in asked
                    if one["name"] == "kind" and "enum" in one["schema"]
                ),
                ["adherencia"],
            )
            for kind in kinds if "{kind}" in path else [""]:
                place = path.format_map(_Of(told | {"kind": kind}))
                answer = await client.get(place, params=query)
                check(place, answer.text.encode().decode("unicode-escape", "ignore"))
                check(place, answer.text)
                if answer.status_code == 200:
                    answered.add(path)
        for path in ("/handover", "/wall"):
            page = await client.get(path, params={"day": DAY.isoformat()})
            assert page.status_code == 200
            check(path, page.text)
    whose = ("agents/{a}/page", "agents/{a}/day", "agents/{a}/events", "reports/{kind}", "live")
    assert {f"/api/v1/{one}" for one in whose} <= answered


class _Of(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "a001"
