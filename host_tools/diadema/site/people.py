"""The agents of a site: their names, badges, PINs and codes, and what a login asks of them."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field

from diadema.site.badges import (
    ID,
    KEPT,
    card_of,
    is_id,
    is_secure,
)
from diadema.site.terms import (
    Label,
    Name,
    SiteError,
    Strict,
    check_unique,
)

type TeamName = Annotated[str, Meta(max_length=64)]
type PinPolicy = Literal["none", "always", "clonable"]


class DayBadge(Strict, kw_only=True):
    """A badge lent for one day of the site's zone to somebody who forgot hers."""

    badge: str
    day: date


class Agent(Strict, kw_only=True):
    """`name` on the floor, `short` on the station's screen, `alias` on the public wall.

    `pin` is the verifier that `diadema pin` makes, never the PIN; with `code` and PIN she can log
    in without her badge.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,24}\Z")]
    name: Name
    short: Label
    alias: Label
    team: TeamName = ""
    badges: list[str] = field(default_factory=list)
    day_badges: Annotated[list[DayBadge], Meta(max_length=60)] = field(default_factory=list)
    pin: Annotated[str, Meta(pattern=r"^([0-9a-f]{16}:[0-9a-f]{32}(:[0-9]{10})?)?\Z")] = ""
    code: Annotated[str, Meta(pattern=r"^([1-6]{4})?\Z")] = ""

    def badges_on(self, day: date | None) -> list[str]:
        """Her own, and those lent to her on that day."""
        return [*self.badges, *(lent.badge for lent in self.day_badges if lent.day == day)]


def check_agents(agents: list[Agent], policy: PinPolicy) -> None:
    """Raises SiteError."""
    check_unique("agents[{}].id", (agent.id for agent in agents))
    _check_badges(agents)
    codes: dict[str, str] = {}
    for at, agent in enumerate(agents):
        if agent.code and agent.code in codes:
            raise SiteError(f"agents[{at}].code", f"belongs to {codes[agent.code]} already")
        codes[agent.code] = agent.id
        if agent.pin:
            continue
        help_text = f"`diadema pin {agent.id}` makes one"
        if agent.code:
            raise SiteError(f"agents[{at}].pin", f"her code needs a PIN: {help_text}")
        asked = [badge for badge, _ in _all_badges(at, agent)]
        if policy == "clonable":
            asked = [badge for badge in asked if not is_secure(badge)]
        if policy != "none" and asked:
            raise SiteError(f"agents[{at}].pin", f"this site asks for her PIN: {help_text}")


def _all_badges(at: int, agent: Agent) -> list[tuple[str, str]]:
    """Every badge of hers, with its key."""
    own = [(badge, f"agents[{at}].badges[{k}]") for k, badge in enumerate(agent.badges)]
    lent = enumerate(agent.day_badges)
    return own + [(one.badge, f"agents[{at}].day_badges[{k}].badge") for k, one in lent]


def _check_badges(agents: list[Agent]) -> None:
    owners: dict[str, str] = {}
    borrowers: dict[tuple[str, date], str] = {}
    everywhere = [every for at, agent in enumerate(agents) for every in _all_badges(at, agent)]
    secure = {card_of(badge) for badge, _ in everywhere if is_secure(badge)}
    for badge, key in everywhere:
        if not ID.match(badge) and not KEPT.match(badge):
            raise SiteError(key, "must be kind:ID in upper-case hex, as iso14443a:04A1B2C3")
        if not is_id(badge) and not KEPT.match(badge):
            raise SiteError(key, "a desfire card has an id of 14 hex digits")
        if not is_secure(badge) and card_of(badge) in secure:
            raise SiteError(key, "is a desfire card: as a plain one anybody could copy it")
    for at, agent in enumerate(agents):
        for k, badge in enumerate(agent.badges):
            if badge in owners:
                key = f"agents[{at}].badges[{k}]"
                raise SiteError(key, f"belongs to {owners[badge]} already")
            owners[badge] = agent.id
    for at, agent in enumerate(agents):
        for k, lent in enumerate(agent.day_badges):
            key = f"agents[{at}].day_badges[{k}]"
            if lent.badge in owners:
                raise SiteError(f"{key}.badge", f"belongs to {owners[lent.badge]} for good")
            if (other := borrowers.get((lent.badge, lent.day))) is not None:
                raise SiteError(f"{key}.badge", f"is lent to {other} on that day")
            borrowers[lent.badge, lent.day] = agent.id
