"""A report's sections as a test reads them."""

from diadema.report.model import plain


def rows(section):
    """Each row as {column's key: plain value}."""
    keys = [column.key for column in section.columns]
    return [dict(zip(keys, map(plain, row), strict=True)) for row in section.rows]
