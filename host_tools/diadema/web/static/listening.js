/* The page «Escuchas»: who may be heard now, and the register of who heard which call. */

import { Live } from "./listening_live.js";
import { ask } from "./ask.js";
import { duration } from "./clock.js";
import { button, field, input, make, select } from "./form.js";
import { count } from "./numbers.js";
import { fill } from "./tile.js";
import "./shell.js";

const SOURCES = ["live", "recording", "outside", "refused"];

class Listening {
  #asked = 0;
  #n = 0;

  constructor(root, options) {
    Object.assign(this, { options, words: options.words });
    const { words } = this;
    if (options.purposes.length) {
      this.live = new Live(options, () => this.#read(null));
      root.append(this.live.element);
    }
    const form = make("form", "looked-for");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#read(null);
    });
    this.fields = this.#fields();
    form.append(...Object.values(this.fields).map((one) => one.closest("label")), make("div", "choices", make("button", "send", words.show)));
    this.status = make("p", "status");
    this.status.setAttribute("role", "status");
    this.list = make("ol", "heard");
    this.list.setAttribute("aria-label", words.register);
    this.more = button("quiet more", words.more, () => this.#read(this.next));
    this.more.hidden = true;
    const head = make("h2", "", words.register);
    const report = make("a", "", words.export);
    report.href = `/ui/reports?kind=escuchas&lang=${document.documentElement.lang}`;
    root.append(make("section", "register", head, form, this.status, this.list, this.more, make("p", "ways", report)));
    this.#read(null);
  }

  #fields() {
    const { words, options } = this;
    const day = () => Object.assign(input(10), { type: "date", value: options.today });
    const choice = (first, list) => Object.assign(select([["", first], ...list]), { required: false });
    const fields = {
      from: day(),
      to: day(),
      agent: choice(words.any, options.agents),
      by: choice(words.any, []),
      purpose: choice(words.any, options.known.map((one) => [one, words[`purpose.${one}`]])),
      source: choice(words["source.any"], SOURCES.map((one) => [one, words[`source.${one}`]])),
    };
    for (const [name, control] of Object.entries(fields)) field(words[name], control);
    return fields;
  }

  async #read(after) {
    const { words } = this;
    const asked = ++this.#asked;
    const query = new URLSearchParams();
    for (const [name, control] of Object.entries(this.fields)) if (control.value) query.set(name, control.value);
    if (after) query.set("after", after);
    this.list.setAttribute("aria-busy", "true");
    if (!after) this.status.textContent = words.reading;
    try {
      const found = await ask("GET", `/api/v1/listenings?${query}`);
      if (asked !== this.#asked) return;
      if (!after) {
        this.list.replaceChildren();
        this.#n = 0;
        this.#offer(found.listeners);
      }
      this.#n += found.items.length;
      this.list.append(...found.items.map((one) => this.#line(one)));
      this.next = found.next;
      this.more.hidden = !found.next;
      const word = found.next ? "count.more" : this.#n === 1 ? "count.one" : "count";
      this.status.textContent = this.#n ? fill(words[word], { n: count(this.#n) }) : words.none;
    } catch (error) {
      if (asked === this.#asked) this.status.textContent = fill(words.failed, { detail: error.detail ?? error.message });
    } finally {
      if (asked === this.#asked) this.list.removeAttribute("aria-busy");
    }
  }

  /** Those who listened in these days; who was chosen stays so. */
  #offer(listeners) {
    const { by } = this.fields;
    const chosen = by.value;
    const known = listeners.some(([id]) => id === chosen) || !chosen ? listeners : [...listeners, [chosen, chosen]];
    by.replaceChildren(new Option(this.words.any, ""), ...known.map(([id, name]) => new Option(name, id)));
    by.value = chosen;
  }

  #line(row) {
    const { words } = this;
    const part = (name, first, ...rest) => make("p", name, make("b", "", first), ...rest.filter(Boolean).map((one) => make("small", "", one)));
    const from = this.#moment(row.at);
    const [day, hour] = from.split(" ");
    const until = row.ended === null ? fill(words.going, { from: hour }) : fill(words.from_to, { from: hour, to: this.#moment(row.ended).split(" ")[1] });
    const who = part("who", row.who || words.unknown, row.purpose ? words[`purpose.${row.purpose}`] ?? row.purpose : words.no_purpose);
    const whose = part("whose", row.name, [row.team, row.queue].filter(Boolean).join(" · "));
    const call = row.call === null ? words["call.gone"] : fill(words.call, { at: this.#moment(row.call) });
    const how = make("p", "how", make("span", "", this.#how(row)), make("small", "", call));
    if (row.stray) how.firstChild.className = "outside";
    const line = make("li", "hearing", part("when", day, row.kind === "refused" ? hour : until), who, whose, how, this.#came(row));
    line.toggleAttribute("data-bad", row.stray || row.kind === "refused");
    return line;
  }

  #how(row) {
    const { words } = this;
    if (row.stray) return words.stray;
    const parts = [words[row.source === "live" ? "how.live" : "how.recording"]];
    if (row.via === "outside") parts.push(words.outside);
    if (row.source === "live" && row.mode) parts.push(words[`mode.${row.mode}`].split(":")[0]);
    return parts.join(" · ");
  }

  #came(row) {
    const { words } = this;
    if (row.kind === "refused") return make("p", "came", make("span", "cause", fill(words.refused, { why: row.why })));
    const parts = [];
    if (row.heard_ms !== null) {
      const declared = row.via === "outside" && !row.stray;
      parts.push(make("b", "", fill(words[declared ? "heard.declared" : "heard"], { time: duration(row.heard_ms) })));
    }
    if (row.why) parts.push(make("small", "cause", row.why));
    if (row.announced) parts.push(make("small", "", words.announced));
    return make("p", "came", ...parts);
  }

  #moment(utc) {
    const form = { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: this.options.zone };
    return new Intl.DateTimeFormat("es-PE", form).format(utc).replace(",", "");
  }
}

const root = document.getElementById("floor");
new Listening(root, JSON.parse(document.getElementById("options").textContent));
