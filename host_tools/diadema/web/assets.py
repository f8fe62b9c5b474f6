"""The browser's files: our own modules and styles, and the type face that NiceGUI's wheel carries.

`wire.js` is made from `wire/`: the lists and limits that browsers have in common with the hub.

Nothing comes from outside. `build` changes with any of them, so that a wall left open for months
takes the new ones after an update.
"""

import hashlib
import json
import re
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from diadema.wire import actions, agent_states, live_rows
from diadema.wire.events import assistance

STATIC = Path(__file__).parent / "static"
_LATIN = re.compile(
    r'@font-face \{\s*font-family: "Roboto";[^}]*?font-weight: 400;[^}]*?'
    r"url\(fonts/(?P<file>\w+\.woff2)\)[^}]*?unicode-range: U\+0000-00FF[^}]*?\}"
)

_NO_CACHE = {"cache-control": "no-cache"}
_IMPORT = re.compile(
    r'^(?:import|export) (?:[^;]*? from )?"\./([\w.]+)";', re.MULTILINE | re.DOTALL
)


_WIRE = {
    "STATES": agent_states.SHOWN,
    "LOGGED_OUT": agent_states.LOGGED_OUT,
    "NOTE_KINDS": actions.NOTE_KINDS,
    "GAPS": actions.GAPS,
    "REPRIMAND": actions.REPRIMAND,
    "PRESS_ANSWERS": actions.PRESS_ANSWERS,
    "MESSAGE_CHARACTERS": actions.MESSAGE_CHARACTERS,
    "NOTE_CHARACTERS": actions.NOTE_CHARACTERS,
    "REASON_CHARACTERS": actions.REASON_CHARACTERS,
    "SEVERITIES": assistance.SEVERITIES,
    "TITLE_CHARACTERS": actions.TITLE_CHARACTERS,
    "TEXT_CHARACTERS": actions.TEXT_CHARACTERS,
    "CAUSE_CHARACTERS": actions.CAUSE_CHARACTERS,
    "NUMBER_CHARACTERS": actions.NUMBER_CHARACTERS,
    "SILENT_S": live_rows.SILENT_S,
}
WIRE_JS = "".join(f"export const {name} = {json.dumps(what)};\n" for name, what in _WIRE.items())


class _Checked(StaticFiles):
    """Static files that a browser asks about each time (by ETag), so that none is ever stale."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_NO_CACHE)
        return response


def build() -> str:
    """A short name for exactly these files and words."""
    digest = hashlib.sha256(WIRE_JS.encode())
    for folder in (STATIC, STATIC.parent.parent / "words"):
        for path in sorted(folder.rglob("*.*")):
            if path.suffix in {".js", ".css", ".svg", ".json"}:
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def modules_of(name: str) -> list[str]:
    """A module and all that it needs, each once: what a page may ask for at once, where a browser
    would find one only after another.
    """
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = None
            waiting += _IMPORT.findall(source_of(one))
    return [*found]


def source_of(module: str) -> str:
    return WIRE_JS if module == "wire.js" else (STATIC / module).read_text("utf-8")


def serve(app: FastAPI) -> None:
    """Put the files under /static."""
    fonts = _nicegui_static() / "fonts"

    @app.get("/static/fonts.css", include_in_schema=False)
    def fonts_css() -> PlainTextResponse:
        return PlainTextResponse(font_face(), media_type="text/css", headers=_NO_CACHE)

    @app.get("/static/wire.js", include_in_schema=False)
    def wire_js() -> PlainTextResponse:
        return PlainTextResponse(WIRE_JS, media_type="text/javascript", headers=_NO_CACHE)

    if fonts.is_dir():
        app.mount("/static/fonts", StaticFiles(directory=fonts))
    app.mount("/static", _Checked(directory=STATIC))


def font_face() -> str:
    """Roboto's Latin file, all weights in one; empty if the wheel has changed its files."""
    sheet = _nicegui_static() / "fonts.css"
    found = _LATIN.search(sheet.read_text("utf-8")) if sheet.is_file() else None
    if found is None:
        return ""
    return (
        '@font-face{font-family:"Roboto";font-weight:100 900;font-display:swap;'
        f'src:url(/static/fonts/{found["file"]}) format("woff2")}}\n'
    )


def _nicegui_static() -> Path:
    spec = find_spec("nicegui")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "static"
