"""The table of `/metrics` in host_tools/README.md, made from the code.

`python -m tests.metrics` writes it anew; `tests/host/test_alerts.py` fails until that is done.
"""

import sys
from pathlib import Path

from diadema.web.prometheus import FAMILIES

README = Path(__file__).resolve().parents[1] / "host_tools" / "README.md"
BEGIN, END = "<!-- made by `python -m tests.metrics` -->", "<!-- end of the metrics -->"


def made() -> str:
    lines = ["| `diadema_web_…` | type | unit | what it is |", "|---|---|---|---|"]
    for name, one in FAMILIES.items():
        labels = f"{{{one.labels}}}" if one.labels else ""
        lines.append(f"| `{name}{labels}` | {one.kind} | {one.unit} | {one.meaning} |")
    return "\n".join(lines)


def renewed(text: str) -> str:
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{made()}\n{END}{tail}"


def main() -> int:
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
