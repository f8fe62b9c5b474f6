/* The live floor: one tile an agent, totals on top, search and order, clocks that tick.
   One module for /ui (wrapped by a Vue component) and for the bare /wall. */

import { HubClock, hourOf } from "./clock.js";
import { density, fitWall } from "./fit.js";
import { Link } from "./link.js";
import { Notice } from "./notice.js";
import { Query } from "./query.js";
import { Roving } from "./rove.js";
import { themeSwitch } from "./switch.js";
import { Tile } from "./tile.js";
import { Tools } from "./tools.js";
import { Totals } from "./totals.js";

const ARRANGE_MS = 1000;

/** Build the floor inside `root`. Returns what takes it down again. */
export function mount(root, { words, scope }) {
  const floor = new Floor(root, words, scope === "wall");
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
  #site = { name: "", zone: "America/Lima", language: "es" };

  constructor(root, words, isWall) {
    Object.assign(this, { root, words, isWall });
    this.language = document.documentElement.lang || "es";
    this.clock = new HubClock();
    this.query = new Query(isWall);
    this.totals = new Totals(words, isWall ? null : (key) => this.#ask(() => this.query.toggle(key)));
    this.notice = new Notice(words);
    this.list = document.createElement("div");
    this.list.className = "tiles";
    this.list.setAttribute("role", "list");
    this.list.setAttribute("aria-label", words.agents);
    this.empty = document.createElement("p");
    this.empty.className = "empty";
    this.empty.hidden = true;
    this.roving = new Roving(this.list, (element) => this.#describe(element));
    root.append(this.totals.element);
    if (!isWall) {
      this.tools = new Tools(words, this.query, (change) => this.#ask(change));
      root.append(this.tools.element);
    }
    root.append(this.notice.element, this.list, this.empty, this.totals.live);
    this.link = new Link(isWall ? "wall" : "full", this.clock, {
      snapshot: (snap) => this.#snapshot(snap),
      change: (rows) => this.#change(rows),
      stale: (since) => this.#stale(since),
    });
  }

  start() {
    this.#nameHours();
    this.#page();
    this.link.open();
    this.#tick();
    if (this.isWall) {
      this.resizing = new ResizeObserver(() => this.#fit());
      for (const one of [document.documentElement, this.root, this.totals.element]) {
        this.resizing.observe(one);
      }
    }
  }

  stop() {
    this.link.close();
    clearTimeout(this.#ticking);
    clearTimeout(this.#arranging);
    this.resizing?.disconnect();
    this.root.replaceChildren();
  }

  #snapshot(snap) {
    if (this.#outdated(snap.build)) return;
    this.#site = snap.site;
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
    this.root.dataset.density = density(this.#tiles.length);
    this.tools?.offerTeams(this.#tiles);
    this.totals.update(this.#tiles);
    this.#arrange();
  }

  #change(rows) {
    for (const [index, ...live] of rows) {
      const tile = this.#tiles[index];
      const row = { ...tile.row };
      this.#columns.forEach((name, at) => (row[name] = live[at]));
      this.#write(tile, row);
    }
    this.totals.update(this.#tiles);
    if (this.query.followsState) this.#arrangeSoon();
  }

  #write(tile, row) {
    tile.update(row, tile.key, this.clock.now());
    if (tile.element.hasAttribute("aria-label")) this.#describe(tile.element);
  }

  #stale(since) {
    this.#since = since;
    this.clock.freeze(since || null);
    const isStale = since !== null;
    this.list.setAttribute("aria-busy", String(isStale));
    this.root.toggleAttribute("data-stale", isStale);
    this.#sayState();
    this.#fit();
    this.#tickNow();
  }

  #sayState() {
    this.notice.say(this.#since, this.hour, this.#tiles.length);
    const shown = this.#tiles.filter((tile) => !tile.element.hidden).length;
    let empty = "";
    if (this.#since === null && !this.#tiles.length) {
      empty = `${this.words.none} ${this.words["none.hint"]}`;
    } else if (this.#tiles.length && !shown) {
      empty = this.words.no_match;
    }
    if (this.empty.textContent !== empty) this.empty.textContent = empty;
    this.empty.hidden = !empty;
    this.list.hidden = !shown;
    this.tools?.say(shown, this.#tiles.length);
  }

  /** The filters or the order were changed by hand. */
  #ask(change) {
    change();
    this.query.keep();
    this.#page();
    this.#arrange();
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
    let at = this.list.firstElementChild;
    for (const tile of [...this.#tiles].sort(this.query.compare)) {
      const hide = !this.query.matches(tile);
      if (tile.element.hidden !== hide) tile.element.hidden = hide;
      if (tile.element === at) at = at.nextElementSibling;
      else this.list.insertBefore(tile.element, at);
    }
    if (focused?.tile && focused !== document.activeElement && !focused.hidden) {
      focused.focus({ preventScroll: true });
    }
    if (!this.isWall) this.totals.press(this.query.pressed());
    this.#sayState();
    this.roving.settle();
    this.#fit();
  }

  #fit() {
    if (!this.isWall) return;
    const shown = this.#tiles.filter((tile) => !tile.element.hidden);
    fitWall(this.list, shown.length, Math.max(0, ...shown.map((tile) => tile.title.length)));
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
  }

  /** What stands around the floor: the site's name, and links that keep the filters. */
  #page() {
    const { name } = this.#site;
    for (const one of document.querySelectorAll("[data-site]")) if (name) one.textContent = name;
    const title = this.words[this.isWall ? "wall_title" : "title"];
    document.title = name ? `${title} · ${name}` : title;
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

  /** After an update of the hub, the page takes its new modules; once for each build. */
  #outdated(build) {
    const mine = document.documentElement.dataset.build;
    if (!mine || !build || mine === build) return false;
    const key = `diadema.reloaded.${build}`;
    if (sessionStorage.getItem(key)) return false;
    sessionStorage.setItem(key, "1");
    location.reload();
    return true;
  }
}
