"""Twenty calls by sipp, through a real Asterisk's queue, real firmware in the VM, hub and bridge,
to a telephone, where `DIADEMA_ASTERISK` names the folder of one (tests/README.md).
"""

import asyncio
import statistics
from contextlib import AsyncExitStack, closing

import pytest
from diadema.store import tables
from diadema.switch.settings import Settings
from diadema_sim import people
from sqlalchemy import select

from tests.support.asterisk import real
from tests.support.asterisk.telephones import Telephone
from tests.support.broker_fixtures import until
from tests.support.switched_centre import centre_of, imported, settled, told_by_the_log

CALLS, AGENTS = 20, 3
CODE = people.leaves(people.LIMA_TREE)[0]
LOOK_S = 0.02
CALLER = """<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="stays until it is hung up">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:99900[call_number]@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
]]></send>
<recv response="100" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:99900[call_number]@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Content-Length: 0

]]></send>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


@pytest.fixture
def asterisk(tmp_path):
    at = real.folder()
    if at is None:
        pytest.skip(f"{real.VARIABLE} is not set")
    found = real.RealAsterisk(at, tmp_path / "asterisk")
    found.start()
    yield found
    found.stop()


async def works(agent):
    """Takes and ends each call that rings, until cancelled."""
    while True:
        work, contact = agent.work
        if work == "offered":
            await agent.answer(contact)
        elif work == "talking":
            await agent.hang_up(contact)
        elif work == "wrapup":
            await agent.typify_after(contact, CODE)
        await asyncio.sleep(LOOK_S)


async def test_twenty_calls_through_a_real_exchange(tmp_path, asterisk, system_program, capsys):
    sipp = system_program("sipp", "sip-tester")
    scenario = tmp_path / "caller.xml"
    scenario.write_text(CALLER)
    async with AsyncExitStack() as stack:
        for number in range(101, 101 + AGENTS):
            telephone = await Telephone.plug_in(str(number), asterisk.sip)
            stack.callback(telephone.unplug)
            await telephone.register()
        way = Settings(ami_port=asterisk.ami, ari_port=asterisk.ari)
        centre = await stack.enter_async_context(centre_of(tmp_path, way, AGENTS))
        working = []
        for agent in centre.agents:
            await agent.log_in()
            await agent.get_ready()
            working.append(asyncio.create_task(works(agent)))
        calling = await asyncio.create_subprocess_exec(
            sipp, "-sf", scenario, "-s", "200", "-i", "127.0.0.1", "-m", str(CALLS), "-r", "2",
            "-nostdin", f"127.0.0.1:{asterisk.sip}", stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await calling.wait() == 0, "each was answered, and hung up by the other end"
        await until(lambda: all(agent.work[0] == "idle" for agent in centre.agents))
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        told = await settled(centre, asterisk)
        assert told == told_by_the_log(asterisk.queue_log())
        assert [(outcome, by) for outcome, by, _ in told.values()] == [("answered", "agent")] * 20
        assert {agent for *_, agent in told.values()} == {
            one.desk.person.id for one in centre.agents
        }
        assert "0 nuevas, 0 distintas" in await imported(centre, asterisk.log)
        rang, joined = times(centre)
        with capsys.disabled():
            print(f"\noffer to ring: {figures(rang)}; key to joined: {figures(joined)}")


def times(centre):
    """From the queue's offer to the station's ring, from its key to the connection; in ms."""
    with closing(centre.reader()) as reader, reader.engine.connect() as tx:
        calls = {row.pbx: row for row in tx.execute(select(tables.queue_calls))}
    answered = [(one, calls[one.pbx]) for one in centre.contacts() if one.answered_utc]
    rang = [one.start_utc - (call.connected_utc - call.ring_ms) for one, call in answered]
    return rang, [call.connected_utc - one.answered_utc for one, call in answered]


def figures(values):
    deciles = statistics.quantiles(values, n=10)
    return f"p50 {deciles[4]:.0f}, p90 {deciles[8]:.0f}, max {max(values)} ms ({len(values)})"
