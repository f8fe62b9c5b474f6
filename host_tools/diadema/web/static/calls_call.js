/* One call that was found: what it was, how it stands with its recording, and what one may do:
   listen, open it where another platform has it, hold it, hand over a copy. */

import { ask } from "./ask.js";
import { duration } from "./clock.js";
import { button, field, input, make, select } from "./form.js";
import { Player } from "./player.js";
import { fill } from "./tile.js";

const REASON = 64;
const BRIEF = 40;
const NUMBER = 32;
const COPIES = ["arco", "reclamo", "mandante", "autoridad", "judicial"];

let last = 0;

export class FoundCall {
  #player = null;
  #heard = ""; // the name of that listening
  #work = null; // the form that is open

  constructor(options, row) {
    Object.assign(this, { options, words: options.words });
    this.element = make("li", "call");
    this.below = make("div", "call-below");
    this.below.id = `call-${++last}`;
    this.#write(row);
  }

  /** Hear no more. What does not reach the hub ends there by itself. */
  close() {
    if (!this.#player) return;
    this.#player.close();
    this.#player = null;
    ask("POST", `/api/v1/listenings/${this.#heard}/end`).catch(() => {});
  }

  get #path() {
    const { s, e, n } = this.row;
    return `/api/v1/calls/${s}/${e}/${n}`;
  }

