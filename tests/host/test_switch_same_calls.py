"""What the bridge told the store while it happened, and what the exchange wrote into its own log,
are the same calls: any callers, any agents, the real bridge, and an exchange that is played.
"""

import asyncio
import tempfile
from pathlib import Path

from diadema.base.paths import DataDir
from diadema.exchange.queue_log_import import import_queue_log
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.store import open_reader, open_writer, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.played_centre import AREAS, RING_S, played
from tests.support.scripted_station import T0, FixedClock
from tests.support.skipping_loop import skipping

_GAPS = st.sampled_from([0, 0.02, 0.4, 3, 11, 40])
_TARGETS = [*AREAS]
_AGAIN_S = 1.1  # within a second a line that stands there twice is, to a log, one
DEEDS = st.one_of(
    st.sampled_from([
        "hold", "mute", "unmute", "swap", "confer", "drop", "hand_over", "hang_up", "mask",
        "unmask", "caller", "phone", "area", "its button",
    ]),
    st.tuples(st.sampled_from(["consult", "transfer"]), st.sampled_from(_TARGETS)),
)  # fmt: skip
CALLS = st.lists(
    st.fixed_dictionaries({
        "after": _GAPS,
        "queue": st.sampled_from(["ventas", "ventas", "soporte", "todos"]),
        "recorded": st.booleans(),
        "waits": st.sampled_from([None, None, None, 1.2, 2, 9, 24, 61]),
        "and then": st.sampled_from(["hangs up", "key", "key to soporte", "key to 104"]),
        "gives up": st.sampled_from([None, None, None, 1, 30]),
        "phone": st.sampled_from(["auto", "auto", "auto", "busy", "silent"]),
        "takes": st.sampled_from(["answer", "answer", "answer", "reject", "nothing"]),
        "thinks": st.sampled_from([0.01, 1, 2, 5, RING_S]),
        "deeds": st.lists(st.tuples(_GAPS, DEEDS), max_size=6),
        "end": st.sampled_from(["hang_up", "caller", "phone"]),
    }),
    min_size=1, max_size=6,
)  # fmt: skip


class Life:
    """Of one caller."""

    def __init__(self, centre, plan):
        self.centre, self.peer, self.plan = centre, centre.peer, plan
        self.times = 0
        self.work = []

    async def live(self):
        await asyncio.sleep(self.plan["after"])
        self.caller = self.peer.call(
            self.plan["queue"], number="999000111", recorded=self.plan["recorded"],
            gives_up_s=self.plan["gives up"],
        )  # fmt: skip
        self.centre.plans[self.caller.uniqueid] = self.rung
        if self.plan["waits"] is not None:
            await asyncio.sleep(self.plan["waits"])
            if self.caller.waits:
                self._leave(self.plan["and then"])
        await asyncio.sleep(400)
        await asyncio.gather(*self.work)
        if self.caller.there:
            self.caller.hang_up()

    def _leave(self, how):
        if how == "hangs up":
            self.caller.hang_up()
        else:
            self.caller.press(
                "9", {"key to soporte": "cola-soporte", "key to 104": "104"}.get(how, "")
            )

    def rung(self, desk):
        self.times += 1
        self.work.append(asyncio.create_task(self._agent(desk, first=self.times == 1)))

    async def _agent(self, desk, first):
        phone = self.peer.telephone(desk.phone)
        contact = desk.contact

        def here():
            return desk.contact == contact and desk.work not in ("idle", "wrapup")

        phone.mode = self.plan["phone"] if first else "auto"
        await asyncio.sleep(self.plan["thinks"])
        if here():
            takes = self.plan["takes"] if first else "answer"
            if takes == "nothing":
                return
            getattr(desk, takes)()
        deeds = self.plan["deeds"] if first else []
        for after, deed in [*deeds, (5, self.plan["end"])]:
            again = deed == ("transfer", "otra cola")
            await asyncio.sleep(max(after, _AGAIN_S) if again else after)
            if not here():
                break
            self._do(desk, phone, deed)
        await asyncio.sleep(30)
        for area in ("PJSIP/103", "PJSIP/104"):
            self.peer.telephone(area).hang_up()

    def _do(self, desk, phone, deed):
        match deed:
            case (verb, area):
                getattr(desk, verb)(area)
            case "mute" | "unmute":
                desk.mute(deed == "mute")
            case "mask" | "unmask":
                desk.record(deed == "unmask")
            case "caller":
                if self.caller.there:
                    self.caller.hang_up()
            case "phone":
                phone.hang_up()
            case "area":
                self.peer.telephone("PJSIP/104").hang_up()
            case "its button":
                phone.press_hold(True)
                phone.press_hold(False)
            case _:
                getattr(desk, deed)()


