"""Invented call logs in the form of the «anonymous bank», row by row as a test wants them."""

HEADER = (
    "vru+line", "call_id", "customer_id", "priority", "type", "date", "vru_entry", "vru_exit",
    "vru_time", "q_start", "q_exit", "q_time", "outcome", "ser_start", "ser_exit", "ser_time",
    "server",
)  # fmt: skip
DAY = 24 * 3600


def clock(seconds):
    seconds %= DAY
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


class Log:
    """Rows; each call begins at `at`, in seconds of its day, with a menu of ten seconds."""

    def __init__(self):
        self.rows = []

    def row(self, at, outcome, server="NO_SERVER", *, day=990201, wait=0, talk=0, **cells):
        queue = at + 10
        served = queue + wait
        self.rows.append(
            {
                "vru+line": "AA0101", "call_id": len(self.rows) + 1, "customer_id": 0,
                "priority": 0, "type": "PS", "date": day,
                "vru_entry": clock(at), "vru_exit": clock(queue), "vru_time": 10,
                "q_start": clock(queue) if wait else "0:00:00",
                "q_exit": clock(served) if wait else "0:00:00", "q_time": wait,
                "outcome": outcome,
                "ser_start": clock(served) if outcome == "AGENT" else "0:00:00",
                "ser_exit": clock(served + talk) if outcome == "AGENT" else "0:00:00",
                "ser_time": talk, "server": server,
            }
            | cells
        )  # fmt: skip
        return self

    def agent(self, at, server, **more):
        return self.row(at, "AGENT", server, **more)

    def hang(self, at, **more):
        return self.row(at, "HANG", **more)

    def phantom(self, at, **more):
        return self.row(at, "PHANTOM", **more)

    def write(self, path):
        lines = [HEADER, *([row[name] for name in HEADER] for row in self.rows)]
        path.write_text("".join("\t".join(map(str, cells)) + "\n" for cells in lines))
        return path
