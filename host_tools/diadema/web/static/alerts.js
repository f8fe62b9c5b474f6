/* What somebody must come for, the most urgent first; a user says which were seen to. */

import { ask } from "./ask.js";
import { Chime } from "./chime.js";
import { duration } from "./clock.js";
import { icon } from "./icons.js";
import { percent } from "./numbers.js";
import { fill } from "./tile.js";

const SHOWN = 4;
const known = (one) => `${one.rule} ${one.queue ?? one.a} ${one.since}`;

export class Alerts {
  #all = [];
  #waiting = 0;
  #beyond = 0; // that are not in the list
  #lines = new Map();
  #whole = false;
  #heard = null; // those that were there before, so that only new ones are said and heard

  /** `open(alert)` shows whose it is; `mayAct`: whether this user may say that one was seen to. */
  constructor(words, open, mayAct) {
    Object.assign(this, { words, open, mayAct });
    this.chime = new Chime(words);
    this.element = document.createElement("section");
    this.element.className = "alerts";
    this.element.setAttribute("aria-label", words["alert.title"]);
    this.head = document.createElement("h2");
    this.list = document.createElement("ul");
    this.more = document.createElement("button");
    this.more.type = "button";
    this.more.className = "quiet more";
    this.more.addEventListener("click", () => {
      this.#whole = !this.#whole;
      this.#draw();
    });
    this.fault = document.createElement("p");
    this.fault.className = "fault";
    this.fault.setAttribute("role", "alert");
    this.fault.hidden = true;
    this.live = document.createElement("p");
    this.live.className = "unseen";
    this.live.setAttribute("role", "status");
    const bar = document.createElement("div");
    bar.className = "alerts-bar";
    bar.append(this.head, this.chime.button);
    this.beyond = document.createElement("p");
    this.element.append(bar, this.list, this.beyond, this.more, this.fault, this.live);
    this.#draw();
  }

  get waiting() {
    return this.#waiting;
  }

  /** The most urgent level of each agent that nobody has seen to. */
  levels() {
    const levels = new Map();
    for (const one of this.#all) {
      if (!one.by) levels.set(one.a, Math.max(levels.get(one.a) ?? 0, one.level));
    }
    return levels;
  }

  take({ list, waiting, all }) {
    this.#all = list;
    this.#beyond = all - list.length;
    this.#waiting = waiting;
    const unseen = list.filter((one) => !one.by);
    const fresh = this.#heard && unseen.filter((one) => !this.#heard.has(known(one)));
    this.#heard = new Set(list.map(known));
    this.#draw();
    if (!fresh?.length) return;
    this.live.textContent = fill(this.words["alert.new"], { text: this.#sentence(fresh[0]) });
    this.chime.ring(Math.max(...fresh.map((one) => one.level)));
  }

  /** Write what time alone changes. */
  tick(now) {
    for (const { time, one } of this.#lines.values()) {
      const text = duration(now - one.since);
      if (time.firstChild.data !== text) time.firstChild.data = text;
    }
  }

  #draw() {
    const { words } = this;
    this.element.toggleAttribute("data-none", !this.#all.length);
    this.head.textContent = this.#waiting
      ? `${words["alert.title"]} · ${this.#waiting}`
      : this.#all.length ? words["alert.title"] : words["alert.none"];
    const shown = this.#whole ? this.#all : this.#all.slice(0, SHOWN);
    const before = this.#lines;
    this.#lines = new Map();
    const focused = document.activeElement;
    this.list.replaceChildren(
      ...shown.map((one) => {
        const line = before.get(known(one)) ?? this.#line(one);
        line.one = one;
        this.#write(line);
        this.#lines.set(known(one), line);
        return line.element;
      }),
    );
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    this.beyond.hidden = !(this.#whole && this.#beyond);
    this.beyond.textContent = fill(words["alert.beyond"], { n: this.#beyond });
    const rest = this.#all.length + this.#beyond - SHOWN;
    this.more.hidden = rest <= 0;
    this.more.textContent = this.#whole ? words["alert.less"] : fill(words["alert.more"], { n: rest });
  }

  #line(one) {
    const element = document.createElement("li");
    const who = document.createElement("button");
    const what = document.createElement("span");
    const time = document.createElement("time");
    const seen = document.createElement("span");
    const ack = document.createElement("button");
    element.className = "alert";
    element.dataset.rule = one.rule;
    element.dataset.a = one.a;
    who.type = ack.type = "button";
    who.className = "who";
    what.className = "what";
    seen.className = "seen";
    ack.className = "ack";
    time.append("");
    ack.append(this.words["alert.ack"]);
    ack.hidden = !this.mayAct;
    who.addEventListener("click", () => this.open(one));
    ack.addEventListener("click", () => this.#acknowledge(one, ack));
    element.append(icon("warn"), who, what, time, seen, ack);
    return { element, who, what, time, seen, ack, one };
  }

  #write({ element, who, what, seen, ack, one }) {
    const { words } = this;
    element.dataset.level = one.by ? 0 : one.level;
    who.textContent = [one.name, one.seat].filter(Boolean).join(" · ");
    what.textContent = this.text(one);
    seen.textContent = one.by ? fill(words["alert.seen"], { by: one.by }) : "";
    ack.hidden = !this.mayAct || Boolean(one.by);
    ack.setAttribute("aria-label", fill(words["alert.ack.of"], { text: this.#sentence(one) }));
  }

  #sentence(one) {
    return `${one.name}, ${this.text(one)}`;
  }

  /** What is the matter, in words. */
  text(one) {
    const { words } = this;
    const limit = duration(one.limit * 1000);
    const values = { limit, what: one.what, state: words[`state.${one.what}`] ?? one.what };
    const say = (key) => fill(words[`alert.${key}`], values);
    if (one.rule === "queue_waiting") values.limit = one.limit;
    if (one.rule === "queue_level_s") {
      Object.assign(values, { what: percent(one.what), target: percent(one.base) });
    }
    if (one.rule === "help") return say(one.what ? "help.topic" : "help");
    if (one.rule === "unfit") {
      if (words[`alert.unfit.${one.what}`]) return say(`unfit.${one.what}`);
      values.what = words[`part.${one.what}`] ?? one.what;
      return say(one.what ? "unfit.part" : "unfit");
    }
    if (one.rule !== "call" || !one.base) return say(one.rule);
    const rule = { times: Math.round(one.limit / one.base), base: duration(one.base * 1000) };
    return `${say("call")} (${fill(words["alert.call.rule"], rule)})`;
  }

  async #acknowledge(one, button) {
    button.disabled = true;
    this.fault.hidden = true;
    try {
      const whose = one.queue === null ? ["agents", one.a] : ["queues", one.queue];
      const path = `/api/v1/${whose.map(encodeURIComponent).join("/")}/actions`;
      await ask("POST", path, { action: "acknowledge", rule: one.rule, since: one.since });
    } catch (error) {
      this.fault.textContent = fill(this.words["alert.failed"], { detail: error.detail ?? error.message });
      this.fault.hidden = false;
    }
    button.disabled = false;
  }
}