  #write(row) {
    const { words } = this;
    this.row = row;
    const when = make("p", "call-when", make("b", "", this.#moment(row.start)), make("small", "", words[row.direction] ?? row.direction));
    const who = make("p", "call-who", make("b", "", row.name), make("small", "", [row.team, row.queue || words.no_queue].filter(Boolean).join(" · ")));
    const what = make("p", "call-what", make("span", "", row.label ?? row.code ?? words.no_code), make("small", "", this.#talk(row)));
    const state = make("p", "call-state", make("span", "state", words[`state.${row.recording}`]), ...this.#signs(row));
    state.dataset.state = row.recording;
    state.firstChild.title = this.#about(row);
    this.element.replaceChildren(when, who, what, state, this.#buttons(row), this.below);
  }

  #moment(utc) {
    if (utc === null) return "—";
    const form = { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: this.options.zone };
    return new Intl.DateTimeFormat("es-PE", form).format(utc).replace(",", "");
  }

  #talk(row) {
    const { words } = this;
    if (row.outcome !== "answered") return words[`outcome.${row.outcome}`] ?? row.outcome;
    return `${words.talk.toLowerCase()} ${duration(row.talk_ms)}`;
  }

  #about(row) {
    const { words } = this;
    return words[`missing.${row.reason}`] ?? words[`about.${row.recording}`];
  }

  #signs(row) {
    const { words } = this;
    const found = [];
    const day = (utc) => this.#moment(utc - 1).slice(0, 10);
    if (row.expired) found.push(["expired", words["sign.expired"]]);
    if (row.held) found.push(["held", row.held_until ? fill(words["sign.held_until"], { day: day(row.held_until) }) : words["sign.held"]]);
    if (row.pauses === "not") found.push(["pauses", words["sign.pauses_not"]]);
    if (row.copies) found.push(["copies", fill(words[row.copies === 1 ? "sign.copies.one" : "sign.copies"], { n: row.copies })]);
    if (row.evaluations.length) found.push(["evaluated", words["sign.evaluated"]]);
    return found.map(([name, said]) => {
      const sign = make("small", "sign", said);
      sign.dataset.sign = name;
      return sign;
    });
  }

  #buttons(row) {
    const { words, options } = this;
    const { lead } = options;
    const is = row.recording === "linked" || row.recording === "by_hour";
    const shown = [
      row.hear && ["hear", () => this.#openHear()],
      row.outside && ["outside", () => this.#openOutside()],
      lead && is && ["hold", () => this.#openHold()],
      lead && is && !row.expired && ["copy", () => this.#openCopy()],
      lead && ["case", () => this.#openCase()],
      ["detail", () => this.#openDetail()],
    ].filter(Boolean);
    this.doing = Object.fromEntries(
      shown.map(([name, press]) => {
        const one = button("choice", words[name], () => (this.#work === name ? this.#shut() : press()));
        one.setAttribute("aria-expanded", "false");
        one.setAttribute("aria-controls", this.below.id);
        return [name, one];
      }),
    );
    return make("div", "choices", ...Object.values(this.doing));
  }

  // -- what stands below

  #open(name, ...parts) {
    this.#shut();
    this.#work = name;
    this.doing[name].setAttribute("aria-expanded", "true");
    this.below.replaceChildren(...parts);
    this.below.querySelector("select, input, button, a")?.focus();
  }

  #shut() {
    this.close();
    if (this.#work) this.doing[this.#work]?.setAttribute("aria-expanded", "false");
    this.#work = null;
    this.below.replaceChildren();
  }

  /** A form whose `send` is tried until it is done; what is refused is said below it. */
  #form(note, fields, word, send, meanwhile = "") {
    const { words } = this;
    const wrong = make("p", "wrong");
    wrong.setAttribute("role", "alert");
    const press = make("button", "send", word);
    const waits = make("p", "hint");
    waits.setAttribute("role", "status");
    const form = make("form", "order", ...(note ? [make("p", "hint", note)] : []), ...fields.map((one) => one.closest("label")), wrong, waits,
      make("div", "choices", press, button("choice", words.cancel, () => this.#shut())));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      press.disabled = true;
      wrong.textContent = "";
      waits.textContent = meanwhile;
      try {
        await send();
      } catch (error) {
        wrong.textContent = fill(words["done.failed"], { detail: error.detail ?? error.message });
      }
      press.disabled = false;
      waits.textContent = "";
    });
    return form;
  }

  #purpose() {
    const control = select(this.options.purposes.map((one) => [one, this.words[`purpose.${one}`]]));
    field(this.words["hear.purpose"], control);
    return control;
  }

  #openHear() {
    const { words } = this;
    const purpose = this.#purpose();
    this.#open("hear", this.#form(words["hear.note"], [purpose], words["hear.begin"], async () => {
      const found = await ask("POST", `${this.#path}/listening`, { purpose: purpose.value });
      this.#player = new Player(this.options.player, found.sound, found.marks);
      this.#heard = found.sound.listening;
      const over = button("choice", words["hear.close"], () => this.#shut());
      this.below.replaceChildren(this.#player.element, make("div", "choices", over));
    }));
  }

  #openOutside() {
    const { words } = this;
    const purpose = this.#purpose();
    this.#open("outside", this.#form(words["outside.note"], [purpose], words["outside.begin"], async () => {
      const found = await ask("POST", `${this.#path}/outside`, { purpose: purpose.value });
      const link = make("a", "", words["outside.open"]);
      Object.assign(link, { href: found.address, target: "_blank", rel: "noopener noreferrer" });
      const minutes = Object.assign(input(4), { type: "number", min: 0, max: 1440, step: 1, inputMode: "numeric" });
      field(words["outside.minutes"], minutes);
      this.below.replaceChildren(make("p", "", link), this.#form("", [minutes], words["outside.end"], async () => {
        const said = { minutes: Number(minutes.value) };
        await ask("POST", `/api/v1/calls/outside/${found.listening}`, said);
        this.below.replaceChildren(this.#done(fill(words["outside.done"], said)));
      }));
      link.focus();
    }));
  }

  #openHold() {
    const { words, row } = this;
    const reason = input(REASON);
    field(words["hold.reason"], reason);
    const until = Object.assign(input(10), { type: "date", required: false });
    field(words["hold.until"], until);
    const send = (said, done) => async () => {
      const found = await ask("POST", `${this.#path}/hold`, said());
      this.#write(found.call);
      this.below.replaceChildren(this.#done(words[done]));
    };
    const forms = [this.#form(words["hold.note"], [reason, until], words["hold.save"],
      send(() => ({ reason: reason.value, until: until.value || null }), "hold.done"))];
    if (row.held) {
      const why = input(REASON);
      field(words["hold.let_go.reason"], why);
      forms.push(this.#form("", [why], words["hold.let_go"], send(() => ({ reason: why.value, let_go: true }), "hold.gone")));
    }
    this.#open("hold", ...forms);
  }

  #openCopy() {
    const { words } = this;
    const purpose = select(COPIES.map((one) => [one, words[`copy.${one}`]]));
    field(words["copy.purpose"], purpose);
    const receiver = input(BRIEF);
    field(words["copy.receiver"], receiver);
    const reason = input(BRIEF);
    field(words["copy.reason"], reason);
    this.#open("copy", this.#form(words["copy.note"], [purpose, receiver, reason], words["copy.save"], async () => {
      const said = { purpose: purpose.value, receiver: receiver.value.trim(), reason: reason.value.trim() };
      const found = await ask("POST", `${this.#path}/copies`, said);
      const file = make("a", "", words["copy.file"]);
      Object.assign(file, { href: found.file, download: "" });
      const sheet = make("a", "", words["copy.sheet"]);
      Object.assign(sheet, { href: `${found.sheet}?lang=${document.documentElement.lang}`, target: "_blank", rel: "noopener" });
      this.below.replaceChildren(this.#done(words["copy.ready"]), make("p", "ways", file, sheet));
      file.focus();
    }, words["copy.making"]));
  }

  async #openCase() {
    const { words, row } = this;
    const call = [row.s, row.e, row.n];
    this.#open("case", make("p", "hint", words["case.reading"]));
    try {
      const known = await ask("GET", `/api/v1/quality/cases/calls/${call.join("/")}`);
      if (this.#work !== "case") return;
      const open = known.cases.filter((one) => one.state === "open");
      const list = make("ul", "acts", ...open.map((one) => make("li", "", fill(words["case.open"], { number: one.number, day: this.#moment(one.until - 1).slice(0, 10) }))));
      const more = known.recording || known.evaluation ? this.#caseForm(call, known) : make("p", "", words["case.nothing"]);
      this.#open("case", ...(open.length ? [list] : []), more);
    } catch (error) {
      if (this.#work === "case") this.#open("case", make("p", "wrong", error.detail ?? error.message));
    }
  }

  #caseForm(call, { recording, evaluation }) {
    const { words } = this;
    const number = input(NUMBER);
    field(words["case.number"], number);
    const reason = input(BRIEF);
    field(words["case.reason"], reason);
    const until = Object.assign(input(10), { type: "date" });
    field(words["case.until"], until);
    const whole = Object.assign(make("input"), { type: "checkbox", checked: !recording });
    whole.disabled = !recording; // there is nothing else
    field(words["case.whole"], whole);
    const fields = [number, reason, until, ...(evaluation ? [whole] : [])];
    return this.#form(words["case.note"], fields, words["case.save"], async () => {
      const said = { call, number: number.value.trim(), reason: reason.value.trim(), until: until.value, evaluation: evaluation && whole.checked };
      await ask("POST", "/api/v1/quality/cases", said);
      const found = await ask("GET", this.#path);
      this.#write(found.call);
      const way = make("a", "", words["case.all"]);
      way.href = `/ui/quality/cases?lang=${document.documentElement.lang}`;
      this.below.replaceChildren(this.#done(words["case.done"]), make("p", "ways", way));
    });
  }

  async #openDetail() {
    const { words, row } = this;
    const list = make("ul", "acts");
    const about = make("p", "", this.#about(row));
    const name = make("p", "hint", `${words.call}: ${row.c}`);
    const ways = row.evaluations.map((one, at) => {
      const way = make("a", "", fill(words[row.evaluations.length > 1 ? "evaluation.n" : "evaluation"], { n: at + 1 }));
      way.href = `/ui/quality/evaluations/${one}?lang=${document.documentElement.lang}`;
      return way;
    });
    const evaluated = ways.length ? [make("p", "ways", ...ways)] : [];
    this.#open("detail", about, name, ...evaluated, ...(this.options.lead ? [make("h3", "", words.acts), list] : []));
    if (!this.options.lead) return;
    try {
      const { acts } = await ask("GET", this.#path);
      list.replaceChildren(...(acts.length ? acts.map((one) => this.#act(one)) : [make("li", "", words["acts.none"])]));
    } catch (error) {
      list.replaceChildren(make("li", "wrong", error.detail ?? error.message));
    }
  }

  #act(one) {
    const { words } = this;
    const values = { ...one, purpose: words[`copy.${one.purpose}`] ?? one.purpose, until: one.until && this.#moment(one.until) };
    const said = fill(words[`act.${one.kind}${one.kind === "held" && !one.until ? ".always" : ""}`], values);
    const by = fill(words["act.by"], { when: this.#moment(one.at), by: one.by });
    return make("li", "", make("span", "", said), make("small", "", by));
  }

  #done(text) {
    const said = make("p", "done", text);
    said.setAttribute("role", "status");
    return said;
  }
}
