"""What an agent does at one simulated station, one gesture a method: badge, keys, nothing else.

Each waits until the station has journaled what the gesture means, so that a driver reads like a
work day.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from diadema.base.errors import DiademaError

from diadema_sim import menu_keys, sound
from diadema_sim.station_user import (
    LOOK_MS,
    SETTLED_MS,
    NoResponse,
    StationUser,
)
from diadema_sim.witness import Witnessed

_WIDTH = 128
_KEYS_TOP = (13, 26, 39, 52)  # where the numbers of a list's keys stand, each in a lit box
_ROWS = 9
_TAP_MS = 600
_LONG_MS = 1_200
_JUST_ANSWERED_MS = 1_500  # the key does not hang up so soon after the answer
_WORD_S = 2
_KEY_STEPS = 6  # more than the steps that ask for a key; who was not heard speaks again
_TEST_LIMIT_MS = 25_000
_LISTS_CLOSE_MS = 8_000  # in a call, by themselves
_QUESTION_MS = 15_000  # a desk at rest asks by then what it has to

type Gap = Callable[[], float] | None  # drawn before each key but the first, in ms


def shows_full_list(ram: bytes) -> bool:
    """Whether a list of four lines is open; `ram` as `Station.screen` gives it."""
    return _lines_shown(ram) == len(_KEYS_TOP)


def shows_question(ram: bytes) -> bool:
    """Whether a list of two lines is open: «Sí» and «No»."""
    return _lines_shown(ram) == menu_keys.NO - menu_keys.YES + 1


def _lines_shown(ram: bytes) -> int:
    return sum(all(_lit(ram, top + row) for row in range(_ROWS)) for top in _KEYS_TOP)


def _lit(ram: bytes, y: int) -> bool:
    return bool(ram[y // 8 * _WIDTH + 1] >> (y % 8) & 1)


class Agent(StationUser):
    """One agent at one station of a world. Not for two tasks at a time."""

    async def log_in(self, *, tests: bool = True, gap_ms: Gap = None) -> None:
        """`tests`: does the self-test where a shift begins with one, else leaves it out."""
        since = self.seen
        await self._tap()
        opened = await self.expect("session.opened", since, a=self.desk.person.id)
        await self.expect("presence.changed", since, to="not_ready")
        if self.site["selftest"] and opened.event.get("of"):
            if tests:
                await self._test_station(gap_ms)
            else:
                await self.keys(menu_keys.SKIP_TEST, gap_ms)
            await self.expect("station.selftest", since)

    async def _test_station(self, gap_ms: Gap) -> None:
        """Every key, a word into the microphone, the lights, and what must lie on the desk."""
        since = self.seen
        await self.keys([menu_keys.BEGIN_TEST], gap_ms)
        await self.keys(range(1, 7), gap_ms)
        word = await asyncio.to_thread(sound.spoken_word, self.world.root / "word.wav", _WORD_S)
        deadline_ms = self.world.now_ms() + _TEST_LIMIT_MS
        while not self._tested(since):
            if self.world.now_ms() >= deadline_ms:
                raise NoResponse(f"{self.desk.seat} ({self.desk.station}): its test does not end")
            async with sound.listen(self.station, microphone=word):
                await self.world.sleep(1000 * _WORD_S)
            for _ in range(_KEY_STEPS):
                if not self._tested(since):
                    await self.keys([menu_keys.ALL_WELL])
                    await self.world.sleep(SETTLED_MS)

    def _tested(self, since: int) -> bool:
        return "station.selftest" in self.history.kinds_since(since)

    async def log_out(self) -> None:
        """Close the session; the agent stays in the building."""
        since = self.seen
        await self._tap_and_choose(menu_keys.CLOSE_SESSION)
        await self.expect("presence.changed", since, to="logged_out")

    async def go_home(self) -> None:
        """SALIDA: the shift is over."""
        since = self.seen
        await self._tap_and_choose(menu_keys.LEAVE)
        await self.expect("attendance.marked", since, direction="out")
        await self.expect("session.closed", since)
        await self.expect("presence.changed", since, to="logged_out")

    async def _tap(self) -> None:
        await self.if_powered(self.station.tap(self.desk.person.badge, _TAP_MS))

    async def _tap_and_choose(self, key: int) -> None:
        """The own badge, in a session, opens a list, and nothing in the journal says so."""
        await self._tap()
        await self._shown(shows_full_list, self.patience_ms, "offers no list at a badge")
        await self.keys([key])

    async def _shown(self, wanted: Callable[[bytes], bool], limit_ms: float, failure: str) -> None:
        deadline_ms = self.world.now_ms() + limit_ms
        while not wanted(await self.if_powered(self.station.screen())):
            if self.world.now_ms() >= deadline_ms:
                raise NoResponse(f"{self.desk.seat} ({self.desk.station}) {failure}")
            await self.world.sleep(LOOK_MS)

    async def rate_help(self, *, served: bool) -> Witnessed:
        """«¿Le sirvió?», once the station asks."""
        return await self._answer_question("help.rated", served)

    async def confirm_fault(self, *, works: bool) -> Witnessed:
        """«¿Funciona?», once the station asks."""
        return await self._answer_question("fault.confirmed", works)

    async def _answer_question(self, kind: str, yes: bool) -> Witnessed:
        await self._shown(shows_question, _QUESTION_MS, "asks nothing")
        await self.world.sleep(SETTLED_MS)  # it came by itself
        key, answer = (menu_keys.YES, "yes") if yes else (menu_keys.NO, "no")
        return await self._by_keys([key], kind, answer=answer)

    async def _heed_question(self) -> None:
        """Yes to what the station asks just now, as it takes the keys."""
        if self.history.questioned and shows_question(
            await self.if_powered(self.station.screen())
        ):
            await self.world.sleep(SETTLED_MS)
            await self.keys([menu_keys.YES])
            await self.world.sleep(SETTLED_MS)

    async def get_ready(self) -> None:
        await self._heed_question()
        await self._by_keys([menu_keys.READY], "presence.changed", to="ready")

    async def pause(self, reason: str, gap_ms: Gap = None) -> None:
        """From ready to a reason of not being so."""
        await self._heed_question()
        keys = [menu_keys.PAUSE, *menu_keys.coded_keys(self.site["reasons"], reason)]
        await self._by_keys(keys, "presence.changed", gap_ms, to="not_ready", reason=reason)

    async def dial(self, campaign: str) -> str:
        """A call begun by key; its contact."""
        await self._heed_question()
        outbound = [row for row in self.site["campaigns"] if row.get("outbound")]
        keys = [menu_keys.DIAL, *menu_keys.coded_keys(outbound, campaign)]
        dialed = await self._by_keys(keys, "contact.dialed", campaign=campaign)
        return str(dialed.event["c"])

    async def answer(self, contact: str) -> Witnessed:
        return await self._by_keys([menu_keys.ANSWER], "contact.answered", c=contact)

    async def hang_up(self, contact: str) -> Witnessed:
        """Once more, when it was so soon after the answer that the key did nothing."""
        since = self.seen
        soon_ms = self.history.answered_ms(contact) + _JUST_ANSWERED_MS
        await self.notice_screen_change()
        await self.keys([menu_keys.HANG_UP])
        if self.world.now_ms() < soon_ms + SETTLED_MS:
            await self.world.sleep_until(soon_ms + SETTLED_MS)
            if not self.happened("contact.ended", contact):
                await self.keys([menu_keys.HANG_UP])
        return await self.expect("contact.ended", since, c=contact)

    async def mute(self, contact: str) -> None:
        await self._by_keys([menu_keys.MUTE], "contact.muted", c=contact)

    async def unmute(self, contact: str) -> None:
        await self._by_keys([menu_keys.MUTE], "contact.unmuted", c=contact)

    async def hold(self, contact: str) -> None:
        await self._by_keys([menu_keys.HOLD], "contact.held", c=contact)

    async def resume(self, contact: str) -> None:
        await self._by_keys([menu_keys.HOLD], "contact.resumed", c=contact)

    async def join(self, contact: str) -> None:
        """Hand the call over to the area that is consulted."""
        await self._by_keys([menu_keys.JOIN], "contact.transferred", c=contact)

    async def confer(self, contact: str) -> None:
        await self._by_keys([menu_keys.CONFER], "contact.transferred", c=contact)

    async def swap(self, contact: str) -> None:
        """From the area to the caller, or back to it."""
        await self._by_keys([menu_keys.SWAP], "contact.consulted", c=contact)

    async def come_back(self, contact: str) -> None:
        """From the area that is consulted to the caller."""
        await self._by_keys([menu_keys.RETURN], "contact.consult_ended", c=contact)

    async def _by_keys(
        self, keys: Iterable[int], kind: str, gap_ms: Gap = None, **fields: Any
    ) -> Witnessed:
        """Press the keys; the event of that kind with these fields which they bring about."""
        since = self.seen
        await self.keys(keys, gap_ms)
        return await self.expect(kind, since, **fields)

    async def step(self, contact: str, method: str, gap_ms: Gap = None) -> None:
        """Tick the next step of the protocol; that of the identity asks for the method."""
        since = self.seen
        await self.keys([menu_keys.STEP])
        ticked = await self.expect("contact.step", since, c=contact)
        if ticked.event["step"] == "identity":
            if gap_ms:
                await self.world.sleep(gap_ms())
            await self.keys(menu_keys.coded_keys(self.site["identity_methods"], method), gap_ms)
            await self.expect("contact.step", since, c=contact, method=method)

    def steps_left(self, contact: str) -> int:
        """How many steps the agent can still tick."""
        return self.history.steps_left(contact, self.site["campaigns"])

    async def motive(self, contact: str, motive: str, gap_ms: Gap = None) -> None:
        motives = [{"code": node[0]} for node in self.site["tree"]["nodes"]]
        keys = [*self._call_menu(contact, "motive"), *menu_keys.coded_keys(motives, motive)]
        await self._by_keys(keys, "contact.motive", gap_ms, c=contact, motive=motive)

    async def transfer(self, contact: str, area: str, gap_ms: Gap = None) -> None:
        """At once, or only the consult, as the area is one."""
        areas = self.site["areas"]
        keys = [*self._call_menu(contact, "transfer"), *menu_keys.coded_keys(areas, area)]
        consulted = any(row["consulted"] for row in areas if row["code"] == area)
        keys += [menu_keys.YES] * (not consulted)  # which is asked about once
        kind = "contact.consulted" if consulted else "contact.transferred"
        await self._by_keys(keys, kind, gap_ms, c=contact)

    async def intend(self, contact: str, reason: str) -> None:
        """What follows the call: a reason of not being ready."""
        after = [{"code": None}, *self.site["reasons"]]
        keys = [*self._call_menu(contact, "after_call"), *menu_keys.coded_keys(after, reason)]
        await self._by_keys(keys, "presence.intended", reason=reason)

    def _call_menu(self, contact: str, line: str) -> list[int]:
        coded = self.happened("contact.typified", contact)
        step = self.steps_left(contact) > 0
        return menu_keys.call_menu_keys(line, step=step, coded=coded)

    async def request_help(self, topic: str | None, gap_ms: Gap = None) -> Witnessed:
        """Of the supervisor; the topic may be left out."""
        await self._heed_question()
        since = self.seen
        await self.keys([menu_keys.HELP])
        request = await self.expect("help.requested", since)
        if topic:
            if gap_ms:
                await self.world.sleep(gap_ms())
            await self.keys(menu_keys.coded_keys(self.site["help_topics"], topic), gap_ms)
            await self.expect("help.topic", since, topic=topic)
        else:
            await self.world.sleep(_LISTS_CLOSE_MS + SETTLED_MS)
        return request

    async def report_fault(self, area: str, part: str) -> Witnessed:
        """What does not work at the seat."""
        since, areas = self.seen, self.site["fault_areas"]
        await self.if_powered(self.station.press(menu_keys.HELP, _LONG_MS))
        fault = await self.expect("fault.reported", since)
        await self.keys(menu_keys.coded_keys(areas, area))
        parts = next(one["parts"] for one in areas if one["code"] == area)
        since = self.seen
        await self.keys(menu_keys.coded_keys(parts, part))
        await self.expect("fault.reported", since, part=part)
        return fault

    async def typify_in_call(self, contact: str, code: str, gap_ms: Gap = None) -> None:
        keys = self._code_keys(code, contact)
        if keys[0] == menu_keys.BACK:
            raise DiademaError(f"{code} is not of the motive that {contact} has")
        if self.steps_left(contact):
            keys = [*self._call_menu(contact, "code"), *keys]
        else:
            keys = [menu_keys.TYPIFY, *keys]
        await self._by_keys(keys, "contact.typified", gap_ms, c=contact, code=code)

    async def typify_after(self, contact: str, code: str, gap_ms: Gap = None) -> None:
        """In the wrap-up, where the tree is open; ends it."""
        since = self.seen
        keys = self._code_keys(code, contact)
        await self._by_keys(keys, "contact.typified", gap_ms, c=contact, code=code)
        await self.expect("wrapup.ended", since, c=contact)

    async def typify_later(self, contact: str, code: str) -> None:
        """The oldest of the calls that wait for their code."""
        await self._heed_question()
        to_tree = [menu_keys.MENU, menu_keys.FIRST, menu_keys.FIRST]
        keys = [*to_tree, *self._code_keys(code, contact)]
        flagged = self.happened("contact.typified", contact)
        kind = "contact.retypified" if flagged else "contact.typified"
        await self._by_keys(keys, kind, c=contact, code=code)

    def _code_keys(self, code: str, contact: str) -> list[int]:
        history = self.history
        return menu_keys.code_keys(
            self.site["tree"], code, history.recent_codes(), history.motive(contact)
        )

    async def done(self, contact: str) -> None:
        """End the wrap-up of a contact that is typified already."""
        await self._by_keys([menu_keys.DONE], "wrapup.ended", c=contact)
