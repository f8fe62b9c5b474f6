"""An update on its way into a slot that does not run: part by part from the wire to the flash,
checked before anything is erased and again before it counts. Loaded for that; safe mode has it
from the vfs, the program from its own slot.

A bundle is a line of JSON (board, version, length and sha256 of the program, micropython, made),
a line with its signature in base64 (RSA-3072, PKCS #1 v1.5, SHA-256), and the program: the slot's
file system. With `what` «micropython» (and chip, mpy) it is MicroPython of that version, an image
for the app partition that does not run; `interpreter.py` knows the two. While it comes, the
trailer's sector holds what makes it go on after a break:

    128   SHA-256 of the bundle, bytes of its two lines, parts, CRC-32 of the lines and of that
    256   the two lines
    3072  a byte for each sector, cleared when all of it is there
"""

import json
import struct
import sys
from binascii import a2b_base64, crc32, unhexlify
from hashlib import sha256

from micropython import const
from slots import NOTE_AT, SECTOR, TRIED, of_interpreter

PART = const(480)  # bytes of a part; the last one may be shorter
_LINES_LIMIT = const(2048)
_NOTE = const("<32sHHI")
_LINES_AT = const(256)
_DONE_AT = const(3072)
_TELL_EVERY = const(32)  # parts
_KEY_BYTES = const(384)  # 3072 bits
_EXPONENT = const(65537)
# DigestInfo of SHA-256, RFC 8017 §9.2
_DIGEST_INFO = const(
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
)
_KEY_FILE = "update.key"


class UpdateError(Exception):
    """`reason` is a word for the host, `detail` says more to a person."""

    def __init__(self, reason, detail=""):
        super().__init__("{}: {}".format(reason, detail))
        self.reason = reason
        self.detail = detail


