/* The page of faults, and an area's own: tickets that go on, the gravest first, each with who has
   it and until when; those of today that are closed; reports that are part of none. */

import { HubClock, dayOf, hourOf } from "./clock.js";
import { Ticket } from "./faults_ticket.js";
import { Row, Times } from "./faults_row.js";
import { button, make, select } from "./form.js";
import { Link, outdated } from "./link.js";
import { Notice } from "./notice.js";
import { place } from "./place.js";
import { fill } from "./tile.js";
import "./shell.js";

const TICK_MS = 1000;
const GOING = ["open", "taken"];

/** Which rows a total counts, and shows when it is pressed. */
const COUNTED = {
  going: (row) => GOING.includes(row.state),
  untaken: (row) => row.state === "open",
  late: (row, now) => row.due !== null && row.due < now,
  mass: (row) => row.mass && row.state !== "closed",
  resolved: (row) => row.state === "resolved",
};

class Faults {
  #rows = new Map();
  #loose = [];
  #known = null; // tickets that were there before, so that only new ones are said
  #pressed = "";
  #since = 0;
  #why = null;

  constructor(root, options) {
    const { words } = options;
    Object.assign(this, { root, words, isArea: options.desk === "area" });
    this.clock = new HubClock();
    this.times = new Times(words);
    this.notice = new Notice(words);
    this.#timesOf("America/Lima");
    const all = [options.stations, ...options.areas];
    this.areas = new Map(all.map(([code, label, parts]) => [code, { label, parts: new Map(parts) }]));
    this.live = make("p", "unseen");
    this.live.setAttribute("role", "status");
    this.totals = this.#totals();
    this.list = make("ul", "faults");
    this.list.setAttribute("aria-label", words.list);
    this.empty = make("p", "empty");
    this.loose = make("section", "loose");
    this.closed = make("ul", "faults");
    this.closedHead = make("summary");
    this.shut = make("details", "shut", this.closedHead, this.closed);
    this.ticket = new Ticket(words, options, {
      times: this.times,
      clock: this.clock,
      place: (row) => this.place(row),
      others: (id) => [...this.#rows.values()].map(({ row }) => row)
        .filter((row) => row.ticket !== id && row.state !== "closed"),
      close: () => this.#open(null),
    });
    const lists = make("div", "lists", this.list, this.empty, this.shut);
    this.desk = make("div", "desk", lists, this.ticket.element);
    root.append(this.notice.element, this.#head(), this.ticket.told, this.loose, this.desk, this.live);
    root.addEventListener("click", (event) => this.#follow(event));
    window.addEventListener("popstate", () => this.#show());
    this.link = new Link(options.desk, this.clock, {
      snapshot: (snap) => this.#take(snap),
      change: () => {},
      stale: (since, why) => this.#stale(since, why),
    });
  }

  #timesOf(zone) {
    const language = document.documentElement.lang || "es";
    this.hour = hourOf(zone, language, true);
    Object.assign(this.times, { hour: hourOf(zone, language, false), day: dayOf(zone) });
  }

  start() {
    this.link.open();
    setInterval(() => this.#tick(), TICK_MS);
    this.#say();
  }

  /** «Sistemas · CRM». */
  place({ area, part }) {
    const known = this.areas.get(area);
    const said = [known?.label ?? area];
    if (part) said.push(known?.parts.get(part) ?? part);
    return said.join(" · ");
  }

  #totals() {
    const { words } = this;
    const group = make("div", "totals");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", words.totals);
    for (const key of Object.keys(COUNTED)) {
      const one = button("total", make("b", "", "0"), () => {
        this.#pressed = this.#pressed === key ? "" : key;
        this.#arrange();
      });
      one.dataset.total = key;
      one.append(" ", make("span", "", words[`total.${key}`]));
      group.append(one);
    }
    return group;
  }

  #head() {
    const { words } = this;
    this.search = make("input");
    this.search.type = "search";
    this.search.placeholder = words.search;
    this.search.setAttribute("aria-label", words.search);
    this.area = select([["", words["area.all"]]]);
    this.area.required = false;
    for (const control of [this.search, this.area]) control.addEventListener("input", () => this.#arrange());
    const area = make("label", "tool", make("span", "", words.area), this.area);
    this.areaTool = area;
    area.hidden = true;
    const tools = make("form", "tools", this.search, area);
    tools.setAttribute("role", "search");
    tools.setAttribute("aria-label", words.filters);
    tools.addEventListener("submit", (event) => event.preventDefault());
    if (!this.isArea) tools.append(button("send", words["do.open"], () => this.ticket.enter()));
    return make("div", "faults-head", this.totals, tools);
  }

  #take(snap) {
    if (outdated(snap.build)) return;
    this.#timesOf(snap.site.zone);
    this.times.now = this.clock.now();
    const before = this.#rows;
    this.#rows = new Map(snap.tickets.map((row) => {
      const known = before.get(row.ticket) ?? new Row(this.words, this.times);
      known.update(row, this.place(row));
      return [row.ticket, known];
    }));
    for (const [id, { element }] of before) if (!this.#rows.has(id)) element.remove();
    this.#sayNew();
    this.#offerAreas();
    this.#takeLoose(snap.loose);
    this.#arrange();
    this.#show();
    this.#tick();
  }

