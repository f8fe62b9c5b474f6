"""The agent's page of the manual: the site that its pictures are taken at, and the pictures.

`DIADEMA_PICTURES=write` takes what the screens show now into `.pictures/agent/`; look at each.
"""

import json
import os
from pathlib import Path

from diadema.site.description import Site, parse
from diadema_sim import people
from PIL import Image

from tests.support import pictures

PICTURES = Path(__file__).resolve().parents[2] / ".pictures" / "agent"
SCALE, BORDER = 3, 6
LIT, DARK = (190, 226, 255), (10, 13, 18)


def site(station: str, selftest: bool = False) -> Site:
    """Of a bank in Lima, where every login asks for the PIN. With `selftest` the first one
    of a shift tries the station, and asks about two tools.
    """
    content = people.site(
        people.desks(2), name="Muestra", zone="America/Lima", tree=people.LIMA_TREE, pins=True
    )
    content["selftest"] = selftest
    if selftest:
        campaign = content["campaigns"][0]["code"]
        content["tools"] = [
            {"campaign": campaign, "code": code, "label": label}
            for code, label in (("crm", "CRM abre"), ("vpn", "VPN conectada"))
        ]
    content["stations"][0]["id"] = station
    return parse(json.dumps(content).encode())


def compare(name: str, ram: bytes) -> None:
    """Raises AssertionError unless a screen's RAM is the picture of that name."""
    if any(ram[127::128]):  # the firmware moves its picture by a column now and then
        ram = ram[1:] + b"\0"
    path = PICTURES / f"{name}.png"
    if os.environ.get("DIADEMA_PICTURES") == "write":
        PICTURES.mkdir(parents=True, exist_ok=True)
        _draw(ram).save(path, optimize=True)
    wanted = Image.open(path).convert("RGB").tobytes() if path.exists() else b""
    if wanted != _draw(ram).convert("RGB").tobytes():
        raise AssertionError(
            f"the screen is not as in {path.name}; it shows now:\n{pictures.as_text(ram)}"
        )


def _draw(ram: bytes) -> Image.Image:
    """128×64 dots in a dark frame."""
    lit = Image.new("1", (128, 64))
    lit.putdata([ram[y // 8 * 128 + x] >> y % 8 & 1 for y in range(64) for x in range(128)])
    lit = lit.resize((128 * SCALE, 64 * SCALE), Image.Resampling.NEAREST)
    image = Image.new("P", (lit.width + 2 * BORDER, lit.height + 2 * BORDER))
    image.putpalette((*DARK, *LIT))
    image.paste(1, (BORDER, BORDER), lit)
    return image
