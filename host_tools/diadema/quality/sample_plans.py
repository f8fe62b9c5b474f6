"""Plans of samples by the directory: as they are, and as one was when its period began."""

from msgspec import Struct

from diadema.base.paths import DataDir
from diadema.site.directory.book import Directory
from diadema.site.directory.people_of import stamps_of
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.quality_of import plan_of


class PlanVersion(Struct, frozen=True):
    """`version`: the directory's, which counts the changes of the plan."""

    version: int
    plan: SamplePlan


class Plans:
    """Those of a data directory, read again when it has changed."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._read_of: object = None
        self._now: dict[str, PlanVersion] = {}

    def now(self) -> dict[str, PlanVersion]:
        """By code, without those that were retired. Raises DiademaError."""
        stamps = stamps_of(self._data)
        if stamps != self._read_of:
            self._now = plans_of(self._data)
            self._read_of = stamps
        return self._now


def plans_of(data: DataDir) -> dict[str, PlanVersion]:
    """By code, as they are now. Raises DiademaError."""
    if not data.directory.exists():
        return {}
    with Directory(data.directory) as book:
        return {
            one.code: PlanVersion(one.version, plan_of(one.body))
            for one in book.entries("sample_plans")
            if one.body is not None
        }


def plan_as_of(data: DataDir, code: str, version: int) -> SamplePlan | None:
    """As that version had it. None where there is none. Raises DiademaError."""
    if not data.directory.exists():
        return None
    with Directory(data.directory) as book:
        found = [one for one in book.history("sample_plans", code) if one.version == version]
    return plan_of(found[0].body) if found and found[0].body is not None else None
