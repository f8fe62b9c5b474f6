"""One chip on a cable, behind esptool: what it is, and reading, checking and writing its flash."""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import esptool
import serial
from esptool.logger import log
from esptool.util import FatalError, flash_size_bytes

from diadema.base.errors import FlashError
from diadema.gateway.serial_port import hint, why
from diadema.words import Sentence

BAUD = 921_600
_ATTEMPTS = 5
_BY_HAND = Sentence("errors.stations.by_hand")  # of any board
_LINE_TROUBLE = (FatalError, serial.SerialException, OSError, ValueError)
_S_PER_MB = 60.0  # a worn flash erases slowly
_LEAST_S = 5.0

type Progress = Callable[[int], None]  # bytes more


@dataclass(frozen=True)
class Found:
    """`psram` as its eFuses tell it; one beside the chip does not show, and it is empty."""

    port: str
    chip: str
    flash_bytes: int
    mac: str
    psram: str

    @property
    def station(self) -> str:
        return "DIA-" + self.mac.replace(":", "")


class Chip:
    """An esptool stub that runs. Every method raises FlashError when the line breaks."""

    def __init__(self, esp: Any, found: Found) -> None:
        self._esp = esp
        self.found = found

    def md5(self, offset: int, size: int) -> str:
        with _line(self.found.port):
            return str(self._esp.flash_md5sum(offset, size))

    def read(self, offset: int, size: int, progress: Progress = lambda _: None) -> bytes:
        done = 0

        def on(at: int, _total: int, _offset: int) -> None:
            nonlocal done
            progress(at - done)
            done = at

        with _line(self.found.port):
            return bytes(self._esp.read_flash(offset, size, on))

    def write(self, offset: int, data: bytes) -> int:
        """Writes whole sectors; what stood there is erased. Gives the bytes that went over the
        line.
        """
        packed = _packed(data)
        longest_s = _LEAST_S + _S_PER_MB * len(data) / 0x100000
        with _line(self.found.port):
            self._esp.flash_defl_begin(len(data), len(packed), offset)
            size = self._esp.FLASH_WRITE_SIZE
            for number, at in enumerate(range(0, len(packed), size)):
                self._esp.flash_defl_block(packed[at : at + size], number, timeout=longest_s)
            self._esp.flash_defl_finish(reboot=False, timeout=longest_s)
        return len(packed)

    def erase(self, offset: int, size: int) -> None:
        with _line(self.found.port):
            self._esp.erase_region(offset, size)

    def start(self) -> None:
        """Let the program run."""
        with _line(self.found.port):
            self._esp.hard_reset()


@lru_cache(maxsize=128)  # ten boards get the same
def _packed(data: bytes) -> bytes:
    return zlib.compress(data, 9)


@contextlib.contextmanager
def connected(
    port: str, baud: int = BAUD, attempts: int = _ATTEMPTS, by_hand: Sentence | None = None
) -> Iterator[Chip]:
    """The chip at that port, its stub running; `by_hand`: what a person can do that its boot
    loader answers. Raises FlashError.
    """
    log.set_verbosity("silent")
    line = _opened(port)
    try:
        try:
            esp = esptool.cmds.detect_chip(line, connect_attempts=attempts)
        except _LINE_TROUBLE as error:
            raise FlashError(
                Sentence(
                    "errors.stations.no_chip_answers_hand_value",
                    value=by_hand or _BY_HAND,
                    short=_short(error),
                )
            ) from error
        with _line(port):
            chip = _ready(esp, port)
            if baud != esp.ESP_ROM_BAUD:
                chip._esp.change_baud(baud)
        yield chip
    finally:
        with contextlib.suppress(OSError, serial.SerialException):
            line.close()


def _ready(esp: Any, port: str) -> Chip:
    psram = next((one for one in esp.get_chip_features() if "PSRAM" in one), "")
    mac = ":".join(f"{byte:02x}" for byte in esp.read_mac("BASE_MAC"))
    name = str(esp.CHIP_NAME).lower().replace("-", "")
    stub = esptool.cmds.run_stub(esp)
    esptool.cmds.attach_flash(stub)
    size = esptool.cmds.detect_flash_size(stub)
    if size is None:
        raise FlashError(Sentence("errors.stations.its_flash_does_not_say"))
    stub.flash_set_parameters(flash_size_bytes(size))
    return Chip(stub, Found(port, name, flash_size_bytes(size), mac, psram))


def _opened(port: str) -> serial.Serial:
    try:
        return serial.serial_for_url(port, baudrate=115_200, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise FlashError(
                Sentence(
                    "errors.stations.cannot_opened_why_hint", why=why(error), hint=hint(error)
                )
            ) from error
        raise FlashError(Sentence("errors.stations.no_port_error", error=error)) from error


@contextlib.contextmanager
def _line(port: str) -> Iterator[None]:
    try:
        yield
    except _LINE_TROUBLE as error:
        raise FlashError(
            Sentence("errors.stations.board_stopped_answering_short_plug", short=_short(error))
        ) from error


def _short(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
