"""Puts into the wheel, as `diadema/tree/`, what a checkout has beside the package: the stations'
program, boards, pages. An editable install reads them where they lie.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TREE = (
    "README.md", "host_tools/README.md", ".pictures/**/*.png", "boards/**/*.*", "firmware/**/*.*",
    "hardware/*.*",
)  # fmt: skip


class Tree(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for pattern in TREE:
            for path in Path(self.root).glob(pattern):
                if path.is_file() and path.suffix != ".pyc":
                    name = path.relative_to(self.root)
                    build_data["force_include"][str(path)] = f"diadema/tree/{name.as_posix()}"
