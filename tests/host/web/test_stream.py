"""The stream `/ws`: snapshot, deltas, heartbeat, and what a viewer may say."""

import json

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.web_stage import Hub, Web, agent
from tests.support.web_viewer import viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_viewer_gets_a_snapshot_and_then_what_changed(web: Web, hub: Hub) -> None:
    await hub.put(state="ready", since=1_000, t=1_000, seat="A-01")
    async with viewing(web) as viewer:
        await viewer.until(a="a001", state="ready", seat="A-01")
        assert viewer.snap["site"] == {"name": "Centro", "zone": "America/Lima", "language": "es"}
        await hub.put(state="talking", since=2_000, t=2_000, seat="A-01", c="c-7", queue="Ventas")
        messages = await viewer.until(state="talking", c="c-7", queue="Ventas", since=2_000)
        assert all("snap" not in message for message in messages)


async def test_the_last_value_wins_when_changes_come_fast(web: Web, hub: Hub) -> None:
    await hub.put(contacts=0)
    async with viewing(web) as viewer:
        await viewer.until(contacts=0, a="a001")
        for contacts in range(1, 200):  # as ingest does: without waiting for the store
            row = json.dumps(agent(contacts=contacts)).encode()
            await hub.client.publish("$KV.live.agent.a001", row)
        messages = await viewer.until(contacts=199)
        assert sum(bool(message.get("d")) for message in messages) < 100


async def test_a_new_agent_and_one_that_left_come_with_a_snapshot(web: Web, hub: Hub) -> None:
    await hub.put(a="a001", name="Zoila Núñez")
    async with viewing(web) as viewer:
        await viewer.until(a="a001", name="Zoila Núñez")
        await hub.put(a="a002", name="Ana Díaz")
        await viewer.until(a="a002", name="Ana Díaz")
        assert [row["a"] for row in viewer.rows] == ["a002", "a001"]
        await hub.bucket.delete("agent.a001")
        while len(viewer.rows) != 1:
            await viewer.take()
        await hub.put(a="a002", name="Ana Díaz", state="ready")
        await viewer.until(a="a002", state="ready")


async def test_silence_is_broken_by_a_heartbeat_with_the_hubs_time(web: Web, hub: Hub) -> None:
    async with viewing(web) as viewer:
        while (message := await viewer.take()).get("d") != []:
            pass
        assert message["now"] >= viewer.snap["now"]


async def test_a_viewer_with_a_gap_may_ask_for_a_snapshot(web: Web, hub: Hub) -> None:
    await hub.put(state="ready")
    async with viewing(web) as viewer:
        await viewer.until(state="ready")
        viewer.rows = []
        await viewer.socket.send("snap")
        await viewer.until(state="ready")


@pytest.mark.parametrize("said", ["x" * 10, b"snap", json.dumps({"a": 1})])
async def test_a_viewer_that_says_anything_else_is_shown_out(
    web: Web, hub: Hub, said: str | bytes
) -> None:
    async with viewing(web) as viewer:
        await viewer.socket.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await viewer.take()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b'{"a":1}', b'{"a":"a001","since":"now"}', b"\xff\xfe"]
)
async def test_a_value_that_is_no_row_changes_nothing(web: Web, hub: Hub, value: bytes) -> None:
    await hub.put(a="a001", state="ready")
    async with viewing(web) as viewer:
        await viewer.until(a="a001", state="ready")
        await hub.put_raw("agent.a001", value)
        await hub.put(a="a002", state="held")
        await viewer.until(a="a002", state="held")
        assert any(row["a"] == "a001" and row["state"] == "ready" for row in viewer.rows)


async def test_a_renamed_site_reaches_who_is_watching(web: Web, hub: Hub) -> None:
    async with viewing(web) as viewer:
        await hub.site(name="Lima Norte")
        while viewer.snap["site"]["name"] != "Lima Norte":
            await viewer.take()


async def test_cut_off_owing_seats_and_queues_come_with_the_rows(web: Web, hub: Hub) -> None:
    queues = {"half_hour": 1, "threshold_s": 20, "short_s": 5, "source": "PBX-a", "heard": 9}
    total = {"waiting": 2, "longest_since": 5, "service_level": {"offered": 82.4}}
    async with viewing(web) as viewer:
        assert viewer.snap["cut"] is viewer.snap["queues"] is None
        await hub.site(cut={"at": 7, "position": 12}, owing=[["A-01", 5], ["A-02", None]])
        while (message := await viewer.take()).get("cut") is None:
            assert "snap" not in message
        assert (message["cut"], message["d"]) == ({"at": 7, "position": 12}, [])
        assert message["owing"] == [["A-01", 5], ["A-02", None]]
        await hub.put_raw("queues", json.dumps(queues | {"total": total}).encode())
        while (message := await viewer.take()).get("queues") is None:
            assert "cut" not in message
        assert message["queues"]["total"]["waiting"] == 2
        await hub.bucket.delete("queues")
        while "queues" not in (message := await viewer.take()):
            pass
        assert message["queues"] is None
