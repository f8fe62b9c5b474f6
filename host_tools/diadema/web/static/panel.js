/* What can be done about one agent: answer, act at the station, note what was done. */

import { ask } from "./ask.js";
import { button, field, make } from "./form.js";
import { Orders } from "./orders.js";
import { Sent } from "./sent.js";
import { fill } from "./tile.js";
import { LOGGED_OUT, NOTE_CHARACTERS, NOTE_KINDS, REPRIMAND, PRESS_ANSWERS } from "./wire.js";

const PAUSE_MS = 1000; // after a note was saved, so that a double press saves none twice

let last = 0;

export class Panel {
  #tile = null;
  #kind = null;
  #saved = -PAUSE_MS;
  #waits = "";

  /** `site` as of `Orders`; `may`: {act, figures}; `language` for the links. */
  constructor(words, site, may, language) {
    Object.assign(this, { words, may, language });
    this.element = make("dialog", "panel");
    this.name = make("h2");
    this.name.id = `panel-${++last}`;
    this.element.setAttribute("aria-labelledby", this.name.id);
    this.about = make("p", "about");
    const close = button("quiet close", "×", () => this.element.close());
    close.setAttribute("aria-label", words["panel.close"]);
    this.day = make("a", "day", words["panel.day"]);
    this.day.hidden = !may.figures;
    this.presses = make("section", "presses");
    this.orders = new Orders(words, site, (word, body) => this.#send(word, body));
    this.out = make("p", "hint", words["panel.out"]);
    this.sent = new Sent(words);
    const head = make("header", "", make("div", "", this.name, this.about), close);
    const parts = may.act ? [this.presses, this.#notes(), this.out, this.orders.element, this.sent.element] : [];
    this.element.append(head, ...parts, make("footer", "", this.day));
    this.element.addEventListener("close", () => this.#closed());
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close(); // beside it
    });
  }

  get agent() {
    return this.element.open ? this.#tile.row.a : null;
  }

  open(tile) {
    this.#tile = tile;
    this.#waits = null;
    this.orders.clear();
    if (this.may.act) this.#choose(null);
    this.sent.clear();
    this.day.href = `/ui/agents/${encodeURIComponent(tile.row.a)}?lang=${this.language}`;
    this.tick();
    this.element.showModal();
  }

  /** Write what the agent's row and time change. */
  tick() {
    const tile = this.#tile;
    if (!tile) return;
    const { row } = tile;
    const write = (element, text) => {
      if (element.textContent !== text) element.textContent = text;
    };
    write(this.name, tile.title);
    const now = [tile.stateText, tile.clock.textContent].filter(Boolean).join(" ");
    write(this.about, [row.seat, now, row.team].filter(Boolean).join(" · "));
    if (!this.may.act) return;
    this.contact.hidden = !row.c;
    write(this.contact, row.c ? fill(this.words["panel.note.contact"], { c: row.c }) : "");
    const isOut = row.state === LOGGED_OUT;
    this.out.hidden = !isOut;
    this.orders.element.hidden = isOut;
    this.orders.offerTest(row.reason === "login");
    this.#offerAnswers(row);
  }

  #offerAnswers(row) {
    const waits = JSON.stringify([row.help, row.fault]);
    if (waits === this.#waits) return;
    this.#waits = waits;
    const { words } = this;
    const lines = [];
    for (const [kind, states] of Object.entries(PRESS_ANSWERS)) {
      const press = row[kind];
      if (!press) continue;
      const [, by, topic] = press;
      const open = states.filter((state) => !(by && state === "accepted"));
      const said = [words[`panel.${kind}`], by ?? topic].filter(Boolean).join(" · ");
      lines.push(make("p", "", make("b", "", said), ...open.map((state) => this.#answer(kind, state))));
    }
    this.presses.replaceChildren(...lines);
    this.presses.hidden = !lines.length;
  }

  #answer(kind, state) {
    const word = this.words[`panel.${kind}.${state}`];
    return button("choice", word, () => this.#send(word, { action: kind, state }));
  }

  #notes() {
    const { words } = this;
    this.note = make("textarea");
    this.note.maxLength = NOTE_CHARACTERS;
    this.note.rows = 2;
    this.contact = make("span", "contact");
    this.kinds = make("div", "choices");
    this.kinds.setAttribute("role", "group");
    this.kinds.setAttribute("aria-label", words["panel.note"]);
    for (const kind of NOTE_KINDS) {
      const choice = button("choice", words[`kind.${kind}`], () => this.#choose(kind));
      choice.dataset.kind = kind;
      this.kinds.append(choice);
    }
    this.save = make("button", "send", words["panel.save"]);
    this.hint = make("p", "hint");
    this.hint.setAttribute("role", "note");
    const form = make("form", "order", field(words["panel.note.text"], this.note), this.save);
    form.addEventListener("submit", (event) => this.#saveNote(event));
    return make(
      "section", "notes", make("h3", "", words["panel.note"], this.contact), this.kinds, form,
      this.hint,
    );
  }

  #choose(kind) {
    this.#kind = kind;
    if (kind === null) this.note.value = "";
    for (const choice of this.kinds.children) {
      choice.setAttribute("aria-pressed", String(choice.dataset.kind === kind));
    }
    this.#say(kind === REPRIMAND ? "panel.note.reprimand" : "panel.note.hint");
    this.#offerSave();
  }

  #offerSave() {
    this.save.setAttribute("aria-disabled", String(this.#kind === null || this.#justSaved));
  }

  get #justSaved() {
    return performance.now() - this.#saved < PAUSE_MS;
  }

  #say(word) {
    this.hint.textContent = this.words[word];
  }

  /** What cannot be saved now is said: a button that is off would only be silent. */
  async #saveNote(event) {
    event.preventDefault();
    const kind = this.#kind;
    const note = this.note.value.trim();
    if (this.#justSaved) return this.#say("panel.note.pause");
    if (kind === null) return this.#say("panel.note.choose");
    if (kind === REPRIMAND && !note) {
      this.note.focus();
      return this.#say("panel.note.needed");
    }
    const { c } = this.#tile.row;
    const word = this.words[`kind.${kind}`];
    const body = { action: "note", kind, ...(note && { note }), ...(c && { c }) };
    const undo = { reason: this.words["panel.undo.reason"] };
    const asking = ask("POST", this.#path(), body);
    this.#saved = performance.now();
    this.#choose(null);
    setTimeout(() => this.#offerSave(), PAUSE_MS);
    const saved = await this.sent.follow(word, asking, (of) =>
      ask("POST", `/api/v1/actions/${of.join("/")}/annulment`, undo));
    if (saved || this.#kind !== null || this.note.value) return;
    this.note.value = note; // to be saved again
    this.#choose(kind);
  }

  #path() {
    return `/api/v1/agents/${encodeURIComponent(this.#tile.row.a)}/actions`;
  }

  #send(word, body) {
    this.sent.follow(word, ask("POST", this.#path(), body));
  }

  #closed() {
    if (this.element.open) return; // open again before it was told
    const { element } = this.#tile;
    this.#tile = null;
    this.sent.clear();
    if (element.isConnected) element.focus({ preventScroll: true });
  }
}
