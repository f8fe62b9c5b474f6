"""`tls` of the simulated board: the interpreter's own, watched for exchanges that are still open.

The network runs on real time. So that a fast clock does not run away from it, each connect,
MQTT packet and ping that waits for its answer is known to `wire`, which keeps the clock standing.
The world is told what passes in clear, as an ear at the station's own end of the air.
"""

import io

import builtin
import manners
import memory
import network
import wire
from pins import stall

_own = builtin.tls
_select = builtin.select
CERT_NONE = _own.CERT_NONE
CERT_OPTIONAL = _own.CERT_OPTIONAL
CERT_REQUIRED = _own.CERT_REQUIRED
MBEDTLS_VERSION = _own.MBEDTLS_VERSION
PROTOCOL_TLS_CLIENT = _own.PROTOCOL_TLS_CLIENT
PROTOCOL_TLS_SERVER = _own.PROTOCOL_TLS_SERVER
PROTOCOL_DTLS_CLIENT = _own.PROTOCOL_DTLS_CLIENT
PROTOCOL_DTLS_SERVER = _own.PROTOCOL_DTLS_SERVER

# MQTT 3.1.1, §2.2.1: packet types that ask, and those that answer
_ASKS = (1, 8, 10, 12)  # CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ
_LONGEST = 2048  # bytes of a PUBLISH of ours, and to spare
_ANSWERS = (2, 4, 9, 11, 13)  # CONNACK, PUBACK, SUBACK, UNSUBACK, PINGRESP


class SSLContext:
    def __init__(self, protocol):
        self._context = _own.SSLContext(protocol)

    def __getattr__(self, name):
        return getattr(self._context, name)

    @property
    def verify_mode(self):
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._context.verify_mode = mode

    def load_verify_locations(self, *arguments, **options):
        if not memory.authority():
            raise ValueError("invalid cert")  # extmod/modtls_mbedtls.c, whatever mbedTLS said
        self._context.load_verify_locations(*arguments, **options)

    def wrap_socket(self, sock, **options):
        for one in list(_beginning):  # nobody has it any more: a collection would have found it
            one.release()
        taken = memory.tls()
        if taken is None:
            raise OSError(12)  # ENOMEM
        try:
            return Secure(self._context.wrap_socket(sock, **options), sock, taken)
        except Exception:
            memory.give(taken)
            raise


_beginning = []  # connections that their broker has not let in yet


