"""The sound of the simulated board: WAV files play into microphone and line, what the headset and
the line-out carry is written into others, with the gains that the codec's registers say.

16 kHz, 16 bits. It is rendered up to the present before each register write and at each DMA
buffer of I2S, so a path opens and closes where the registers changed, to a millisecond. Nothing
sounds, and I2S stands still, until the world listens: runs that have no use for sound do not pay
for it.

Held to the microphone, the earphone is heard there too, 20 ms late. While I2S receives, its clocks
take the level of the line to the codec as bits, whatever drives it: pulses of a PWM are samples.
"""

import gc
from array import array

import micropython
from machine import mem32

_RATE = 16  # samples a ms
_DMA_MS = 16  # 256 frames, as the ESP32 port has it
_FRAME = 4  # bytes: left and right
_BUFFER = _DMA_MS * _RATE * _FRAME
_WIDER = 2  # of what comes in a sample takes 32 bits, whatever the program is given of it
_PIECE_MS = 20
_SPARE = 1 << 20  # bytes of the heap: more than …
_PIECES = 32  # … so many pieces leave; what is free is counted block by block
_SLOT = 32  # bits, of which a codec for 16 takes the first
_BITS = 1_024_000  # a second, while it receives: two slots
_SINKS = ("headset", "line_out")
# what carries MCLK: the ESP32's CLK_OUT1 at GPIO 0, the clock of I2S 0 chosen for it (TRM,
# IO_MUX); an ESP32-S3's signal 23 at any (TRM, GPIO matrix)
_PIN_CTRL, _GPIO0, _OUT_SEL = 0x3FF49000, 0x3FF49044, 0x60004554
_CLK_OUT1, _I2S0_MCLK = 1 << 12, 23 | 1 << 10


class Source:
    """A WAV file, heard from where it stands; silence after its end."""

    def __init__(self, file):
        self._file = file
        read_header(file)

    def read(self, samples):
        data = self._file.read(samples * 2)
        return array("h", data + b"\0" * (samples * 2 - len(data)))

    def close(self):
        self._file.close()


class Recording:
    """A WAV file that grows."""

    def __init__(self, file):
        self._file = file
        self._bytes = 0
        self._file.write(header(0))

    def write(self, samples):
        self._bytes += self._file.write(bytes(samples))

    def close(self):
        self._file.seek(0)
        self._file.write(header(self._bytes))
        self._file.close()


class Port:
    """One direction of I2S: `room` bytes of `ring` between the DMA and the program. A ring that is
    sent goes round from the beginning, full of silence: what the program writes comes after it. Of
    what comes in one buffer less than there are waits for the program, as the DMA fills one.
    """

    def __init__(self, audio, ring, room, sends):
        self._audio = audio
        self._ring = memoryview(ring)
        self._room = room
        self._most = room if sends else room - _BUFFER  # in whole buffers
        self._size = room if sends else 0
        self._part = 0  # of the DMA buffer that is being sent, bytes that went
        self._alarm = None
        self.lost = 0  # bytes of an overrun, or silence for want of data

    def start(self):
        """The DMA's interrupt, again and again while there is sound."""
        if self._alarm is None:
            self._alarm = self._audio.clock.alarm(self._audio.clock.now() + _DMA_MS, self._tick)

    def stop(self):
        if self._alarm is not None:
            self._audio.clock.cancel(self._alarm)
            self._alarm = None

    def _tick(self):
        self._alarm = None
        self.start()
        self._audio.catch_up()

    def waiting(self):
        """Bytes to be read, in whole DMA buffers."""
        return self._size // _BUFFER * _BUFFER

    def room(self):
        """Bytes that may be written, in buffers that were sent whole, but for one; none while
        nothing is clocked out.
        """
        free = min(self._room - self._size - self._part, self._room - _BUFFER)
        return max(free, 0) if self._audio.running else 0

    def put(self, data):
        """The program's, or the ADC's: what has no room are the oldest buffers."""
        over = (self._size + len(data)) // _BUFFER * _BUFFER - self._most
        if over > 0:
            self.lost += over
            self._drop(over)
        self._ring[self._size : self._size + len(data)] = data
        self._size += len(data)

    def take(self, count):
        self._part = (self._part + count) % _BUFFER
        count = min(count, self._size)
        data = bytes(self._ring[:count])
        self._drop(count)
        return data

    def _drop(self, count):
        self._ring[: self._size - count] = self._ring[count : self._size]
        self._size -= count