  /** Of those that there are now; one alone is no choice. */
  #offerAreas() {
    const { area, words } = this;
    const codes = [...new Set([...this.#rows.values()].map(({ row }) => row.area))];
    const options = codes.map((code) => [code, this.place({ area: code })]).sort((a, b) => a[1].localeCompare(b[1]));
    const said = JSON.stringify(options);
    if (area.dataset.said === said) return;
    area.dataset.said = said;
    const chosen = area.value;
    area.replaceChildren(new Option(words["area.all"], ""), ...options.map(([code, label]) => new Option(label, code)));
    area.value = codes.includes(chosen) ? chosen : "";
    this.areaTool.hidden = codes.length < 2;
  }

  #sayNew() {
    const going = [...this.#rows.values()].map(({ row }) => row).filter(COUNTED.going);
    const fresh = going.filter(({ ticket }) => this.#known && !this.#known.has(ticket));
    if (fresh.length) this.live.textContent = fill(this.words.new, fresh.at(-1));
    this.#known = new Set(going.map(({ ticket }) => ticket));
  }

  #takeLoose(reports) {
    const said = JSON.stringify(reports);
    if (said === this.#loose) return;
    this.#loose = said;
    const { words } = this;
    const lines = reports.map((report) => {
      const act = (what) => {
        const one = button("choice", words[`report.${what}`], () =>
          what === "open" ? this.ticket.enter(report) : this.ticket.join(report, one));
        one.setAttribute("aria-label", fill(words[`report.${what}.of`], report));
        return one;
      };
      return make("li", "", make("b", "", report.seat), make("span", "", this.place(report)),
        make("span", "soft", this.times.since(report.utc)), make("span", "choices", act("open"), act("link")));
    });
    const head = make("h2", "", words.loose);
    this.loose.replaceChildren(head, make("p", "note", words["loose.hint"]), make("ul", "", ...lines));
    this.loose.hidden = !reports.length;
  }

  /** Hide what does not match and put the rest in order. */
  #arrange() {
    const now = this.clock.known ? this.clock.now() : 0;
    const looked = this.search.value.trim().toLocaleLowerCase();
    const rows = [...this.#rows.values()].sort((a, b) => a.compare(b));
    for (const one of rows) {
      const { row } = one;
      const isWanted = !this.#pressed || COUNTED[this.#pressed](row, now);
      const isFound = !looked || one.text.includes(looked);
      one.element.hidden = !(isWanted && isFound && (!this.area.value || row.area === this.area.value));
    }
    const [closed, going] = [true, false].map((is) => rows.filter(({ row }) => (row.state === "closed") === is));
    place(this.list, going.map(({ element }) => element));
    place(this.closed, closed.map(({ element }) => element));
    const shown = (some) => some.filter(({ element }) => !element.hidden).length;
    this.shut.hidden = !shown(closed);
    this.closedHead.textContent = fill(this.words["closed.n"], { n: shown(closed) });
    this.list.hidden = !shown(going);
    this.#sayEmpty(going.length, shown(going) + shown(closed));
    for (const one of this.totals.children) {
      one.setAttribute("aria-pressed", String(one.dataset.total === this.#pressed));
    }
  }

  #sayEmpty(going, shown) {
    const { words } = this;
    let text = "";
    if (going && !shown) text = words.no_match;
    else if (!going && !this.#pressed && this.#known) text = this.isArea ? words["none.area"] : `${words.none} ${words["none.hint"]}`;
    this.empty.textContent = text;
    this.empty.hidden = !text;
  }

  #follow(event) {
    const link = event.target.closest("a[data-ticket]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this.#open(link.dataset.ticket);
  }

  /** Another ticket, or none, in the address and on the page. */
  #open(id) {
    const before = new URLSearchParams(location.search).get("ticket");
    const query = new URLSearchParams(location.search);
    if (id) query.set("ticket", id);
    else query.delete("ticket");
    if (id !== before) history.pushState(null, "", `?${query}`);
    this.#show();
    if (id) this.ticket.focus();
    else this.#rows.get(before)?.element.firstElementChild.focus();
  }

  #show() {
    const id = new URLSearchParams(location.search).get("ticket");
    const row = this.#rows.get(id)?.row;
    this.desk.toggleAttribute("data-open", Boolean(id));
    for (const [ticket, one] of this.#rows) one.mark(ticket === id);
    this.ticket.show(id, row);
  }

  #stale(since, why) {
    this.#since = since;
    this.#why = why;
    this.clock.freeze(since || null);
    this.root.toggleAttribute("data-stale", since !== null);
    this.#say();
    this.#tick();
  }

  #say() {
    this.notice.say(this.#since, this.#why, this.hour, this.#rows.size);
  }

  #tick() {
    if (!this.clock.known) return;
    const now = this.clock.now();
    for (const one of this.#rows.values()) one.tick(now);
    this.ticket.tick(now);
    for (const one of document.querySelectorAll("[data-clock]")) one.textContent = this.times.hour(now);
    const rows = [...this.#rows.values()].map(({ row }) => row);
    for (const one of this.totals.children) {
      const n = rows.filter((row) => COUNTED[one.dataset.total](row, now)).length;
      one.firstElementChild.textContent = String(n);
      one.toggleAttribute("data-zero", !n);
    }
  }
}

const root = document.getElementById("floor");
new Faults(root, JSON.parse(document.getElementById("options").textContent)).start();
