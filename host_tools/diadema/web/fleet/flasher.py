"""`/flasher`: the images that lie in `DIR/images`, for whoever writes boards from a browser.

ESP Web Tools itself is not part of this: the archive holds what belongs beside it.
"""

import io
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text

if TYPE_CHECKING:
    from diadema.stations.flash.plan import FlashPlan

router = APIRouter()

type Technician = Annotated[Person, Depends(need("fleet"))]

_DATE = (2026, 1, 1, 0, 0, 0)  # the same image gives the same archive
_KIB = 1024


@router.get("/flasher", include_in_schema=False)
def flasher(request: Request, person: Technician) -> HTMLResponse:
    web_app = web_app_of(request)
    words = section("flasher", language_of(request))
    return plain_page(
        web_app,
        request,
        "flasher.html",
        words["title"],
        words=words,
        images=[_listed(path, words) for path in _images(web_app)],
        no_images=words["none"].format(folder=web_app.data.images),
    )


@router.get("/flasher/{name}.bin", include_in_schema=False)
def image(request: Request, person: Technician, name: str) -> FileResponse:
    path = _named(request, name)
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


@router.get("/flasher/{name}.zip", include_in_schema=False)
def archive(request: Request, person: Technician, name: str) -> Response:
    path = _named(request, name)
    try:
        content = _archive(path.stem, _plan(path, path.stat().st_mtime_ns))
    except (DiademaError, OSError) as error:
        raise HTTPException(422, str(error)) from error
    headers = {"content-disposition": f'attachment; filename="{path.stem}.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


def _images(web_app: WebApp) -> list[Path]:
    return sorted(web_app.data.images.glob("*.bin"))


def _named(request: Request, name: str) -> Path:
    """One of those that lie there; a name is never a way to anything else."""
    found = next((one for one in _images(web_app_of(request)) if one.stem == name), None)
    if found is None:
        raise HTTPException(404, text("flasher.unknown", language_of(request)))
    return found


@lru_cache(maxsize=4)
def _plan(path: Path, changed_ns: int) -> "FlashPlan":
    from diadema.stations.flash.plan import read_plan

    return read_plan(path.read_bytes())


def _listed(path: Path, words: Mapping[str, str]) -> dict[str, str]:
    """What the page says of an image; without a `name` it cannot be taken."""
    try:
        plan = _plan(path, path.stat().st_mtime_ns)
    except (DiademaError, OSError):
        return {"name": "", "about": words["broken"].format(file=path.name)}
    about = f"{plan.board} {plan.version}, {plan.chip}, {plan.size // _KIB} KiB"
    return {"name": path.stem, "about": about}


def _archive(name: str, plan: "FlashPlan") -> bytes:
    from diadema.stations.flash.plan import web_files

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
        for file, data in web_files(plan).items():
            out.writestr(zipfile.ZipInfo(f"{name}/{file}", _DATE), data, zipfile.ZIP_DEFLATED)
    return held.getvalue()