class Audio:
    """`codec` has `paths()` and `watch`; `clock`: now() in ms, alarm(due, function), cancel();
    `files`: open(name, mode).
    """

    def __init__(self, codec, clock):
        self._codec = codec
        self.clock = clock
        self.files = None
        self.mclk = None  # the GPIO that the board's copper joins the codec's MCLK with, if any
        self.fault = None  # any: I2S has no memory left for its buffers
        # wires that lead elsewhere: bit clock or frame clock, from the ADC, to the DAC
        self.unclocked = self.mute = self.deaf = False
        codec.watch = self.catch_up
        codec.clock = self.clocks
        self.running = False
        self._at = 0
        self._pieces = 0
        self._sources = {}
        self._sinks = {}
        self._held = 0  # how much of the earphone's sound the microphone takes up
        self._late = None  # of the headset, on its way there
        self._pulses = (0, 0)  # hertz, and for how much of 65536 they are high
        self._bit = 0  # where in a pulse the next one is
        self._receiver = self._sender = None
        self._ring = b""  # on the chip it is none of the program's memory

    # ------------------------------------------------------------------ the world

    def listen(self, command):
        """Sound from now on: `microphone` and `line` name files, if they are not silent; `held`:
        gain in dB from the earphone to the microphone, if it is held there.
        """
        self.hush()
        for name in ("microphone", "line"):
            if command.get(name):
                self._sources[name] = Source(self.files.open(command[name], "rb"))
        for name in _SINKS:
            self._sinks[name] = Recording(self.files.open("/" + name + ".wav", "wb"))
        held = command.get("held")
        self._held = 0 if held is None else 10 ** (held / 20)
        self._late = array("h", bytes(2 * _PIECE_MS * _RATE))
        self._at = self.clock.now()
        self.running = True
        for port in (self._receiver, self._sender):
            if port:
                port.start()

    def hush(self, command=None):
        """The end of it; the recordings are whole."""
        self.catch_up()
        self.running = False
        for port in (self._receiver, self._sender):
            if port:
                port.stop()
        for file in list(self._sources.values()) + list(self._sinks.values()):
            file.close()
        self._sources.clear()
        self._sinks.clear()

    # ------------------------------------------------------------------ I2S

    def receive(self, room):
        """Begin to take what the ADC sends. One direction at a time, as the pins are shared."""
        self.catch_up()
        self._receiver = self._begin(room // _WIDER, False)
        return self._receiver

    def transmit(self, room):
        self.catch_up()
        self._sender = self._begin(room, True)
        return self._sender

    def _begin(self, room, sends):
        if self.fault:
            raise OSError(0x101)  # ESP_ERR_NO_MEM
        if self._receiver or self._sender:
            raise OSError(0x103)  # ESP_ERR_INVALID_STATE: the pins are in use
        self._ring = bytearray(room)
        port = Port(self, self._ring, room, sends)
        if self.running:
            port.start()
        return port

    def clocks(self):
        """Whether MCLK, BCLK and LRCK run: while a port is open, and MCLK on its own pin."""
        if self.unclocked or not (self._receiver or self._sender):
            return False
        if self.mclk is None:
            return True
        if self.mclk == 0:
            return mem32[_GPIO0] & 0x7000 == _CLK_OUT1 and not mem32[_PIN_CTRL] & 0xF
        return mem32[_OUT_SEL + 4 * self.mclk] == _I2S0_MCLK

    def end(self, port):
        self.catch_up()
        port.stop()
        if port is self._receiver:
            self._receiver = None
        if port is self._sender:
            self._sender = None

    def pulse(self, hertz, duty):
        """A PWM drives the line to the codec, or (0, 0) no longer."""
        self.catch_up()
        self._pulses = (hertz, duty)

    # ------------------------------------------------------------------ rendering

    def catch_up(self):
        """Render up to now with the registers as they are."""
        if not self.running:
            return
        left = self.clock.now() - self._at
        if left > 0:
            self._at += left
            paths = self._codec.paths()
            while left > 0:
                piece = min(left, _PIECE_MS)
                self._render(piece * _RATE, paths)
                left -= piece
                self._pieces += 1
                if self._pieces % _PIECES == 0 and gc.mem_free() < _SPARE:
                    gc.collect()  # what rendering leaves is no chip's

    def _render(self, count, paths):
        heard = {name: source.read(count) for name, source in self._sources.items()}
        if self._sender:
            data = self._sender.take(count * _FRAME)
            missing = count * _FRAME - len(data)
            self._sender.lost += missing
            both = array("h", data + b"\0" * missing)
            if not (self.unclocked or self.deaf):
                heard["dac"] = right = array("h", bytes(2 * count))
                copy(right, 0, 1, both, 1, 2, count)
        elif self._receiver and self._pulses[1] and not self.unclocked:
            heard["dac"] = self._sampled(count)
        if self._held:
            heard["earphone"] = self._late[:count]
            near = {"earphone": self._held, "microphone": 1, "line": 0, "dac": 0}
            heard["microphone"] = mix(near, heard, count)
            del heard["earphone"]
        for name, sink in self._sinks.items():
            samples = mix(paths[name], heard, count)
            sink.write(samples)
            if name == "headset":
                self._late = self._late[count:] + samples
        if self._receiver:
            both = array("h", bytes(count * _FRAME))
            silent = self.unclocked or self.mute
            for side, name in enumerate(() if silent else ("adc_left", "adc_right")):
                copy(both, side, 2, mix(paths[name], heard, count), 0, 1, count)
            self._receiver.put(bytes(both))

    def _sampled(self, count):
        """What the codec's clocks make of the pulses, the right slot."""
        hertz, duty = self._pulses
        high = duty * _BITS >> 16
        bit = self._bit
        samples = array("h", bytes(2 * count))
        for at in range(count):
            bit = (bit + _SLOT * hertz) % _BITS  # the left slot
            word = 0
            for _ in range(16):
                word = word << 1 | (bit < high)
                bit = (bit + hertz) % _BITS
            bit = (bit + (_SLOT - 16) * hertz) % _BITS
            samples[at] = word - 65536 if word & 0x8000 else word
        self._bit = bit
        return samples


def mix(gains, heard, count):
    """Samples of `heard` {source: samples} with their gains {source: factor}, clipped."""
    mixed = array("h", bytes(2 * count))
    for source, samples in heard.items():
        factor = int(gains[source] * 4096 + 0.5)
        if factor:
            add(mixed, samples, factor, count)
    return mixed


# native code, as it is run for each sample


@micropython.viper
def add(mixed: ptr16, samples: ptr16, factor: int, count: int):  # noqa: F821
    """Add `samples` with `factor` / 4096 to `mixed`, clipped."""
    for at in range(count):
        sample = int(samples[at])
        if sample > 32767:
            sample -= 65536
        value = int(mixed[at])
        if value > 32767:
            value -= 65536
        value += sample * factor >> 12
        if value > 32767:
            value = 32767
        elif value < -32768:
            value = -32768
        mixed[at] = value


@micropython.viper
def copy(to: ptr16, put: int, apart: int, of: ptr16, take: int, step: int, count: int):  # noqa: F821
    """`count` samples from index `take` on, `step` apart, to index `put` on, `apart` apart."""
    for _ in range(count):
        to[put] = of[take]
        put += apart
        take += step


def header(size):
    """44 bytes of a WAV file with `size` bytes of samples: PCM, mono, 16 kHz, 16 bits."""
    out = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    out += b"\x01\x00\x01\x00" + (16000).to_bytes(4, "little") + (32000).to_bytes(4, "little")
    return out + b"\x02\x00\x10\x00data" + size.to_bytes(4, "little")


def read_header(file):
    """Leave the file where its samples begin. Raises ValueError for any other kind of sound."""
    if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":
        raise ValueError("no WAV file")
    while True:
        name = file.read(4)
        size = int.from_bytes(file.read(4), "little")
        if name == b"data":
            return
        if not name:
            raise ValueError("a WAV file without sound")
        body = file.read(size + size % 2)
        if name == b"fmt " and body[:16] != header(0)[20:36]:
            raise ValueError("16 kHz, 16 bits, mono is what plays here")
