"""What a board's console says when no program of ours speaks: texts of the chip's ROM, of the boot
loader and of MicroPython, and what each means. The words are of the catalogue's area `trouble`,
`console.KIND`.
"""

from diadema.words import section

# ports/esp32/modules/inisetup.py · ROM · bootloader_support and esp_system of the ESP-IDF
TEXTS = {
    "no_files": ("filesystem appears to be corrupted",),
    "new_files": ("Performing initial setup",),
    "blank": ("invalid header: 0x", "flash read err"),
    "no_app": ("No bootable app partitions",),
    "no_table": ("load partition table error",),
    "download": ("waiting for download",),
    "brownout": ("Brownout detector was triggered",),
    "psram": ("PSRAM ID read error",),
    "panic": ("Guru Meditation Error",),
    "prompt": ('Type "help()" for more information',),
}
ENDLESS = ("no_files", "blank", "no_app", "no_table")  # said again and again: nothing starts
_LONGEST = max(len(text) for texts in TEXTS.values() for text in texts)


class Listener:
    """Hears one board's console, in pieces; `kind` is the last text that it knew."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self._tail = b""

    def hear(self, text: bytes) -> str | None:
        """The last kind in it that is another than before."""
        heard = self._tail + text
        self._tail = heard[-_LONGEST:]
        found = kind_of(heard)
        if found is None or found == self.kind:
            return None
        self.kind = found
        return found


def kind_of(text: bytes) -> str | None:
    """The last of the known texts in it."""
    places = [(text.rfind(one.encode()), kind) for kind, texts in TEXTS.items() for one in texts]
    at, kind = max(places)
    return kind if at >= 0 else None


def meaning(kind: str, language: str) -> str | None:
    """What it is and what to type; None for what is no text of a console."""
    return section("trouble", language).get(f"console.{kind}")
