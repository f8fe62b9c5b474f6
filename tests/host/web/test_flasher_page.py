"""`/flasher`: the images of the data directory, as they are, and as ESP Web Tools takes them."""

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest
from diadema.stations.boards.table import board_names, build_for, load_board
from diadema.stations.image.build import build

from tests.support.stock_image import stock_image
from tests.support.web_stage import Web


@pytest.fixture
def image(web: Web):
    folder = web.folder / "images"
    folder.mkdir()
    path = folder / "lyrat.bin"
    path.write_bytes(build(load_board("lyrat_v4_3"), stock_image(), "1.2.3").whole())
    (folder / "broken.bin").write_bytes(b"nothing of ours")
    yield path
    for one in folder.iterdir():
        one.unlink()
    folder.rmdir()


async def test_a_technician_takes_an_image(web: Web, image: Path) -> None:
    cookies = web.login("technician")
    async with httpx.AsyncClient(base_url=web.url, cookies=cookies, timeout=300) as client:
        page = await client.get("/flasher?lang=es")
        assert page.status_code == 200 and "lyrat_v4_3 1.2.3, esp32" in page.text
        assert "broken.bin no es una imagen" in page.text and "broken.zip" not in page.text
        for name in board_names():  # what the page says of MicroPython is what they take
            about = load_board(name).wiring.board
            assert f"{build_for(about.chip, about.psram)} para" in page.text
        assert (await client.get("/flasher/lyrat.bin")).content == image.read_bytes()

        taken = await client.get("/flasher/lyrat.zip")
        assert (await client.get("/flasher/lyrat.zip")).content == taken.content
        with zipfile.ZipFile(io.BytesIO(taken.content)) as archive:
            manifest = json.loads(archive.read("lyrat/manifest.json"))
            (built,) = manifest["builds"]
            assert built["chipFamily"] == "ESP32" and manifest["new_install_prompt_erase"]
            spans = [
                (part["offset"], archive.read(f"lyrat/{part['path']}")) for part in built["parts"]
            ]
        whole = image.read_bytes()
        for offset, data in spans:
            assert whole[offset - 0x1000 :][: len(data)].ljust(len(data), b"\xff") == data
        places = {one.name: one for one in load_board("lyrat_v4_3").partitions}
        for kept in (places["journal"], places["nvs"]):
            assert all(at >= kept.end or at + len(data) <= kept.offset for at, data in spans)

        for path, status in (("/flasher/other.bin", 404), ("/flasher/broken.zip", 422),
                             ("/flasher/..%2Fsecrets.bin", 404)):  # fmt: skip
            assert (await client.get(path)).status_code == status, path


async def test_without_an_image_it_says_where_they_belong(web: Web) -> None:
    async with httpx.AsyncClient(
        base_url=web.url, cookies=web.login("technician"), timeout=60
    ) as client:
        page = await client.get("/flasher?lang=en")
    assert "diadema image build" in page.text and str(web.folder / "images") in page.text
