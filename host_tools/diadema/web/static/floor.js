/* The live floor: one tile an agent, totals on top, search, groups and order, clocks that tick.
   One module for /ui (with alerts and actions) and for the bare /wall. */

import { HubClock, dayOf, hourOf } from "./clock.js";
import { density, fitTiles } from "./fit.js";
import { Groups } from "./groups.js";
import { Inside } from "./inside.js";
import { Link, outdated } from "./link.js";
import { Notice } from "./notice.js";
import { Query } from "./query.js";
import { Queues } from "./queues.js";
import { Roving } from "./rove.js";
import { themeSwitch } from "./switch.js";
import { Tile } from "./tile.js";
import { Tools } from "./tools.js";
import { Totals } from "./totals.js";

const ARRANGE_MS = 1000;

/** Build the floor inside `root`. `site` (reasons, seats) and `may` (act, figures) are for what can
    be done from /ui. Returns what takes it down again. */
export function mount(root, { words, scope, site, may, definitions }) {
  const floor = new Floor(root, words, scope === "wall" ? null : { site, may, definitions });
  floor.start();
  return () => floor.stop();
}

class Floor {
  #tiles = [];
  #columns = [];
  #arrangedAt = -Infinity;
  #arranging = 0;
  #ticking = 0;
  #since = 0;
  #why = null;
  #site = { name: "", zone: "America/Lima", language: "es" };

