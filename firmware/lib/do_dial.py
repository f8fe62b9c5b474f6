"""An outbound call, by key or by the host, and its guard: the campaign's days and hours by the
site's clock, and the called person's consent.
"""

from micropython import const

_MINUTE_MS = const(60_000)
_DAY_MIN = const(1_440)
_THURSDAY = const(3)  # what 1970-01-01 was


def begin(station, details):
    """Llamar: for which campaign, where there are several outbound ones."""
    rows = [row for row in station.config.campaigns if row[3]] or station.config.campaigns
    if len(rows) > 1:
        station.open_list("campaigns", rows, _campaign_chosen, "idle")
    else:
        _campaign_chosen(station, rows[0] if rows else None)


def _campaign_chosen(station, row):
    if station.situation != "ready":
        return
    rule = row and _forbidden(station, row)
    if rule:
        _block(station, row, rule)
    elif row and row[4]:

        def answered(station, node):
            if node[0] == "no":
                _block(station, row, "consent")
            elif station.situation == "ready":
                _dial(station, row, True)

        station.open_words("consent", [["yes", "yes"], ["no", "no"]], answered, "idle")
    else:
        _dial(station, row)


def by_host(station, details):
    """The host's command; it has asked for the consent, or the answer is no."""
    row = station.campaign(details.get("campaign"))
    rule = row and _forbidden(station, row)
    consent = details.get("consent")
    if row and not rule and row[4] and not consent:
        rule = "consent"
    if rule:
        _block(station, row, rule, details)
    else:
        _dial(station, row, None if consent is None else bool(consent), details)


def _forbidden(station, row):
    """The rule that forbids a call of this campaign now. An unknown hour is a forbidden one."""
    if not row[3]:
        return None
    utc = station.utc(station.u)
    if utc is None:
        return "hours"
    minutes = utc // _MINUTE_MS + station.config.utc_offset_min
    begin, end, days = row[3]
    if not days >> (minutes // _DAY_MIN + _THURSDAY) % 7 & 1:
        return "day"
    return None if begin <= minutes % _DAY_MIN < end else "hours"


def _block(station, row, rule, details=None):
    station.said("contact.blocked", details, campaign=row[0], rule=rule)
    known = rule != "hours" or station.utc(station.u) is not None
    station.notify("blocked_" + rule if known else "blocked_clock")


def _dial(station, row, consent=None, details=None):
    more = {"campaign": row and row[0], "consent": consent}
    if details:
        more["pbx"] = details.get("pbx")
        more["reference"] = details.get("reference")
    more = {name: value for name, value in more.items() if value is not None}
    contact = details["contact"] if details else station.new_contact()
    via = "host" if details else "key"
    station.said("contact.dialed", details, via=via, c=contact, direction="out", **more)
    station.menu = station.notice = None
