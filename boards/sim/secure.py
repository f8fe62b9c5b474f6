"""`tls` of the simulated board: the interpreter's own, watched for exchanges that are still open.

The network runs on real time. So that a fast clock does not run away from it, each connect,
MQTT packet and ping that waits for its answer is known to `wire`, which keeps the clock standing.
"""

import io

import builtin
import wire

_own = builtin.tls
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

    def wrap_socket(self, sock, **options):
        return Secure(self._context.wrap_socket(sock, **options), sock)


class Secure(io.IOBase):
    """A TLS stream over `raw`; counts the MQTT packets that wait for an answer."""

    def __init__(self, stream, raw):
        self.stream = stream
        self.raw = raw
        self.setblocking = stream.setblocking
        self._out = _Packets(self._asked)
        self._in = _Packets(self._answered)
        self._open = 1  # the handshake, until the broker's CONNACK
        wire.exchange(1)

    def _asked(self, first):
        kind = first >> 4
        if kind == 1:  # CONNECT goes on with what the handshake opened
            return
        if kind in _ASKS or (kind == 3 and first & 0x06):  # PUBLISH with QoS 1 or 2
            self._open += 1
            wire.exchange(1)

    def _answered(self, first):
        if first >> 4 in _ANSWERS and self._open:
            self._open -= 1
            wire.exchange(-1)

    def read(self, *count):
        data = self.stream.read(*count)
        if data:
            self._in.feed(data)
        return data

    def readinto(self, buffer, *count):
        got = self.stream.readinto(buffer, *count)
        if got:
            self._in.feed(bytes(buffer[:got]))
        return got

    def readline(self):
        data = self.stream.readline()
        if data:
            self._in.feed(data)
        return data

    def write(self, data, *count):
        sent = self.stream.write(data, *count)
        if sent:
            self._out.feed(bytes(data[:sent]))
        return sent

    def close(self):
        wire.exchange(-self._open)
        self._open = 0
        self.stream.close()


class _Packets:
    """Finds the packets of one direction in whatever pieces its bytes come."""

    def __init__(self, found):
        self._found = found
        self._left = 0  # bytes of the present packet's body
        self._first = None
        self._shift = 0

    def feed(self, data):
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
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
                    self._found(self._first)
                    self._first = None
                    self._left = self._length
