"""The bridge's way to the hub: what stations did comes, commands and the exchange's events go."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from diadema.base.clock import backoff_s
from diadema.base.errors import DiademaError
from diadema.base.idempotency import HEADER, Once
from diadema.switch.dialing import LimitReached
from diadema.wire.switching import (
    CALL,
    DIAL,
    FEED,
    INBOX,
    LISTEN,
    QUEUE,
    STATE,
    USER,
    CallOut,
    Fed,
    Floor,
    Listen,
    Report,
    unseal,
)
from diadema.words import Sentence

_ANSWER_S = 5.0
_WAITING = 10_000  # batches; more, and everything is asked anew
_BAD = {"error": "bad_request", "status": 422}
_decode_fed = msgspec.json.Decoder(Fed).decode

log = logging.getLogger("diadema.switch")


class HubAway(DiademaError):
    """It does not answer; whether it did what was asked is not known."""


class HubSaysNo(DiademaError):
    """It answered, and did not do it."""


class HubLink:
    """`heard` is called with each event of a station, in order; `anew` is awaited with the floor
    at the beginning and whenever events were missed.
    """

    def __init__(
        self,
        url: Callable[[], str | None],
        password: str,
        heard: Callable[[dict[str, Any]], None],
        anew: Callable[[Floor], Awaitable[None]],
        report: Callable[[], Report],
        lost: Callable[[], Awaitable[None]],
        dial: Callable[[CallOut, str, str | None], Awaitable[tuple[str, str | None]]],
        listen: Callable[[Listen], Awaitable[None]],
    ) -> None:
        """`url`: where NATS is now; a hub that was started again may be elsewhere. `lost` is
        awaited after each loss, `dial` for each call that a program wants, with its number and
        the name of the question: the contact that it became, and the number's reference; `listen`
        for each listening that begins or ends.
        """
        self._url, self._password = url, password
        self._heard, self._anew, self._report, self._lost = heard, anew, report, lost
        self._dial, self._listen = dial, listen
        self._client: Client | None = None
        self._number = -1  # of the last batch that was heard; below 0: the floor is not known
        self._early: list[Fed] = []  # what came before the floor did
        self._at_once = asyncio.Event()  # the next report
        self._stale = False  # what was heard is older than what is

    @property
    def is_up(self) -> bool:
        return self._client is not None and self._number >= 0

    async def run(self, beat_s: float) -> None:
        """Connect, and again after each loss, until cancelled; report each `beat_s`."""
        losses = 0
        while True:
            try:
                await self._connect()
                while True:
                    await self.report()
                    losses = 0
                    await self._pause(beat_s)
            except (HubAway, HubSaysNo) as error:
                log.warning("%s", error)
            finally:
                await self._hang_up()
            await asyncio.sleep(backoff_s(losses))
            losses += 1

    async def report(self) -> None:
        """How we are; where events were missed the floor comes anew. Raises HubAway."""
        self._at_once.clear()
        if self._stale:
            self._number, self._stale = -1, False
        before = self._number
        answer = await self._ask(STATE, msgspec.to_builtins(self._report()))
        floor = msgspec.convert(answer, Floor)
        # else it may be older than what came while it was on its way
        if self._number < 0 or floor.number < before:
            await self._anew(floor)
            self._number = floor.number
            early, self._early = self._early, []
            for fed in early:
                self._take(fed)

    def ask_anew(self) -> None:
        """The floor comes with the next report."""
        self._stale = True

    async def command(self, station: str, cmd: str, **fields: Any) -> int:
        """The number that the command got. Raises HubSaysNo, HubAway."""
        given = {name: value for name, value in fields.items() if value is not None}
        answer = await self._ask(CALL, {"s": station, "cmd": cmd, **given})
        return int(answer["i"])

    async def tell(self, station: str, epoch: int, bodies: Sequence[bytes]) -> int:
        """Events of the exchange; up to which the hub has them all. Raises HubSaysNo, HubAway."""
        events = [body.decode() for body in bodies]
        body = {"s": station, "e": epoch, "events": events, "live": True}
        return int((await self._ask(QUEUE, body))["position"])

    async def _connect(self) -> None:
        url = self._url()
        if url is None:
            raise HubAway(Sentence("errors.switch.no_hub"))
        try:
            client = await nats.connect(
                url,
                user=USER,
                password=self._password,
                inbox_prefix=INBOX.encode(),
                name=USER,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                connect_timeout=2,
                pending_size=1 << 22,
                error_cb=_note,
            )
            self._client = client
            await client.subscribe(FEED, cb=self._on_fed, pending_msgs_limit=_WAITING)
            await client.subscribe(DIAL, cb=self._on_dial)
            await client.subscribe(LISTEN, cb=self._on_listen)
            await client.flush()
        except (NatsError, OSError, TimeoutError) as error:
            raise _away(error) from error

    async def _on_dial(self, message: Msg) -> None:
        """Nothing of the question is repeated: it has a number."""
        try:
            wanted = msgspec.json.decode(message.data, type=CallOut)
            number = unseal(self._password, wanted.sealed)
            if number is None:
                raise msgspec.ValidationError
            once = Once.read((message.headers or {}).get(HEADER))
            contact, reference = await self._dial(wanted, number, once.request if once else None)
            reply: dict[str, Any] = {"c": contact, "reference": reference}
        except msgspec.MsgspecError:
            reply = _BAD
        except DiademaError as error:
            reply = _refusal(error, 429 if isinstance(error, LimitReached) else 409)
        await message.respond(msgspec.json.encode(reply))

    async def _on_listen(self, message: Msg) -> None:
        try:
            await self._listen(msgspec.json.decode(message.data, type=Listen))
            reply: dict[str, Any] = {}
        except msgspec.MsgspecError:
            reply = _BAD
        except DiademaError as error:
            reply = _refusal(error, 409)
        await message.respond(msgspec.json.encode(reply))

    def report_at_once(self) -> None:
        """What has changed is not to wait."""
        self._at_once.set()

    async def _pause(self, seconds: float) -> None:
        """Until the next report, which is at once where something was missed."""
        try:
            async with asyncio.timeout(seconds):
                await self._at_once.wait()
        except TimeoutError:
            pass

    async def _on_fed(self, message: Msg) -> None:
        fed = _decode_fed(message.data)
        if self._number < 0:
            self._early = [*self._early[1 - _WAITING :], fed]
        else:
            self._take(fed)

    def _take(self, fed: Fed) -> None:
        if fed.number <= self._number:
            return  # the floor had it
        if fed.number != self._number + 1:
            self._number, self._early = -1, [fed]
            self._at_once.set()
            return
        self._number = fed.number
        for event in fed.events:
            self._heard(msgspec.json.decode(event))

    async def _ask(self, subject: str, body: Any) -> dict[str, Any]:
        if self._client is None:
            raise HubAway(Sentence("errors.switch.no_hub"))
        try:
            reply = await self._client.request(subject, msgspec.json.encode(body), _ANSWER_S)
        except (NatsError, OSError, TimeoutError) as error:
            raise _away(error) from error
        answer: dict[str, Any] = msgspec.json.decode(reply.data, type=dict[str, Any])
        if "error" in answer:
            raise HubSaysNo(Sentence("errors.wire.hub_refuses", detail=answer.get("detail")))
        return answer

    async def _hang_up(self) -> None:
        client, self._client, self._number = self._client, None, -1
        self._early.clear()
        if client is not None:
            await self._lost()
            try:
                await client.close()
            except (NatsError, OSError) as error:
                log.debug("while hanging up: %r", error)


def _refusal(error: DiademaError, status: int) -> dict[str, Any]:
    reply: dict[str, Any] = {"error": "refused", "detail": str(error), "status": status}
    if isinstance(sentence := error.args[0], Sentence):
        reply["sentence"] = sentence.parts()
    return reply


async def _note(error: Exception) -> None:
    log.debug("nats: %r", error)


def _away(error: Exception) -> HubAway:
    return HubAway(Sentence("errors.wire.hub_does_not_answer_error", error=error))
