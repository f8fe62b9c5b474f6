"""An MQTT 3.1.1 client over TLS: QoS 1 up, QoS 0 down, one write a packet, bounded memory.

`run` is one connection from its opening to its end, and always ends with a LinkError; who calls it
again waits in between. What was published and not confirmed is sent again first, in order, as DUP.
A name is looked up by the system's blocking call: give `run` the address.
"""

import asyncio
import ssl
from binascii import a2b_base64
from errno import ENOMEM

from lib import chip
from lib.errors import LinkError
from lib.timekeeping import wait
from micropython import const

WINDOW = const(16)  # messages on their way to the broker
_RX_LIMIT = const(1152)  # a message of 1024 bytes and its topic
_RX_CHUNK = const(256)
_KEEP_ALIVE_S = const(20)
_CLOSE_MS = const(1_000)
_CONNACK = const(0x20)
_PUBACK = const(0x40)
_SUBACK = const(0x90)
_PINGRESP = const(0xD0)
_PUBLISH = const(0x30)  # the low four bits are flags: DUP 8, QoS 1 2, retain 1
_CERT_VERIFY_FAILED = const(-0x2700)  # mbedtls/x509.h
_CONN_EOF = const(-0x7280)  # mbedtls/ssl.h


class Client:
    """`broker`: host, port, ca, user, password. only `on_message(payload)` is awaited."""

    def __init__(self, broker, name, topics, will, on_message, on_up, now, answer_ms=10_000):
        self._broker = broker
        self._name = name
        self._topics = topics
        self._will = will  # topic, payload
        self._on_message = on_message
        self._on_up = on_up
        self._now = now
        # the longest wait for CONNACK, PUBACK, PINGRESP, a write; and without a word of ours
        self._answer_ms = answer_ms
        self._flight = []  # [packet id, packet, u when sent], in order
        self._room = asyncio.Event()
        self._id = 0
        self._ended = asyncio.Event()
        self._error = None
        self._writer: "asyncio.StreamWriter | None" = None
        self.connected = False
        self.opened_ms = None  # TCP, TLS and the broker's first answer
        self.resent = 0

    # ------------------------------------------------------------------ up

    async def publish(self, topic, payload, retain=0):
        """Send with QoS 1; waits for room in the window. LinkError when there is no connection.

        What it took is delivered at least once, over whatever connections, while the power lasts.
        """
        while self.connected and len(self._flight) >= WINDOW:
            self._room.clear()
            await self._room.wait()
        if not self.connected:
            raise LinkError("no connection", "lost")
        number = self._next_id()
        packet = _packet(_PUBLISH | 2 | retain, _text(topic), _number(number), payload)
        self._flight.append([number, packet, self._now()])
        try:
            await self._send(packet)
        except (OSError, asyncio.TimeoutError) as error:
            self.end(error)

    def _next_id(self):
        while True:
            self._id = self._id % 65535 + 1
            if all(entry[0] != self._id for entry in self._flight):
                return self._id

    async def _send(self, packet):
        async with self._lock:
            writer = self._writer
            writer.write(packet)  # type: ignore[union-attr]
            if getattr(writer, "out_buf", True):  # MicroPython writes at once what it can
                await asyncio.wait_for_ms(writer.drain(), self._answer_ms)  # type: ignore[union-attr]
        self._sent_at = self._now()

    # ------------------------------------------------------------------ a connection

    async def run(self, address=None):
        """`address`: the broker's, whose certificate is checked by its name all the same."""
        self._writer = reader = None
        self._received = b""
        self._error = self._pinged = None
        self._ended = asyncio.Event()
        self._lock = asyncio.Lock()
        try:
            await asyncio.wait_for_ms(self._open(address), self._answer_ms)
            reader = asyncio.create_task(self._read())
            await self._resend()
            self.connected = True
            self._on_up()
            await self._keep()
        except (OSError, EOFError, ValueError, MemoryError, asyncio.TimeoutError) as error:
            raise _named(error) from None
        finally:
            self.connected = False
            self._room.set()
            if reader:
                reader.cancel()
            await self._close()

    async def _open(self, address):
        broker = self._broker
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
        for authority in _authorities(broker["ca"]):
            context.load_verify_locations(cadata=authority)
        since = self._now()
        self._reader, self._writer = await asyncio.open_connection(
            address or broker["host"], broker["port"], ssl=context,
            server_hostname=broker["host"],
        )  # fmt: skip
        body = _text("MQTT") + b"\x04\xee\x00" + bytes([_KEEP_ALIVE_S])  # clean, will, user
        for part in [self._name] + list(self._will) + [broker["user"], broker["password"]]:
            body += _text(part)
        await self._send(_packet(0x10, body))
        kind, answer = await self._receive()
        self.opened_ms = self._now() - since
        if kind != _CONNACK or len(answer) != 2:
            raise LinkError("no CONNACK", "protocol")
        if answer[1]:
            raise LinkError("refused with %d" % answer[1], "refused")
        body = _number(1)
        for topic in self._topics:
            body += _text(topic) + b"\x00"
        await self._send(_packet(0x82, body))
        kind, answer = await self._receive()
        if kind != _SUBACK or 0x80 in answer[2:]:
            raise LinkError("may not subscribe", "refused")

    async def _resend(self):
        for entry in list(self._flight):
            entry[1][0] |= 8
            entry[2] = self._now()
            self.resent += 1
            await self._send(entry[1])

    async def _keep(self):
        """Pings, and looks that answers come; raises what ended the connection."""
        ping_ms = self._answer_ms  # half the keep-alive
        while self._error is None:
            now = self._now()
            waiting = [entry[2] for entry in self._flight[:1]]
            if self._pinged is not None:
                waiting.append(self._pinged)
            elif now - self._sent_at >= ping_ms:
                self._pinged = now
                await self._send(b"\xc0\x00")
            due = self._sent_at + ping_ms if self._pinged is None else now + ping_ms
            for since in waiting:
                if now - since >= self._answer_ms:
                    raise LinkError("no answer from the broker", "no_answer")
                due = min(due, since + self._answer_ms)
            await wait(self._ended, max(due - now, 0))
        raise self._error

    async def _read(self):
        try:
            while True:
                first, body = await self._receive()
                start = 2 + (body[0] << 8 | body[1]) if len(body) > 2 else _RX_LIMIT
                if first & 0xF6 == _PUBLISH and start <= len(body):  # QoS 0, as we asked
                    await self._on_message(body[start:])
                else:
                    self._take(first, body)
        except Exception as error:
            self.end(error)

    def end(self, error):
        """The connection ends with it."""
        self._error = self._error or error
        self._ended.set()

    async def _receive(self):
        """(first byte, body) of the next packet."""
        first = (await self._take_in(1))[0]
        size = shift = 0
        while True:
            byte = (await self._take_in(1))[0]
            size |= (byte & 127) << shift
            shift += 7
            if size > _RX_LIMIT or shift > 28:
                raise LinkError("a packet is too long", "protocol")
            if byte < 128:
                return first, await self._take_in(size)

    async def _take_in(self, count):
        """So many bytes; whatever has come is read at once, as each wait is dear."""
        while len(self._received) < count:
            more = await self._reader.read(_RX_CHUNK)
            if not more:
                raise EOFError
            self._received += more
        found = self._received[:count]
        self._received = self._received[count:]
        return found

    def _take(self, first, body):
        if first == _PUBACK and len(body) == 2:
            number = body[0] << 8 | body[1]
            flight = self._flight
            if flight and flight[0][0] == number:
                flight.pop(0)
            else:
                self._flight = [entry for entry in flight if entry[0] != number]
            self._room.set()
        elif first == _PINGRESP:
            self._pinged = None
        else:
            raise LinkError("packet %02x out of place" % first, "protocol")

    async def _close(self):
        if self._writer:
            try:
                self._writer.close()
                await asyncio.wait_for_ms(self._writer.wait_closed(), _CLOSE_MS)
            except (OSError, asyncio.TimeoutError):
                pass  # it is gone anyway


