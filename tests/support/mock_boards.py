"""Boards that answer esptool: ROM loader and stub of `esp32-mock-bootloader`, each board with its
own MAC address, flash and cable, behind a TCP port or a pty.
"""

import contextlib
import socket
import struct
import threading
import zlib

from esp32_mock_bootloader import protocol, registers, server

SECTOR = 4096
_here = threading.local()  # whose session the thread serves
FLASH_ID = {2: 0x154020, 4: 0x164020, 8: 0x174020, 16: 0x184020}  # by megabytes: JEDEC


class _Session(server.ChipSession):
    """Of one connection: what differs from board to board."""

    def __init__(self, chip_mode: str) -> None:
        super().__init__(chip_mode)
        board = _here.board
        self.registers.update(registers._mac_registers(board.chip, board.mac))
        plain, flash_id = self.spi.read_reg, FLASH_ID[board.flash_mb]

        def read_reg(addr: int) -> int:
            value = plain(addr)
            return flash_id if value == protocol.MOCK_FLASH_ID else value

        self.spi.read_reg = read_reg


server.ChipSession = _Session
# a busy machine would end its stream of a flash that is read: the reader takes one byte a time
server._CLIENT_RECV_TIMEOUT = 20.0


class Flash(server.FlashImage):
    """Counts what came over the cable; `pull_after` so many bytes of it the cable is gone, or at
    the flash's address `pull_at`, in the middle of its sector.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.data = bytearray(b"\xff" * size)
        self.came = 0
        self.pull_after: int | None = None
        self.pull_at: int | None = None
        self.spoil: int | None = None  # an offset where a bit is stuck

    def write_defl_block(self, payload: bytes) -> None:
        length = struct.unpack_from("<I", payload)[0]
        self.came += length
        if self.pull_after is not None and self.came > self.pull_after:
            raise ConnectionAbortedError("pulled")
        plain = self._decompressor.decompress(payload[16 : 16 + length])
        at, pull = self._defl_offset, self.pull_at
        if pull is not None and at <= pull < at + len(plain):
            left = -pull % SECTOR or SECTOR
            self.data[at : pull + left] = plain[: pull - at] + b"\xff" * left
            raise ConnectionAbortedError("pulled")
        self.data[self._defl_offset : self._defl_offset + len(plain)] = plain
        self._defl_offset += len(plain)
        if self.spoil is not None:
            self.data[self.spoil] = 0


class Board:
    """Plugged in while the context lasts; `port` names it for esptool."""

    def __init__(self, number: int, chip: str = "esp32", flash_mb: int = 4, pty: bool = False):
        self.chip, self.flash_mb = chip, flash_mb
        self.mac = (0x24, 0x0A, 0xC4, 0, 0, number)
        self.flash = Flash(flash_mb << 20)
        self._pty = pty
        self._stop = threading.Event()

    @property
    def station(self) -> str:
        return "DIA-" + bytes(self.mac).hex()

    def __enter__(self) -> "Board":
        if self._pty:
            self._line = server.PtyMasterTransport.create()
            self._line.set_timeout(1.0)
            self._line.set_timeout = lambda _: None  # nothing tells it that the other end is gone
            self.port = self._line.client_path
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self._listener.settimeout(0.05)
            self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        (self._line if self._pty else self._listener).close()

    def _serve(self) -> None:
        _here.board = self
        while not self._stop.is_set():
            if self._pty:
                connection = server.BootloaderConnection(pty=self._line)
            else:
                try:
                    peer, _ = self._listener.accept()
                except TimeoutError:
                    continue
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = server.BootloaderConnection(sock=peer)
            with contextlib.suppress(ConnectionAbortedError, zlib.error):
                server.handle_client(
                    connection, self._stop, self.chip, exit_on_disconnect=True, flash=self.flash
                )
