/* To hear a call that goes on: who may be heard now, for what and how, and how one's own listening
   stands, asked of the hub every two seconds. */

import { ask } from "./ask.js";
import { HubClock, duration } from "./clock.js";
import { button, field, make, select } from "./form.js";
import { place } from "./place.js";
import { fill } from "./tile.js";

const EVERY_MS = 2000;

export class Live {
  #lines = new Map();
  #known = null; // the last listening of one's own that was seen going
  #busy = false;
  #asked = 0;

  /** `over` is called when a listening of one's own has ended. */
  constructor(options, over) {
    Object.assign(this, { options, words: options.words, over });
    const { words } = this;
    this.clock = new HubClock();
    this.purpose = select(options.purposes.map((one) => [one, words[`purpose.${one}`]]));
    this.mode = select([]);
    this.asked = make("div", "live-asked", field(words["live.purpose"], this.purpose), field(words["live.mode"], this.mode));
    this.policy = make("p", "note");
    this.state = make("p", "note");
    this.mine = make("div", "live-mine");
    this.mine.tabIndex = -1;
    this.said = make("p", "done");
    this.said.setAttribute("role", "status");
    this.wrong = make("p", "wrong");
    this.wrong.setAttribute("role", "alert");
    this.list = make("ul", "live-calls");
    this.list.setAttribute("aria-label", words.live);
    this.element = make("section", "live-listening", make("h2", "", words.live), this.asked, this.policy, this.mine, this.said, this.wrong, this.state, this.list);
    this.purpose.addEventListener("change", () => this.#modes());
    this.mode.addEventListener("change", () => this.#policy());
    this.#modes();
    this.#follow();
    setInterval(() => this.#tick(), 1000);
  }

  #modes() {
    const { words, options } = this;
    const before = this.mode.value;
    const allowed = options.modes[this.purpose.value];
    this.mode.replaceChildren(...allowed.map((one) => new Option(words[`mode.${one}`], one)));
    this.mode.value = allowed.includes(before) ? before : allowed[0];
    this.#policy();
  }

  /** What the agent will see of it. */
  #policy() {
    const shown = this.options.announced[this.purpose.value][this.mode.value];
    this.policy.textContent = this.words[shown ? "live.shown" : "live.register"];
  }

  async #follow() {
    if (!document.hidden || this.#known) await this.#read();
    setTimeout(() => this.#follow(), EVERY_MS);
  }

  async #read() {
    if (this.#busy) return; // what is being done answers the same
    const asked = ++this.#asked;
    try {
      const found = await ask("GET", "/api/v1/listenings/live");
      if (asked === this.#asked) this.#take(found);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.state.textContent = fill(this.words["live.failed"], { detail: error.detail ?? error.message });
      this.state.hidden = false;
    }
  }

  async #do(path, body) {
    this.#busy = true;
    this.#asked += 1;
    this.wrong.textContent = "";
    this.said.textContent = "";
    try {
      this.#take(await ask("POST", path, body));
    } catch (error) {
      this.wrong.textContent = fill(this.words["live.refused"], { detail: error.detail ?? error.message });
    }
    this.#busy = false;
  }

  #take(found) {
    const { words } = this;
    this.clock.anchor(found.now);
    const may = found.switch === "up";
    this.asked.hidden = this.policy.hidden = this.list.hidden = !may;
    const why = { none: "live.no_switch", away: "live.away", up: "live.none" }[found.switch];
    this.state.textContent = words[why];
    this.state.hidden = may && found.calls.length > 0;
    this.#say(found.mine, found.last);
    this.#calls(may ? found.calls : [], found.mine);
    this.#tick();
  }

  /** One's own: it rings, it is heard, it has ended. */
  #say(mine, last) {
    const { words } = this;
    if (!mine && this.#known) {
      const its = last?.listening === this.#known.listening ? last : null;
      const values = its && { name: this.#known.name, why: its.why, time: duration(its.heard_ms) };
      this.said.textContent = its ? fill(words["live.ended"], values) : words["live.unheard"];
      this.#known = null;
      this.mine.replaceChildren();
      this.over();
    }
    if (!mine) return;
    const anew = this.#known?.listening !== mine.listening;
    this.#known = mine;
    if (anew) {
      this.heard = make("span", "state");
      this.time = make("time");
      this.sign = make("small");
      const path = `/api/v1/listenings/live/${mine.listening}/end`;
      this.mine.replaceChildren(this.heard, this.time, this.sign, button("choice", words["live.end"], () => this.#do(path)));
    }
    const heard = mine.since !== null;
    const text = fill(words[heard ? "live.heard" : "live.rings"], mine);
    if (this.heard.textContent !== text) this.heard.textContent = text;
    const shown = mine.confirmed ? "live.confirmed" : "live.waits";
    this.sign.textContent = words[mine.announced ? (heard ? shown : "live.shown") : "live.register"];
  }

  #calls(calls, mine) {
    const lines = calls.map((call) => {
      const line = this.#lines.get(call.a) ?? this.#line(call.a);
      this.#write(line, call, mine);
      return line;
    });
    this.#lines = new Map(lines.map((line) => [line.call.a, line]));
    for (const one of [...this.list.children]) if (!lines.some((line) => line.element === one)) one.remove();
    place(this.list, lines.map((line) => line.element));
  }

  #line(a) {
    const line = { name: make("b"), about: make("small"), time: make("time"), also: make("small", "wrong") };
    line.press = button("choice", this.words["live.begin"], () => {
      const { c } = line.call;
      this.#do("/api/v1/listenings/live", { a, c, mode: this.mode.value, purpose: this.purpose.value });
    });
    line.element = make("li", "live-call", make("p", "", line.name, line.about, line.also), line.time, line.press);
    return line;
  }

  #write(line, call, mine) {
    const { words } = this;
    line.call = call;
    line.element.dataset.state = call.state;
    line.name.textContent = call.name;
    line.about.textContent = [call.seat, call.queue, words[`state.${call.state}`]].filter(Boolean).join(" · ");
    line.also.textContent = call.heard_by.map((who) => (who ? fill(words["live.also"], { who }) : words["live.stray"])).join(" · ");
    line.press.setAttribute("aria-label", fill(words["live.begin.of"], call));
    line.press.disabled = Boolean(mine);
  }

  #tick() {
    if (!this.clock.known) return;
    const now = this.clock.now();
    for (const { time, call } of this.#lines.values()) time.textContent = call.since === null ? "" : duration(now - call.since);
    if (this.#known && this.time) this.time.textContent = this.#known.since === null ? "" : duration(now - this.#known.since);
  }
}