def _named(error):
    if isinstance(error, EOFError):
        return LinkError("the broker closed", "lost")
    if isinstance(error, asyncio.TimeoutError):
        return LinkError("no answer from the broker", "no_answer")
    text = str(error)
    wrong = _CERT_VERIFY_FAILED in error.args or "CERT" in text.upper()
    if (
        isinstance(error, MemoryError)
        or ENOMEM in error.args[:1]
        or "ALLOC_FAILED" in text
        or (wrong and chip.scarce())  # an authority that cannot be read is «invalid cert», too
    ):
        return LinkError("no memory for TLS: " + text, "no_memory")
    if wrong:
        return LinkError(text, "certificate")
    number = error.args[0] if error.args else 0
    if number == _CONN_EOF:
        return LinkError("the broker closed", "lost")
    # mbedTLS's numbers are large and negative, its text and CPython's name it
    tls = "SSL" in text or (isinstance(number, int) and number < -255)
    return LinkError(text, "tls" if tls else "no_answer")


def _authorities(text):
    """The DER certificates that stand one behind the other: two while the authority is changed."""
    data = a2b_base64(text)
    while data:
        size = 4 + int.from_bytes(data[2:4], "big")  # of a sequence of 256 bytes or more
        yield data[:size]
        data = data[size:]


def _number(value):
    return bytes([value >> 8, value & 255])


def _text(value):
    data = value.encode()
    return _number(len(data)) + data


def _packet(first, *parts):
    """A bytearray, so that DUP can be set in it later."""
    size = sum(len(part) for part in parts)
    head = [first]
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytearray(b"".join((bytes(head),) + parts))
