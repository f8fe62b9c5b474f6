/* The page «Buscar llamada»: what one looks for, the calls that are so, and what one may do with
   each. A number that is looked for goes in a body and is not remembered. */

import { FoundCall } from "./calls_call.js";
import { ask } from "./ask.js";
import { button, field, input, make, select } from "./form.js";
import { count } from "./numbers.js";
import { fill } from "./tile.js";
import "./shell.js";

class Calls {
  #asked = 0;
  #found = [];

  constructor(root, options) {
    Object.assign(this, { root, options, words: options.words });
    const { words } = this;
    const form = make("form", "looked-for");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
    });
    this.fields = this.#fields();
    const search = make("button", "send", words.search);
    form.append(...Object.values(this.fields).map((one) => one.closest("label")), make("div", "choices", search));
    this.status = make("p", "status");
    this.status.setAttribute("role", "status");
    this.list = make("ol", "calls");
    this.list.setAttribute("aria-label", words.title);
    this.list.toggleAttribute("data-lead", options.lead);
    this.more = button("quiet more", words.more, () => this.#read(this.next));
    this.more.hidden = true;
    root.append(form);
    if (!options.listens) root.append(make("p", "note", words["hear.monitor"]));
    root.append(this.status, this.list, this.more);
    if (options.lead) root.append(this.#terms());
    this.#search();
  }

  #fields() {
    const { words, options } = this;
    const any = (name, list) => [["", words[`${name}.any`]], ...list];
    const when = (value) => Object.assign(input(16), { type: "datetime-local", value, required: false });
    const text = (most) => Object.assign(input(most), { required: false });
    const choice = (list) => Object.assign(select(list), { required: false });
    const fields = {
      start: when(options.start),
      end: when(options.end),
      agent: choice(any("agent", options.agents)),
      queue: choice(any("queue", options.queues)),
      code: choice(any("code", options.codes)),
      call: text(64),
      number: Object.assign(text(32), { type: "tel", inputMode: "tel" }),
    };
    for (const [name, control] of Object.entries(fields)) {
      const label = field(words[name], control);
      const hint = words[`${name}.hint`];
      if (!hint) continue;
      const said = make("small", "", hint);
      said.id = `hint-${name}`;
      control.setAttribute("aria-describedby", said.id);
      label.append(said);
    }
    return fields;
  }

  #search() {
    for (const one of this.#found) one.close();
    this.#found = [];
    this.list.replaceChildren();
    this.#read(null);
  }

  async #read(after) {
    const { words } = this;
    const asked = ++this.#asked;
    const wanted = { after };
    for (const [name, control] of Object.entries(this.fields)) {
      if (control.value.trim()) wanted[name] = control.value.trim();
    }
    this.list.setAttribute("aria-busy", "true");
    this.status.textContent = words.searching;
    this.more.hidden = true;
    try {
      const found = await ask("POST", "/api/v1/calls/search", wanted, false);
      if (asked !== this.#asked) return;
      this.next = found.next;
      for (const row of found.items) {
        const one = new FoundCall(this.options, row);
        this.#found.push(one);
        this.list.append(one.element);
      }
      this.more.hidden = !found.next;
      this.#say();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.status.textContent = fill(words.failed, { detail: error.detail ?? error.message });
      this.more.hidden = !after;
    } finally {
      if (asked === this.#asked) this.list.removeAttribute("aria-busy");
    }
  }

  #say() {
    const { words } = this;
    const n = this.#found.length;
    const word = this.next ? "count.more" : n === 1 ? "count.one" : "count";
    this.status.textContent = n ? fill(words[word], { n: count(n) }) : `${words.none} ${words["none.hint"]}`;
  }

  // -- recordings whose time is over

  #terms() {
    const { words } = this;
    const body = make("div", "terms-body");
    const folded = make("details", "terms", make("summary", "", words.terms), body);
    folded.addEventListener("toggle", () => folded.open && this.#readTerms(body), { once: true });
    return folded;
  }

  async #readTerms(body) {
    const { words } = this;
    const line = (text) => make("p", "", text);
    try {
      const found = await ask("GET", "/api/v1/calls/terms");
      if (!found) {
        body.replaceChildren(line(words["terms.not_set_up"]));
        return;
      }
      const n = found.due.reduce((sum, [, one]) => sum + one, 0);
      const said = (word, many) => fill(words[many === 1 ? `${word}.one` : word], { n: count(many) });
      const months = found.due.map(([month, one]) => make("li", "", fill(words["terms.month"], { month, n: count(one) })));
      body.replaceChildren(
        line(n ? said("terms.due", n) : words["terms.none"]),
        ...(months.length ? [make("ul", "", ...months)] : []),
        line(said("terms.held", found.held)),
        line(found.instruction ? fill(words["terms.instruction"], { number: found.instruction }) : words["terms.no_instruction"]),
      );
    } catch (error) {
      body.replaceChildren(line(error.detail ?? error.message));
    }
  }
}

const root = document.getElementById("floor");
new Calls(root, JSON.parse(document.getElementById("options").textContent));