  constructor(root, words, person) {
    const isWall = person === null;
    Object.assign(this, { root, words, isWall });
    this.language = document.documentElement.lang || "es";
    this.clock = new HubClock();
    this.query = new Query(isWall);
    const helps = person?.may.help ? `/ui/help?lang=${this.language.slice(0, 2)}` : null;
    this.totals = new Totals(words, isWall ? null : (key) => this.#ask(() => this.query.toggle(key)), helps);
    this.queues = new Queues(words, isWall ? null : (queue) => this.#narrow(queue === this.query.queue ? "" : queue));
    this.notice = new Notice(words);
    this.groups = new Groups(words, isWall);
    this.empty = document.createElement("p");
    this.empty.className = "empty";
    this.empty.hidden = true;
    this.roving = new Roving(this.groups.element, (element) => this.#describe(element));
    if (!isWall) {
      this.tools = new Tools(words, this.query, (change) => this.#ask(change));
      const find = (a) => this.#tiles.find((tile) => tile.row.a === a);
      const narrow = (queue) => this.#narrow(queue);
      this.inside = new Inside(words, this.language, { ...person, find, narrow, titled: () => this.#title() });
      this.inside.listen(this.groups.element, () => this.#ask(() => (this.query.screen = false)));
      root.append(this.inside.head.element, this.queues.element, this.totals.element);
      root.append(this.inside.alerts.element, this.tools.element, this.inside.leave);
    } else {
      root.append(this.totals.element, this.queues.element);
    }
    root.append(this.notice.element, this.groups.element, this.empty, this.totals.live);
    if (!isWall) root.append(this.inside.panel.element);
    this.link = new Link(this.#scope, this.clock, {
      snapshot: (snap) => this.#snapshot(snap),
      change: (message) => this.#change(message),
      stale: (since, why) => this.#stale(since, why),
    });
  }

  /** Which rows are asked for: a large screen gets nothing of a person's adherence. */
  get #scope() {
    if (this.isWall) return "wall";
    return this.query.screen ? "screen" : "full";
  }

  start() {
    this.#nameHours();
    this.#page();
    this.link.open();
    this.#tick();
    this.#screen();
    this.resizing = new ResizeObserver(() => {
      this.queues.fit();
      this.#fit();
    });
    const above = this.inside ? [this.inside.head.element, this.inside.alerts.element] : [];
    for (const one of [document.documentElement, this.root, this.totals.element, this.queues.element, ...above]) {
      this.resizing.observe(one);
    }
  }

  stop() {
    this.link.close();
    clearTimeout(this.#ticking);
    clearTimeout(this.#arranging);
    this.resizing?.disconnect();
    this.inside?.close();
    this.root.replaceChildren();
  }

  #snapshot(snap) {
    if (outdated(snap.build)) return;
    this.#site = snap.site;
    this.groups.queues = snap.names ?? {};
    this.#columns = snap.live;
    this.#nameHours();
    this.#page();
    const known = new Map(this.#tiles.map((tile) => [tile.key, tile]));
    this.#tiles = snap.rows.map(([who, live], index) => {
      const row = Object.fromEntries(snap.who.map((name, at) => [name, who[at]]));
      this.#columns.forEach((name, at) => (row[name] = live[at]));
      const key = row.a ?? `${index}`;
      const tile = known.get(key) ?? new Tile(row, this.words, this.isWall);
      known.delete(key);
      Object.assign(tile, { key, index });
      this.#write(tile, row);
      return tile;
    });
    for (const tile of known.values()) tile.element.remove();
    this.#dense();
    this.queues.take(snap);
    this.totals.take(snap);
    this.inside?.take(snap, this.#tiles);
    this.#offer();
    this.totals.update(this.#tiles);
    this.#arrange();
  }

  #change(message) {
    this.queues.take(message);
    this.totals.take(message);
    this.inside?.take(message, this.#tiles);
    if (!message.d.length) {
      this.#sayInside();
      return;
    }
    for (const [index, ...live] of message.d) {
      const tile = this.#tiles[index];
      const row = { ...tile.row };
      this.#columns.forEach((name, at) => (row[name] = live[at]));
      this.#write(tile, row);
    }
    this.totals.update(this.#tiles);
    this.#sayInside();
    if (this.query.followsState) this.#arrangeSoon();
  }

  #sayInside() {
    if (!this.clock.known) return;
    this.totals.tick(this.clock.now());
    this.queues.say(this.clock.now(), this.query.queue);
    if (!this.inside) return;
    const shown = this.#tiles.filter((tile) => !tile.element.hidden);
    this.inside.say(this.clock.now(), this, this.query.queue, shown);
  }

  #write(tile, row) {
    row.queue_name = this.groups.queues[row.queue] ?? row.queue;
    tile.update(row, tile.key, this.clock.now());
    if (tile.element.hasAttribute("aria-label")) this.#describe(tile.element);
  }

  #stale(since, why) {
    this.#since = since;
    this.#why = why;
    this.clock.freeze(since || null);
    const isStale = since !== null;
    this.groups.busy(isStale);
    this.root.toggleAttribute("data-stale", isStale);
    this.#sayState();
    this.#fit();
    this.#tickNow();
  }

  #sayState() {
    this.notice.say(this.#since, this.#why, this.hour, this.#tiles.length);
    const shown = this.#tiles.filter((tile) => !tile.element.hidden).length;
    let empty = "";
    if (this.#since === null && !this.#tiles.length) {
      empty = `${this.words.none} ${this.words["none.hint"]}`;
    } else if (this.#tiles.length && !shown) {
      empty = this.words.no_match;
    }
    if (this.empty.textContent !== empty) this.empty.textContent = empty;
    this.empty.hidden = !empty;
    this.tools?.say(shown, this.#tiles.length);
  }

  #offer() {
    this.tools?.offer(this.#tiles, this.inside.head.queues, this.groups.queues);
  }

  /** To the agents of one queue; "" is all. */
  #narrow(queue) {
    this.#ask(() => (this.query.queue = queue));
    this.#offer();
  }

  /** The filters or the order were changed by hand. */
  #ask(change) {
    change();
    this.query.keep();
    this.#page();
    this.#screen();
    this.#arrange();
  }

  /** Large-screen mode: nothing to press, everything as large as fits. */
  #screen() {
    this.queues.fit(this.isWall || this.query.screen);
    if (this.isWall) return;
    document.documentElement.toggleAttribute("data-screen", this.query.screen);
    this.inside.leave.hidden = !this.query.screen;
    this.link.look(this.#scope);
    this.#dense();
  }

  #dense() {
    const dense = this.query.screen ? "compact" : density(this.#tiles.length);
    if (this.root.dataset.density !== dense) this.root.dataset.density = dense;
  }

  #arrangeSoon() {
    if (this.#arranging) return;
    const wait = Math.max(0, this.#arrangedAt + ARRANGE_MS - performance.now());
    this.#arranging = setTimeout(() => this.#arrange(), wait);
  }

  /** Hide what does not match and put the rest in order, moving as few elements as need be. */
  #arrange() {
    clearTimeout(this.#arranging);
    this.#arranging = 0;
    this.#arrangedAt = performance.now();
    const focused = document.activeElement;
    const tiles = [...this.#tiles].sort(this.query.compare);
    for (const { element } of tiles) {
      const hide = !this.query.matches(element.tile);
      if (element.hidden !== hide) element.hidden = hide;
    }
    this.groups.arrange(tiles, this.query);
    if (focused?.tile && focused !== document.activeElement && !focused.hidden) {
      focused.focus({ preventScroll: true });
    }
    if (!this.isWall) this.totals.press(this.query.pressed());
    this.#sayState();
    this.#sayInside();
    this.roving.settle();
    this.#fit();
  }

  #fit() {
    const { first } = this.groups;
    if (!first || !(this.isWall || (this.query.screen && !this.query.group))) return;
    const shown = this.#tiles.filter((tile) => !tile.element.hidden);
    const letters = Math.max(0, ...shown.map((tile) => tile.title.length));
    fitTiles(first, shown.length, letters, this.isWall);
  }

  #tick() {
    this.#tickNow();
    const now = this.clock.running();
    const wait = this.clock.speed === 1 ? 1000 - (now % 1000) + 5 : 200;
    this.#ticking = setTimeout(() => this.#tick(), wait);
  }

  #tickNow() {
    if (!this.clock.known) return;
    const now = this.clock.now();
    for (const tile of this.#tiles) tile.tick(now);
    if (this.#since === null) this.totals.announce();
    this.inside?.tick(now);
    this.#sayInside();
    const hour = this.minute(this.clock.now());
    for (const one of document.querySelectorAll("[data-clock]")) {
      if (one.textContent !== hour) one.textContent = hour;
    }
  }

  #describe(element) {
    element.setAttribute("aria-label", element.tile.describe());
  }

  #nameHours() {
    this.hour = hourOf(this.#site.zone, this.language, true);
    this.minute = hourOf(this.#site.zone, this.language, false);
    this.day = dayOf(this.#site.zone);
  }

  /** What stands around the floor: the site's name, and links that keep the filters. */
  #page() {
    const { name } = this.#site;
    for (const one of document.querySelectorAll("[data-site]")) if (name) one.textContent = name;
    this.#title();
    const kept = new URLSearchParams(location.search);
    for (const link of document.querySelectorAll("a[data-keep]")) {
      const target = new URL(link.href);
      const language = target.searchParams.get("lang");
      const merged = new URLSearchParams(kept);
      merged.set("lang", language);
      link.href = `?${merged}`;
    }
    themeSwitch(document.querySelector("[data-theme-button]"), this.words);
  }

  /** What waits comes first, so that it is seen from another tab. */
  #title() {
    const { name } = this.#site;
    const title = this.words[this.isWall ? "wall_title" : "title"];
    const waiting = this.inside?.alerts.waiting ? `(${this.inside.alerts.waiting}) ` : "";
    document.title = waiting + (name ? `${title} · ${name}` : title);
  }
}
