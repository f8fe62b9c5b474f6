"""The table of `/metrics` in host_tools/README.md, made from the code.

`python -m tests.metrics` writes it anew; `tests/host/test_alerts.py` fails until that is done.
"""

import sys
from pathlib import Path

from diadema.web.prometheus import FAMILIES

from tests.support.made_part import renewed

README = Path(__file__).resolve().parents[1] / "host_tools" / "README.md"


def made() -> str:
    lines = [
        "| `diadema_web_…` | clase · type | unidad · unit | qué es · what it is |",
        "|---|---|---|---|",
    ]
    for name, one in FAMILIES.items():
        labels = f"{{{one.labels}}}" if one.labels else ""
        lines.append(f"| `{name}{labels}` | {one.kind} | {one.unit} | {one.meaning} |")
    return "\n".join(lines)


def main() -> int:
    page = README.read_text(encoding="utf-8")
    README.write_text(renewed(page, "metrics", made()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
