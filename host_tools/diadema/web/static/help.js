/* The page Ayudas: who waits for help, the most urgent first, as the stream brings it. */

import { ask } from "./ask.js";
import { Chime } from "./chime.js";
import { HubClock, dayOf, duration, hourOf } from "./clock.js";
import { make } from "./form.js";
import { Stat } from "./head.js";
import { HelpCase } from "./help_case.js";
import { Link, outdated } from "./link.js";
import { Notice } from "./notice.js";
import { count } from "./numbers.js";
import { place } from "./place.js";
import { fill } from "./tile.js";
import "./shell.js";

const CALM = 2; // how urgent the tone is: of a caller on hold, or of an alert, more
const URGENT = 3;
const ALERT = 2; // the level of one to whom nobody comes
const SHAKE_MS = 200;

class Helps {
  #cases = new Map();
  #order = [];
  #heard = null; // the level of those that were there before: only what is new is said and heard
  #site = { name: "", zone: "America/Lima" };

  /** `results`: [code, word] of what may come of it; `owner`: the user answers for a playbook. */
  constructor(root, { words, results, owner }) {
    Object.assign(this, { root, words, results });
    this.clock = new HubClock();
    this.chime = new Chime(words);
    this.notice = new Notice(words);
    const board = make("div", "board");
    board.setAttribute("role", "group");
    board.setAttribute("aria-label", words.title);
    this.waiting = new Stat(board, "waiting", words["help.waiting"]);
    this.longest = new Stat(board, "longest", words.longest);
    this.taken = new Stat(board, "taken", words["help.taken"]);
    this.list = make("ol", "helps");
    this.list.setAttribute("aria-label", words["help.list"]);
    this.list.tabIndex = -1;
    this.empty = make("p", "empty");
    this.live = make("p", "unseen");
    this.live.setAttribute("role", "status");
    root.append(make("div", "heads", board, this.chime.button), this.notice.element, this.list, this.empty);
    if (owner) root.append(this.#gaps());
    root.append(this.live);
    const link = new Link("help", this.clock, {
      snapshot: (snap) => this.#snapshot(snap),
      change: (message) => this.#change(message),
      stale: (since, why) => this.#stale(since, why),
    });
    link.open();
    this.#tick();
  }

  #snapshot(snap) {
    if (outdated(snap.build)) return;
    this.#site = snap.site;
    this.#take(snap.rows, snap.rows.map((row) => row.of));
  }

  #change(message) {
    if (message.d.length || message.order) this.#take(message.d, message.order);
  }

  #take(rows, order) {
    for (const row of rows) {
      const key = String(row.of);
      const known = this.#cases.get(key);
      if (known) known.update(row);
      else this.#cases.set(key, new HelpCase(this.words, this.results, row, () => this.#drop(key)));
    }
    if (order) this.#arrange(order.map(String));
    this.#announce();
    this.#say();
    this.#tickNow();
  }

  /** One that the user has just solved stays where it was until it is put away. */
  #arrange(order) {
    for (const [at, key] of this.#order.entries()) {
      if (order.includes(key)) continue;
      if (this.#cases.get(key).end()) order.splice(Math.min(at, order.length), 0, key);
      else this.#forget(key);
    }
    this.#order = order;
    const focused = document.activeElement;
    place(this.list, order.map((key) => this.#cases.get(key).element));
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  #forget(key) {
    this.#cases.get(key).element.remove();
    this.#cases.delete(key);
  }

  /** The user has put it away. */
  #drop(key) {
    this.#forget(key);
    this.#order = this.#order.filter((one) => one !== key);
    this.list.focus({ preventScroll: true }); // the button is gone
    this.#say();
  }

  /** Say and sound what is new, and to which nobody goes, once; not what was so when the page came. */
  #announce() {
    const before = this.#heard;
    this.#heard = new Map(this.#order.map((key) => [key, this.#cases.get(key).row.level]));
    if (!before) return;
    const waiting = this.#order.filter((key) => this.#cases.get(key).waits);
    const alerts = waiting.filter((key) => this.#heard.get(key) === ALERT && before.get(key) !== ALERT);
    const news = alerts.concat(waiting.filter((key) => !before.has(key))).map((key) => this.#cases.get(key));
    if (!news.length) return;
    for (const one of news) one.mark();
    this.live.textContent = fill(this.words[alerts.length ? "help.alert" : "help.new"], { who: news[0].title });
    this.chime.ring(alerts.length || news.some((one) => one.row.held) ? URGENT : CALM);
    if (this.chime.isOn) navigator.vibrate?.(SHAKE_MS);
  }

  #stale(since, why) {
    this.clock.freeze(since || null);
    this.root.toggleAttribute("data-stale", since !== null);
    const hour = hourOf(this.#site.zone, document.documentElement.lang, true);
    this.notice.say(since, why, hour, this.#order.length);
    this.since = since;
    this.#say();
  }

  /** The figures, and what stands where nobody waits. */
  #say() {
    const cases = this.#order.map((key) => this.#cases.get(key)).filter((one) => !one.over);
    const waiting = cases.filter((one) => one.waits);
    this.waiting.say(count(waiting.length));
    this.taken.say(count(cases.length - waiting.length));
    const title = this.words.title;
    document.title = waiting.length ? `(${waiting.length}) ${title}` : title;
    this.empty.hidden = Boolean(this.#order.length) || this.since !== null;
    this.empty.textContent = `${this.words["help.none"]} ${this.words["help.none.hint"]}`;
  }

  #tick() {
    this.#tickNow();
    const wait = this.clock.speed === 1 ? 1000 - (this.clock.running() % 1000) + 5 : 200;
    setTimeout(() => this.#tick(), wait);
  }

  #tickNow() {
    if (!this.clock.known) return;
    const now = this.clock.now();
    let first = null;
    for (const one of this.#cases.values()) {
      one.tick(now);
      if (one.waits && one.row.since) first = Math.min(first ?? Infinity, one.row.since);
    }
    this.longest.say(first === null ? "—" : duration(now - first));
    const minute = hourOf(this.#site.zone, document.documentElement.lang, false)(now);
    for (const one of document.querySelectorAll("[data-clock]")) {
      if (one.textContent !== minute) one.textContent = minute;
    }
  }

  // -- what the user's own playbooks lack

  #gaps() {
    const { words } = this;
    this.lacks = make("ul");
    this.head = make("summary", "", words["help.gaps"]);
    const folded = make("details", "gaps", this.head, this.lacks);
    folded.addEventListener("toggle", () => folded.open && this.#readGaps());
    this.#readGaps();
    return folded;
  }

  async #readGaps() {
    const { words } = this;
    let found = [];
    try {
      found = await ask("GET", "/api/v1/help/gaps");
    } catch (error) {
      this.lacks.replaceChildren(make("li", "", error.detail ?? error.message));
      return;
    }
    this.head.textContent = `${words["help.gaps"]} · ${count(found.length)}`;
    const day = dayOf(this.#site.zone);
    const lines = found.map((one) => {
      const which = [one.playbook, one.version && `v${one.version}`].filter(Boolean).join(" ");
      const about = [words[`gap.${one.gap}`], one.topic, one.text].filter(Boolean).join(" · ");
      return make("li", "", make("time", "", day(one.utc)), make("b", "", which || "—"), make("span", "", about));
    });
    this.lacks.replaceChildren(...(lines.length ? lines : [make("li", "", words["help.gaps.none"])]));
  }
}

const root = document.getElementById("floor");
new Helps(root, JSON.parse(document.getElementById("options").textContent));
