"""Every answer of the API that may tell of a person is searched for the three private reasons: SS.
HH., tópico, lactancia.
"""

import httpx
import pytest

from tests.host.test_report_adherence import DAY, at
from tests.support.private_stage import named
from tests.support.web_stage import Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
# lists to choose from, of nobody; and people and rosters, whole to who may edit them alone
LISTS = ("/api/v1/people", "/api/v1/openapi.json", "/api/v1/schemas")


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
                leak = named(answer.text)
                assert leak is None, (place, leak)
                if answer.status_code == 200:
                    answered.add(path)
        register = (await client.get("/api/v1/actions")).json()["items"]
        assert [one["reason"] for one in register if "reason" in one] == ["private"] * 3
        one = await client.get("/api/v1/actions/{}/{}/{}".format(*register[0]["event"]))
        assert one.json()["reason"] == "private"
    whose = (
        "agents/{a}/page", "agents/{a}/day", "agents/{a}/events", "reports/{kind}", "live",
        "alerts", "actions",
    )  # fmt: skip
    assert {f"/api/v1/{one}" for one in whose} <= answered


class _Of(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "a001"
