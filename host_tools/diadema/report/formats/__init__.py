"""A report in each of its formats, from the one model. None of them works anything out."""

from collections.abc import Callable
from typing import Literal

from diadema.report.model import Report

type Format = Literal["json", "csv", "xlsx", "pdf"]
MEDIA: dict[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def made_as(form: str, report: Report, section: str | None = None) -> bytes:
    """The file's content; `section`: of a CSV, that table alone. Raises KeyError for no format,
    or no section.
    """
    from diadema.report.formats import as_csv, as_json, as_pdf, as_xlsx

    if form == "csv":
        return as_csv.content(report, section)
    makers: dict[str, Callable[[Report], bytes]] = {
        "json": as_json.content, "xlsx": as_xlsx.content, "pdf": as_pdf.content
    }  # fmt: skip
    return makers[form](report)
