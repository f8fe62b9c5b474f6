"""A station's label: its code is read back from the picture and from the paper, by a reader that
shares nothing with whoever drew it.
"""

import io
import subprocess
from pathlib import Path

import pytest
from diadema.base.errors import DiademaError
from diadema.site.example import EXAMPLE
from diadema.stations.label import Label, as_pdf, as_png
from PIL import Image
from typer.testing import CliRunner

LABEL = Label("DIA-240ac4e29526", "A-12", "Centro de muestra Ñuñoa")
SIDE = 25  # modules of version 2, which 16 characters need
MASKS = [
    lambda r, c: (r + c) % 2, lambda r, c: r % 2, lambda r, c: c % 3, lambda r, c: (r + c) % 3,
    lambda r, c: (r // 2 + c // 3) % 2, lambda r, c: r * c % 2 + r * c % 3,
    lambda r, c: (r * c % 2 + r * c % 3) % 2, lambda r, c: ((r + c) % 2 + r * c % 3) % 2,
]  # fmt: skip


def modules(picture: Image.Image) -> list[list[int]]:
    """Found by the dark box of the left part; sampled in the middle of each module."""
    code = picture.convert("L").crop((0, 0, picture.width * 290 // 732, picture.height))
    left, top, right, bottom = code.point(lambda value: 255 if value < 128 else 0).getbbox()
    assert abs((right - left) - (bottom - top)) <= 2
    step = (right - left) / SIDE
    return [
        [
            int(code.getpixel((int(left + (c + 0.5) * step), int(top + (r + 0.5) * step))) < 128)
            for c in range(SIDE)
        ]
        for r in range(SIDE)
    ]


def reserved(r: int, c: int) -> bool:
    """What is no data in version 2: finders with format, timing, alignment."""
    corner = (r < 9 and c < 9) or (r < 9 and c >= SIDE - 8) or (r >= SIDE - 8 and c < 9)
    return corner or r == 6 or c == 6 or (16 <= r <= 20 and 16 <= c <= 20)


def read(rows: list[list[int]]) -> str:
    """ISO/IEC 18004, version 2, one block, bytes; no correction: all must be right."""
    bits = "".join(str(rows[8][c]) for c in (0, 1, 2, 3, 4))
    mask = MASKS[(int(bits, 2) ^ 0b10101) & 7]
    stream, up = "", True
    for right in (24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        for r in range(SIDE - 1, -1, -1) if up else range(SIDE):
            for c in (right, right - 1):
                if not reserved(r, c):
                    stream += str(rows[r][c] ^ (mask(r, c) == 0))
        up = not up
    assert stream[:4] == "0100"  # bytes
    length = int(stream[4:12], 2)
    return bytes(int(stream[12 + 8 * at :][:8], 2) for at in range(length)).decode()


def test_the_code_of_the_picture_says_the_station() -> None:
    picture = Image.open(io.BytesIO(as_png(LABEL)))
    assert picture.size == (732, 343) and round(picture.info["dpi"][0]) == 300
    assert read(modules(picture)) == LABEL.station


def test_the_code_of_the_paper_says_the_station(tmp_path: Path, system_program) -> None:
    renderer = system_program("pdftoppm", "poppler-utils")
    (tmp_path / "labels.pdf").write_bytes(as_pdf([LABEL, Label("DIA-0123456789ab", "B1", "X")]))
    subprocess.run(
        [renderer, "-r", "600", "-png", str(tmp_path / "labels.pdf"), str(tmp_path / "page")],
        check=True,
    )
    pages = [Image.open(path) for path in sorted(tmp_path.glob("page*.png"))]
    assert [read(modules(page)) for page in pages] == [LABEL.station, "DIA-0123456789ab"]
    assert as_pdf([LABEL]) == as_pdf([LABEL])


def test_its_mac_address() -> None:
    assert LABEL.mac == "24:0A:C4:E2:95:26"


def test_the_command(tmp_path: Path) -> None:
    from diadema.cli.main import app

    def run(*words: str):
        return CliRunner().invoke(app, ["label", *words, "--data", str(tmp_path)])

    with pytest.raises(DiademaError, match=r"no site is in force.*site example.*--data"):
        raise run("A-01").exception
    (tmp_path / "site.json").write_text(EXAMPLE)
    out = tmp_path / "label.png"
    assert "1 labels" in run("A-01", "-o", str(out)).output
    assert read(modules(Image.open(out))).startswith("DIA-")
    assert run("--all", "-o", str(tmp_path / "all.pdf")).exit_code == 0
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")
    for words, told in (
        (["Z99"], "no station Z99 in"), (["--all", "-o", str(out)], "one station"), ([], "--all"),
    ):  # fmt: skip
        with pytest.raises(DiademaError, match=told):
            raise run(*words).exception