class Secure(io.IOBase):
    """A TLS stream over `raw`; counts the MQTT packets that wait for an answer.

    When its air is gone it is silent for good: what is written is lost, and nothing comes.
    """

    def __init__(self, stream, raw, taken):
        self.stream = stream
        self.raw = raw
        self._taken = taken
        _beginning.append(self)
        self.setblocking = stream.setblocking
        self._out = _Packets(self._requested)
        self._in = _Packets(self._answered)
        self._poll = _select.poll()
        self._poll.register(raw, _select.POLLIN)
        self._asking = _select.POLLIN
        self._more = False  # the last read was full: the TLS layer may hold more
        self.silent = False
        network.on_cut(self._cut)
        self._shaken = False  # the handshake is over
        self._on = False  # the broker has let us in
        self._open = 1  # the handshake, until the broker's CONNACK
        wire.exchange(1)
        if not network.passing():
            self._cut()

    def _requested(self, first, body):
        kind = first >> 4
        if kind == 3:
            _tell("U", first, body)
        if kind == 1:  # CONNECT goes on with what the handshake opened
            return
        if kind in _ASKS or (kind == 3 and first & 0x06):  # PUBLISH with QoS 1 or 2
            self._open += 1
            wire.exchange(1)

    def _answered(self, first, body):
        kind = first >> 4
        if kind == 2:
            self._set_on(True)
            if self in _beginning:
                _beginning.remove(self)
        elif kind == 3:
            _tell("D", first, body)
        if kind in _ANSWERS and self._open:
            self._open -= 1
            wire.exchange(-1)

    def happened(self, events):
        """Which of `events` are ready now. The interpreter's own poll would sleep over that."""
        if self.silent:
            return events & _select.POLLOUT if self._shaken else 0
        found = 0
        if not self._on:  # in a handshake only the TLS layer knows for what it waits
            one = _select.poll()
            one.register(self.stream, events)
            for _, what in one.ipoll(0):
                found |= what
            return found
        if self._asking != events:
            self._asking = events
            self._poll.modify(self.raw, events)
        for _, what in self._poll.ipoll(0):
            found |= what
        return found | (events & _select.POLLIN if self._more else 0)

    def _cut(self):
        self.silent = True
        wire.exchange(-self._open)
        self._open = 0
        self._set_on(False)

    def _set_on(self, on):
        if self._on != on:
            self._on = on
            wire.say("A %d" % on)

    def read(self, *count):
        if self.silent:
            return None
        data = self.stream.read(*count)
        self._more = bool(data) and (not count or len(data) == count[0])
        if data:
            self._in.feed(memoryview(data))
        return data

    def readinto(self, buffer, *count):
        if self.silent:
            return None
        got = self.stream.readinto(buffer, *count)
        self._more = bool(got)
        if got:
            self._in.feed(memoryview(buffer)[:got])
        return got

    def readline(self):
        if self.silent:
            return None
        data = self.stream.readline()
        self._more = bool(data)
        if data:
            self._in.feed(memoryview(data))
        return data

    def write(self, data, *count):
        if self.silent:
            return len(data) if self._shaken else None
        sent = self._shake(data, *count) if not self._shaken else self.stream.write(data, *count)
        if sent:
            self._out.feed(memoryview(data)[:sent])
        return sent

    def _shake(self, data, *count):
        """A handshake goes on in writes. Of its calls, which stop the whole chip, the last one
        stands here for all; one that is refused has taken as long.
        """
        try:
            sent = self.stream.write(data, *count)
        except (OSError, ValueError):
            stall(manners.handshake_ms)
            raise
        if sent:
            self._shaken = True
            stall(manners.handshake_ms)
        return sent

    def close(self):
        network.off_cut(self._cut)
        self._cut()
        self.release()
        self.stream.close()

    def release(self):
        """What it has of the chip's memory."""
        if self in _beginning:
            _beginning.remove(self)
        memory.give(self._taken)
        self._taken = None


def _tell(way, first, body):
    """The world hears the payload of a PUBLISH."""
    if body is None:
        return
    start = 2 + (body[0] << 8 | body[1])
    if first & 0x06:  # a packet identifier
        start += 2
    wire.say(way, memoryview(body)[start:])


class _Packets:
    """Finds the packets of one direction in whatever pieces its bytes come.

    Only what the world is told is kept, once: the heap is the firmware's, and may be full.
    """

    def __init__(self, found):
        self._found = found
        self._left = -1  # bytes still to come of the present packet's body; -1: in its header
        self._first = None
        self._body = None

    def feed(self, data):
        at = 0
        while at < len(data):
            if self._left > 0:
                step = min(self._left, len(data) - at)
                if self._body is not None:
                    filled = self._length - self._left
                    self._body[filled : filled + step] = data[at : at + step]
                self._left -= step
                at += step
            elif self._first is None:
                self._first = data[at]
                self._length = self._shift = 0
                at += 1
            else:  # remaining length, §2.2.3
                byte = data[at]
                at += 1
                self._length |= (byte & 127) << self._shift
                self._shift += 7
                if not byte & 128:
                    self._left = self._length
                    wanted = self._first >> 4 == 3 and self._length <= _LONGEST
                    self._body = bytearray(self._length) if wanted else None
            if not self._left:
                first, self._first, self._left = self._first, None, -1
                body, self._body = self._body, None
                self._found(first, body)