def kept_key():
    """The modulus by which updates are known here, or None."""
    try:
        with open(_KEY_FILE) as file:
            key = a2b_base64(file.read())
    except (OSError, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None


def signed(key, message, signature):
    """True when the owner of `key` signed that."""
    if len(signature) != _KEY_BYTES:
        return False
    modulus, number = int.from_bytes(key, "big"), int.from_bytes(signature, "big")
    if number >= modulus:
        return False
    block = pow(number, _EXPONENT, modulus).to_bytes(_KEY_BYTES, "big")
    right = _DIGEST_INFO + sha256(message).digest()
    return block == b"\0\1" + b"\xff" * (_KEY_BYTES - 3 - len(right)) + b"\0" + right


class Intake:
    """`targets`: by what a manifest is of (None: a program) the slot that takes it, the sequence
    that it has to reach, and for MicroPython the chip's number; `key` is the modulus or None.
    """

    def __init__(self, targets, board, key):
        self._targets = targets
        self._board = board
        self._key = key
        self._digest = None  # of the bundle under way
        self.next = 1  # the part that is missing
        self.answered = None  # what was answered last, while nothing goes on
        self.manifest = {}

    def add(self, command):
        """Take a part. None, the next part when that should be told, or 0: all there and checked.

        Raises UpdateError.
        """
        part, parts, digest = command.get("part"), command.get("parts"), command.get("sha256")
        try:
            block = a2b_base64(command["data"])
            digest = unhexlify(digest)
            right = 0 < part <= parts <= 0xFFFF and len(digest) == 32
            right = right and (len(block) == PART if part < parts else 0 < len(block) <= PART)
        except (KeyError, ValueError, TypeError):
            right = False
        if not right:
            raise UpdateError("bad_command", "part, parts, sha256, data")
        try:
            return self._add(part, parts, digest, block, command.get("i"))
        except OSError as error:
            raise UpdateError("flash", str(error)) from None

    def _add(self, part, parts, digest, block, number):
        if (digest, parts) != (self._digest, self._parts if self._digest else 0):
            self._open(digest, parts)
        if part != self.next:
            answer = (number, self.next)
            if answer == self.answered:
                return None
            self.answered = answer
            return self._ahead()
        begun = self.manifest
        self._take(part, block)
        self.answered = None
        self.next = part + 1
        if part == parts:
            self._finish()
            return 0
        due = (self.manifest and not begun) or part % _TELL_EVERY == 0
        return self._ahead() if due else None

    def _open(self, digest, parts):
        """Another bundle: from its first part, or from where the flash has it."""
        self._digest, self._parts = digest, parts
        self.manifest = {}
        self._lines = b""
        self._at = 0  # of the program, what is on flash
        self._clear = 0  # up to where its sectors are erased
        self.next = 1
        self.answered = None
        for slot, _, _ in self._targets.values():
            self._slot = slot
            self._recall(digest, parts)
            if self.manifest:
                return

    def _recall(self, digest, parts):
        """Go on with what this slot has of it."""
        flash, last = self._slot.flash, self._slot.last
        note = self._slot.note()
        if not note or self._slot.has(TRIED):  # what failed here is not a piece of a new one
            return
        theirs, size, count, check = struct.unpack(_NOTE, note)
        if theirs != digest or count != parts or size > _LINES_LIMIT:
            return
        lines = bytearray(size)
        flash.readblocks(last, lines, _LINES_AT)
        if crc32(lines) != check:
            return
        self._lines = bytes(lines)
        self.manifest = self._check()
        done = bytearray(last)
        flash.readblocks(last, done, _DONE_AT)
        sector = 0
        while sector < last and done[sector] == 0:
            sector += 1
        self._at = min(sector * SECTOR, self.manifest["length"])
        self._clear = sector * SECTOR
        if self._at < self.manifest["length"]:
            flash.ioctl(6, sector)  # a piece of it may be there
        # all there, but for the head: the last part once more
        self.next = min((size + self._at) // PART + 1, parts)

    def _take(self, part, block):
        if self.manifest:
            begins = (part - 1) * PART - len(self._lines)
            self._write(memoryview(block)[max(self._at - begins, 0) :])
            return
        lines = self._lines + block
        first = lines.find(b"\n")
        second = lines.find(b"\n", first + 1) if first >= 0 else -1
        if second < 0:
            if len(lines) > _LINES_LIMIT or part == self._parts:
                raise UpdateError("bad_manifest", "two lines come first")
            self._lines = lines
            return
        self._lines = lines[: second + 1]
        manifest = self._check()
        self._begin()
        self.manifest = manifest
        self._write(memoryview(lines)[second + 1 :])

    def _check(self):
        """The manifest, when this station takes that program."""
        text, code, _ = self._lines.split(b"\n")
        if len(self._lines) > _LINES_LIMIT:
            raise UpdateError("bad_manifest", "too long")
        if not self._key:
            raise UpdateError("no_key", "the configuration brings it: update_key")
        try:
            signature = a2b_base64(code)
        except ValueError:
            signature = b""
        if not signed(self._key, text, signature):
            raise UpdateError("bad_signature", "not by the owner of our update_key")
        try:
            manifest = json.loads(text)
            board, version = manifest["board"], manifest["version"]
            length, made = manifest["length"], manifest["made"]
            wanted = [int(number) for number in manifest["micropython"].split(".")]
            right = len(unhexlify(manifest["sha256"])) == 32 and 0 < len(version.encode()) <= 16
            right = right and 0 < made <= 0xFFFFFFFF
            what = manifest.get("what")
            if what not in self._targets:
                raise UpdateError("no_slots", "nothing here takes that: %s" % what)
            self._slot, least, chip = self._targets[what]
            unfit = of_interpreter("unfit", manifest, chip) if what else None
        except (ValueError, KeyError, TypeError, AttributeError):
            right = False
        if not right:
            raise UpdateError("bad_manifest", "its keys")
        if board != self._board:
            raise UpdateError("wrong_board", "this one is " + self._board)
        if list(sys.implementation.version[:3]) < wanted:
            raise UpdateError("old_micropython", "it needs " + manifest["micropython"])
        if unfit:
            raise UpdateError(*unfit)
        if made < least:
            raise UpdateError("downgrade", "what runs here is as new")
        total = (len(self._lines) + length + PART - 1) // PART
        room = self._slot.last * SECTOR
        if not 0 < length <= room or length % 256 or total != self._parts:
            raise UpdateError("wrong_length", "%d bytes in %d parts" % (length, self._parts))
        return manifest

    def _ahead(self):
        """The part that is told now. What the host then sends finds its sectors erased: bytes of
        the cable get lost while the chip stands for one.
        """
        if self.manifest:
            parts = self.next + _TELL_EVERY - 1
            parts -= parts % _TELL_EVERY
            self._erase(min(parts * PART - len(self._lines), self.manifest["length"]))
        return self.next

    def _erase(self, end):
        while self._clear < end:
            self._slot.flash.ioctl(6, self._clear // SECTOR)
            self._clear += SECTOR

    def _begin(self):
        slot, lines = self._slot, self._lines
        slot.forget()
        slot.flash.writeblocks(slot.last, lines, _LINES_AT)
        note = struct.pack(_NOTE, self._digest, len(lines), self._parts, crc32(lines))
        slot.flash.writeblocks(slot.last, note + crc32(note).to_bytes(4, "little"), NOTE_AT)

    def _write(self, data):
        flash, last = self._slot.flash, self._slot.last
        length = self.manifest["length"]
        if self._at + len(data) > length:
            raise UpdateError("wrong_length", "more than %d bytes" % length)
        while data:
            sector, within = self._at // SECTOR, self._at % SECTOR
            self._erase(self._at + 1)
            piece = data[: SECTOR - within]
            flash.writeblocks(sector, piece, within)
            self._at += len(piece)
            data = data[len(piece) :]
            if self._at % SECTOR == 0 or self._at == length:
                flash.writeblocks(last, b"\0", _DONE_AT + sector)

    def _finish(self):
        """Everything as the flash has it now; then the trailer's head."""
        slot, manifest = self._slot, self.manifest
        length, digest = manifest["length"], unhexlify(manifest["sha256"])
        if self._at != length or self._check() != manifest:
            raise UpdateError("wrong_length", "%d of %d bytes" % (self._at, length))
        if body_hash(slot, length) != digest:
            slot.forget()
            self._digest = None
            raise UpdateError("bad_hash", "the program is not what was signed")
        board, version = manifest["board"].encode(), manifest["version"].encode()
        slot.seal(manifest["made"], length, digest, board, version)
        if "what" in manifest:
            try:
                slot.flash.set_boot()
            except OSError as error:
                slot.forget()
                self._digest = None
                raise UpdateError("bad_image", str(error)) from None
            slot.mark(TRIED)


def body_hash(slot, length):
    """SHA-256 of the slot's first bytes."""
    found = sha256()
    chunk = bytearray(1024)
    for at in range(0, length, len(chunk)):
        piece = memoryview(chunk)[: min(len(chunk), length - at)]
        slot.flash.readblocks(at // SECTOR, piece, at % SECTOR)
        found.update(piece)
    return found.digest()
