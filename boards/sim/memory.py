"""The simulated chip's two memories: Python's heap, and the internal RAM that radio, TLS and DMA
take theirs from. With PSRAM the first lies in it; without, it grows into the second and gives
nothing back.

Figures are of stock images in an emulated ESP32 that runs the real ESP-IDF and MicroPython (1.25
without PSRAM, 1.28 with 4 MB): bytes, KB = 1000. What they are of stands beside each. The S3's
were not measured: it has those of the ESP32, and 8 MB.

What Python holds in this VM of 64-bit words counts `RATIO` of it. The VM has the heap of a chip
with PSRAM; ballast takes what a chip without would not have.
"""

import gc

import wire

RATIO = 0.7  # 0.67-0.72 was measured
_OWN = 2_448  # what MicroPython holds at its prompt, gc.mem_alloc() there
# esp_heap_caps.h: MALLOC_CAP_…
_EXEC, _WORD, _BYTE, _DMA = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_SPIRAM, _INTERNAL, _DEFAULT = 1 << 10, 1 << 11, 1 << 12
_RAM = _INTERNAL | _BYTE | _WORD | _DMA | _DEFAULT

# free at the prompt, and the regions of which the largest blocks are known: 110 592, and 14 336
# when that is gone. The rest is one region here, without PSRAM two.
_FREE, _FREE_WITH_PSRAM = 143_484, 199_000
_BLOCK, _SMALL = 112_639, 14_400
# py/gc.c: the first area (MICROPY_GC_INITIAL_HEAP_SIZE of the port); each has 125/128 of its bytes
# for Python, as 56 000 of the first
_FIRST_AREA = 56 * 1024
_FULL = 0.95  # of the areas, when a new one is asked for: 100 KB fit two of them, 106 KB do not

_RADIO = 34_000  # network.WLAN(0), for good
_JOINED = 8_000  # active and joined
# a verified TLS connection, at its peak and after its handshake: 1.25 without PSRAM, 1.28 with it
# (its idf 136 303 and least 130 767 with Wi-Fi and one connection)
_TLS, _TLS_WITH_PSRAM = (30_000, 23_500), (26_233, 20_697)
_TLS_BUFFER = 16 * 1024 + 333  # CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN and a record's frame, one block
_STACK = 5 * 1024  # mpthreadport.h of the ESP32 port
_CERTIFICATE = 3_000  # a part of those, taken when an authority is read

# of a module, as far as MicroPython maps it (the ESP32 at most 4 MB of what is there)
_PSRAM = {"esp32:quad": 4 << 20, "esp32s3:quad": 8 << 20, "esp32s3:octal": 8 << 20}
# the stock image for each chip and its PSRAM: build name, and the PSRAM that it drives
_STOCK = {
    "esp32": ("ESP32_GENERIC", ""),
    "esp32:quad": ("ESP32_GENERIC-SPIRAM", "quad"),
    "esp32s3": ("ESP32_GENERIC_S3", "quad"),
    "esp32s3:quad": ("ESP32_GENERIC_S3", "quad"),
    "esp32s3:octal": ("ESP32_GENERIC_S3-SPIRAM_OCT", "octal"),
}
_OTHERS = (("ESP32_GENERIC-OTA", ""),)
_PIECE = 8 * 1024  # of the VM's bytes: ballast is not taken for less


def stock(chip, build):
    """What `otadata.look` would tell of the stock image `build`; "": of the right one."""
    number = 9 if chip.startswith("esp32s3") else 0
    known = dict(tuple(_STOCK.values()) + _OTHERS)
    build = build or _STOCK[chip][0]
    return number, "", build, known.get(build, "")


class _Region:
    """One of the ESP-IDF's heaps."""

    def __init__(self, has, free, total=None):
        self.has = has
        self.total = total or free  # those of the internal ones are not known
        self.free = self.least = free

    @property
    def largest(self):
        """As `multi_heap_get_info` has it: what TLSF's classes, 32 to a power of two, allow."""
        step, rest = 0, self.free >> 6
        while rest:
            step += 1
            rest >>= 1
        return self.free >> step << step

    def take(self, count):
        self.free -= count
        self.least = min(self.least, self.free)


