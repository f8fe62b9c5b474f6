"""A place on a NiceGUI page that one of our own ES modules fills: `mount(root, options)`."""

from pathlib import Path
from typing import Any

from nicegui import ui

from diadema.web.assets import STATIC


class ModuleElement(ui.element, component=Path(STATIC / "module_element.js")):
    """The thin Vue wrapper of a module under /static."""

    def __init__(self, module: str, options: dict[str, Any]) -> None:
        super().__init__()
        self._props["module"] = f"/static/{module}"
        self._props["options"] = options
