/* Which agents are shown, in what groups and in what order; kept in the address, so that a link or a
   reload, or the way back, shows the same floor:
   `?q=…&state=ready,talking&team=…&queue=…&link=lost&group=team&sort=time&screen=1`. */

import { LOGGED_OUT, STATES } from "./wire.js";

export const SORTS = ["name", "seat", "time", "state"];
export const GROUPS = ["", "team", "queue", "state"];

const collator = new Intl.Collator("es", { numeric: true, sensitivity: "base" });
const plain = (text) => (text ?? "").normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// who is out waits for nothing: last, however long ago
const since = ({ row }) => (row.state === LOGGED_OUT ? Infinity : (row.since ?? Infinity));

const BY = {
  name: () => 0,
  seat: (a, b) => collator.compare(a.row.seat ?? "\uffff", b.row.seat ?? "\uffff"),
  time: (a, b) => since(a) - since(b) || 0, // the longest first
  state: (a, b) => STATES.indexOf(a.row.state) - STATES.indexOf(b.row.state) || BY.time(a, b),
};

const GROUP_OF = {
  "": () => "",
  team: (row) => row.team ?? "",
  queue: (row) => row.queues?.[0] ?? row.queue ?? "", // the agent's own first, to stay there
  state: (row) => row.state,
};

export class Query {
  constructor(isWall) {
    const asked = new URLSearchParams(location.search);
    const one = (name, known) => (known.includes(asked.get(name)) ? asked.get(name) : known[0]);
    this.isWall = isWall;
    this.text = asked.get("q") ?? "";
    this.team = asked.get("team") ?? "";
    this.queue = asked.get("queue") ?? "";
    this.states = (asked.get("state") ?? "").split(",").filter((s) => STATES.includes(s));
    this.lost = asked.get("link") === "lost";
    this.group = isWall ? "" : one("group", GROUPS);
    this.sort = one("sort", SORTS);
    this.screen = !isWall && asked.get("screen") === "1";
  }

  get isNarrow() {
    return Boolean(this.text || this.team || this.queue || this.states.length || this.lost);
  }

  /** Whether the order or the choice may change with a row's state. */
  get followsState() {
    const chosen = this.states.length > 0 || this.lost || Boolean(this.queue);
    return this.sort !== "name" || chosen || Boolean(this.group) || this.isWall;
  }

  clear() {
    this.text = this.team = this.queue = "";
    this.states = [];
    this.lost = false;
  }

  /** A total was pressed: add it to the filter, or take it out. */
  toggle(key) {
    if (key === "lost") {
      this.lost = !this.lost;
    } else if (key === "online") {
      const online = STATES.filter((state) => state !== LOGGED_OUT);
      this.states = this.pressed().includes("online") ? [] : online;
    } else if (this.states.includes(key)) {
      this.states = this.states.filter((state) => state !== key);
    } else {
      this.states = [...(this.pressed().includes("online") ? [] : this.states), key];
    }
  }

  /** The totals that are filters now. */
  pressed() {
    const all = this.states.length === STATES.length - 1 && !this.states.includes(LOGGED_OUT);
    return [...(all ? ["online"] : this.states), ...(this.lost ? ["lost"] : [])];
  }

  matches(tile) {
    const { row } = tile;
    if (this.states.length && !this.states.includes(row.state)) return false;
    if (this.lost && !tile.isLost) return false;
    if (this.team && row.team !== this.team) return false;
    if (this.queue && row.queue !== this.queue && !row.queues?.includes(this.queue)) return false;
    if (!this.text) return true;
    const found = [tile.title, row.alias, row.seat, row.a, tile.reason, row.queue_name].map(plain).join(" ");
    return plain(this.text).split(/\s+/).every((word) => found.includes(word));
  }

  groupOf(tile) {
    return GROUP_OF[this.group](tile.row);
  }

  /** The order of groups: states as they follow each other, names by name, none last. */
  compareGroups = (a, b) => {
    if (this.group === "state") return STATES.indexOf(a) - STATES.indexOf(b);
    return !a - !b || collator.compare(a, b);
  };

  compare = (a, b) => {
    if (this.isWall) {
      const out = (a.row.state === LOGGED_OUT) - (b.row.state === LOGGED_OUT);
      if (out) return out;
    }
    return BY[this.sort](a, b) || collator.compare(a.title, b.title) || a.index - b.index;
  };

  /** Write this query into the address, leaving everything else of it alone. */
  keep() {
    const url = new URL(location.href);
    const put = (name, value) =>
      value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
    put("q", this.text);
    put("team", this.team);
    put("queue", this.queue);
    put("state", this.states.join(","));
    put("link", this.lost ? "lost" : "");
    put("group", this.group);
    put("sort", this.sort === "name" ? "" : this.sort);
    put("screen", this.screen ? "1" : "");
    const search = url.search.replaceAll("%2C", ",");
    history.replaceState(history.state, "", url.pathname + search + url.hash);
  }
}