class _Chip:
    """`psram`: bytes of it that the image that runs has found."""

    def __init__(self, psram):
        free = _FREE_WITH_PSRAM if psram else _FREE
        self.tls = _TLS_WITH_PSRAM if psram else _TLS
        # what comes in small pieces is taken from the small ones first
        small = (_SMALL,) if psram else (_SMALL, _SMALL)
        self.internal = [_Region(_RAM, free - _BLOCK - sum(small))]
        self.internal += [_Region(_RAM, size) for size in small] + [_Region(_RAM, _BLOCK)]
        self.psram = _Region(_SPIRAM | _BYTE | _WORD | _DEFAULT, psram) if psram else None
        self.areas = _FIRST_AREA  # bytes of the Python heap
        if self.psram:  # without, it lies in RAM that is counted as used already
            self.psram.take(_FIRST_AREA)
        self.board = 0  # of the VM's bytes, what the simulated board holds …
        self.ballast = []  # … and what stands for memory that the chip does not have
        self.weight = 0
        self.holes = 0  # between what the board holds: nothing of any size fits there

    def regions(self):
        return self.internal + ([self.psram] if self.psram else [])

    # ------------------------------------------------------------------ Python's

    @property
    def room(self):
        return self.areas * 125 // 128

    def held(self):
        """By Python, in the chip's bytes."""
        return _OWN + int((gc.mem_alloc() - self.board - self.weight) * RATIO)

    def next_area(self):
        """The largest block that a new area can be made of, `gc_get_max_new_split`."""
        return max(region.largest for region in self.regions())

    def grow(self):
        """`gc_try_add_heap`: areas that are too small double, and take the whole largest block
        when that is less. Where nothing is collected by itself, what nobody needs counts, too.
        """
        if gc.isenabled():
            gc.collect()
        while self.held() > self.room * _FULL and self.next_area() > 2048:
            region = max(self.regions(), key=lambda region: region.largest)
            # what there is, but for the heads of the areas
            count = min(region.largest, self.areas - 16)
            region.take(count)
            self.areas += count
        if not self.psram:
            self._settle()

    def _settle(self):
        """Ballast for what the chip's heap cannot become."""
        wanted = int(self.left() / RATIO)
        excess = gc.mem_free() - self.holes - wanted
        if excess > _PIECE:
            try:
                self.ballast.append(bytearray(excess - _PIECE // 2))
                self.weight += (len(self.ballast[-1]) + 63) // 32 * 32  # with its head
            except MemoryError:
                pass  # scattered: it has a little more
        elif excess < -_PIECE and self.ballast:
            self.weight -= (len(self.ballast.pop()) + 63) // 32 * 32
            gc.collect()

    def left(self):
        """What Python can still get."""
        return max(self.room - self.held(), 0) + self.next_area()

    # ------------------------------------------------------------------ the ESP-IDF's

    def fits(self, count, piece=0):
        self.grow()
        free = sum(region.free for region in self.internal)
        return count <= free and piece <= max(region.largest for region in self.internal)

    def take(self, count, piece=0):
        """In small pieces but one; what gives it back, None when it does not fit."""
        if not self.fits(count, piece):
            return None
        taken = []
        for region in self.internal:
            if piece and region.largest >= piece:
                region.take(piece)
                taken.append((region, piece))
                count -= piece
                break
        for region in self.internal:
            share = min(count, region.free)
            region.take(share)
            taken.append((region, share))
            count -= share
        self.grow()
        return taken


_chip = _Chip(0)
_radio = _joined = _squeezed = None  # what they took


def configure(chip, drives, there):
    """`chip`: with its PSRAM, as `chips.rules` takes it; `drives`: the PSRAM that the image which
    runs has a driver for; `there`: False where the chip's does not answer.
    """
    global _chip
    _chip = _Chip(_PSRAM[chip] if there and drives and chip.partition(":")[2] == drives else 0)


def begin():
    """The program comes: what is held now is the simulated board's own."""
    gc.collect()
    _chip.board = gc.mem_alloc()
    if not _chip.psram:
        _chip.holes = gc.mem_free() - _largest_piece(gc.mem_free())
    _chip.grow()


def _largest_piece(most):
    """That the VM can give, to the KB."""
    least = 0
    while most - least > 1024:
        middle = (least + most) // 2
        try:
            bytearray(middle)
            least = middle
        except MemoryError:
            most = middle
        gc.collect()
    return least


def regions(capabilities):
    """As `esp32.idf_heap_info`: (total, free, largest block, least free) of each that has them."""
    _chip.grow()
    return [
        (region.total, region.free, region.largest, region.least)
        for region in _chip.regions()
        if region.has & capabilities == capabilities
    ]


def left():
    """What Python can still get, `gc.mem_free()`: free in its areas, and the largest block."""
    _chip.grow()
    return _chip.left()


def held():
    """What Python has taken, `gc.mem_alloc()`."""
    return _chip.held()


def give(taken):
    for region, count in taken or ():
        region.free += count
    _chip.grow()


def radio():
    """It is made, once; False when it has no room."""
    global _radio
    _radio = _radio or _chip.take(_RADIO)
    return bool(_radio)


def joined(on):
    """It is switched on or off; False when it has no room."""
    global _joined
    if not on:
        _joined = give(_joined)
        return True
    _joined = _joined or _chip.take(_JOINED)
    return bool(_joined)


def squeeze(command):
    """The `squeeze` command leaves so many bytes of internal RAM `free`, or gives all back."""
    global _squeezed
    _squeezed = give(_squeezed)
    if "free" in command:
        free = sum(region.free for region in _chip.internal)
        _squeezed = _chip.take(free - command["free"])


wire.on("squeeze", squeeze)


def stack(count):
    """Of a thread: the port's 5 KB where none is asked for, in one block."""
    count = count or _STACK
    return _chip.take(count, count)


def dma(count):
    """Buffers of I2S: machine_i2s.c makes as many as its `ibuf` has room for."""
    return _chip.take(count)


def authority():
    """Whether a certificate can be read."""
    return _chip.fits(_CERTIFICATE)


def tls():
    """What a connection takes, to be given back; None when it does not come through its peak."""
    peak, rest = _chip.tls
    passing = _chip.take(peak, _TLS_BUFFER)
    if passing is None:
        return None
    give(passing)
    return _chip.take(rest, _TLS_BUFFER)
