"""`diadema label`: what is stuck onto stations."""

from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import Data, Run, writing
from diadema.cli.speech import say
from diadema.words import Sentence


def label(
    stations: Annotated[
        list[str] | None,
        typer.Argument(metavar="STATION...", help="An id, or the seat it stands at."),
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="A .pdf, or a .png of one station.")
    ] = Path("labels.pdf"),
    everything: Annotated[
        bool, typer.Option("--all", help="Every station of the site, a page each.")
    ] = False,
    data: Data = None,
) -> None:
    """Make the labels of stations.

    62 × 29 mm: seat, site, id, MAC address, and the id as QR.

    Example: diadema label A-01 -o A-01.pdf
    """
    from diadema.base.errors import DiademaError
    from diadema.base.paths import write_whole
    from diadema.site import description as sites
    from diadema.stations.label import as_pdf, as_png, label_of

    site = sites.load(Run(data).data.site)
    if everything == bool(stations):
        raise DiademaError(Sentence("errors.cli.name_stations_take_all"))
    names = stations or [one.id for one in site.stations]
    kind = out.suffix.lower()
    if kind not in (".pdf", ".png") or (kind == ".png" and len(names) != 1):
        raise DiademaError(Sentence("errors.cli.out_name_must_end_pdf", out=out))
    labels = []
    for name in names:
        found = label_of(site, name)
        if found is None:
            raise DiademaError(Sentence("errors.cli.no_station_name_site_diadema", name=name))
        labels.append(found)
    with writing(out):
        write_whole(out, as_pdf(labels) if kind == ".pdf" else as_png(labels[0]))
    print(say("label.made", count=len(labels), file=out))
