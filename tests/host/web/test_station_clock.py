"""`/api/v1/stations/{s}/clock`: what the hub answers, whole, and its refusal."""

from typing import Any

import httpx
import msgspec
import pytest

from tests.support.web_stage import BEARER, Hub, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATH = "/api/v1/stations/DIA-0a1b2c3d4e5f/clock"
CLOCK = {
    "source": "sntp",
    "anchored_utc": 1_795_000_000_000,
    "offset_ms": 1_794_999_990_000,
    "uncertainty_ms": 63,
    "drift_ppm": -3.25,
    "drift_error_ppm": 1.5,
    "jumps": 0,
}


async def test_the_hubs_answer_and_its_refusal(web: Web, hub: Hub) -> None:
    answers: list[dict[str, Any]] = [
        CLOCK,
        {"error": "unknown_station", "detail": "no such station", "status": 404},
    ]
    questions: list[dict[str, Any]] = []

    async def answer(message: Any) -> None:
        questions.append(msgspec.json.decode(message.data))
        await message.respond(msgspec.json.encode(answers.pop(0)))

    subscription = await hub.client.subscribe("hub.clock", cb=answer)
    await hub.client.flush()
    async with httpx.AsyncClient(base_url=web.url, headers=BEARER, timeout=300) as client:
        told = await client.get(PATH)
        refused = await client.get(PATH)
        assert (await client.get("/api/v1/stations/DIA-x/clock")).status_code == 422
    await subscription.unsubscribe()
    assert (told.status_code, told.json()) == (200, CLOCK)
    assert refused.status_code == 404
    assert questions == [{"s": "DIA-0a1b2c3d4e5f"}] * 2