async def happened(data, plans, seed):
    """The log of it; what the bridge told is in the store."""
    async with played(data, seed) as centre:
        centre.peer.queues.lost_caller = 0.3  # of a real one about one of twelve
        centre.peer.telephone("PJSIP/103").mode = "always"
        centre.peer.telephone("PJSIP/104").mode = "always"
        await asyncio.gather(*(Life(centre, plan).live() for plan in plans))
        await asyncio.sleep(60)
        assert not centre.peer.channels, centre.peer.channels
        await centre.settled()
        bodies = centre.journal.unsent(100_000)
        writer = open_writer(data.store)
        try:
            ingest = Ingest(writer, None, FixedClock(centre.now_ms()))
            subject = subject_of(centre.journal.station)
            ingest.take_file([Message(0, subject, body) for body in bodies])
        finally:
            writer.close()
        return centre.peer.queue_log()


_ENDS = {
    "COMPLETEAGENT": ("completed", "agent"), "COMPLETECALLER": ("completed", "caller"),
    "BLINDTRANSFER": ("transferred", "agent"), "ABANDON": (None, None),
    "EXITWITHTIMEOUT": ("timeout", None), "EXITWITHKEY": ("key", None),
}  # fmt: skip


def told_by_the_log(lines):
    """Each call of the log, by where and when it came, read by its words alone."""
    calls, found = {}, []
    for line in lines:
        t, pbx, queue, agent, verb, *data = line.split("|")
        if verb == "ENTERQUEUE":
            call = calls[pbx, queue] = {
                "pbx": pbx, "queue": queue, "start": int(t), "outcome": "waiting", "agent": None,
                "cause": None, "by": None, "wait": None, "talk": None, "rung": 0,
            }  # fmt: skip
            found.append(call)
        elif verb in ("RINGNOANSWER", "RINGCANCELED"):
            calls[pbx, queue]["rung"] += 1
        elif verb == "CONNECT":
            calls[pbx, queue] |= {"outcome": "answered", "agent": agent, "wait": int(data[0])}
        elif verb in _ENDS:
            call = calls.pop((pbx, queue))
            call["cause"], call["by"] = _ENDS[verb]
            if call["outcome"] == "answered":
                call["talk"] = int(data[-2])
            else:
                call["outcome"] = "abandoned" if verb == "ABANDON" else "left"
                call["wait"] = int(data[-1])
    return found


def told_by_the_store(data):
    found = []
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        for row in tx.execute(select(tables.queue_calls).order_by(tables.queue_calls.c.n)):
            found.append({
                "pbx": row.pbx, "queue": row.queue, "start": row.start_utc / 1000,
                "outcome": row.outcome, "agent": row.agent, "cause": row.cause,
                "by": row.ended_by, "wait": row.wait_ms, "talk": row.talk_ms, "rung": row.offers,
            })  # fmt: skip
    return found


def assert_same(log, store):
    assert len(log) == len(store), (log, store)
    for ours, its in zip(store, log, strict=True):
        exact = ("pbx", "queue", "outcome", "agent", "cause", "by", "rung")
        assert {k: ours[k] for k in exact} == {k: its[k] for k in exact}
        assert abs(ours["start"] - its["start"]) <= 1.1
        for length in ("wait", "talk"):
            assert (ours[length] is None) == (its[length] is None), (ours, its)
            assert ours[length] is None or abs(ours[length] / 1000 - its[length]) <= 1.1


def check(plans, seed):
    with tempfile.TemporaryDirectory() as root:
        data = DataDir(Path(root) / "data")
        data.make()
        log = skipping(lambda: happened(data, plans, seed))
        text = "\n".join(log)
        assert_same(told_by_the_log(log), told_by_the_store(data))
        path = Path(root) / "queue_log"
        path.write_text(text + "\n")
        done = import_queue_log([path], data, FixedClock(T0 + 86_400_000))
        assert (done.new, done.fresh, done.different, done.bad) == (0, 0, [], []), (
            done.new,
            done.fresh,
            done.different,
            text,
        )
        assert done.live_calls == len(told_by_the_log(log))


@settings(max_examples=25)
@given(plans=CALLS, seed=st.integers(0, 1000))
def test_the_log_and_the_store_tell_the_same_calls(plans, seed):
    check(plans, seed)
