/* The forms of what can be done at an agent's station: one at a time, each with its reason. */

import { button, field, input, make, select } from "./form.js";
import { MESSAGE_CHARACTERS, REASON_CHARACTERS } from "./wire.js";

const KINDS = ["message", "presence", "logout", "move", "selftest_skipped"];

export class Orders {
  /** `site` has `reasons` and `seats`; `send(word, body)` carries it out. */
  constructor(words, site, send) {
    Object.assign(this, { words, site, send });
    this.choices = make("div", "choices");
    this.choices.setAttribute("role", "group");
    this.form = make("form", "order");
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.element = make(
      "section", "act", make("h3", "", words["panel.act"]), this.choices, this.form,
      make("p", "hint", words["panel.act.hint"]),
    );
    for (const kind of KINDS) {
      const choice = button("choice", words[`panel.${kind}`], () => this.#choose(kind));
      choice.dataset.kind = kind;
      this.choices.append(choice);
    }
  }

  /** Whether the agent has just logged in, and may be at the self-test. */
  offerTest(isOffered) {
    this.choices.lastElementChild.hidden = !(this.site.selftest && isOffered);
  }

  /** Begin anew, with nothing chosen. */
  clear() {
    this.#choose(null);
  }

  #choose(kind) {
    this.kind = kind === this.kind ? null : kind;
    for (const choice of this.choices.children) {
      choice.setAttribute("aria-pressed", String(choice.dataset.kind === this.kind));
    }
    this.form.replaceChildren();
    if (!this.kind) return;
    this.fields = this.#fields(this.kind);
    const send = make("button", "send", this.words["panel.send"]);
    this.form.append(...Object.values(this.fields).map((one) => one.closest("label")), send);
    this.form.querySelector("input, select").focus();
  }

  #fields(kind) {
    const { words, site } = this;
    const fields = {};
    const put = (name, word, control) => {
      fields[name] = control;
      return field(word, control);
    };
    if (kind === "message") {
      put("text", words["panel.message.text"], input(MESSAGE_CHARACTERS));
      put("sign", words["panel.message.sign"], Object.assign(make("input"), { type: "checkbox" }));
    }
    if (kind === "presence") put("reason", words["panel.presence.reason"], select(site.reasons));
    if (kind === "move") put("seat", words["panel.move.seat"], select(site.seats.map((one) => [one, one])));
    put(kind === "presence" ? "note" : "reason", words["panel.reason"], input(REASON_CHARACTERS));
    return fields;
  }

  #submit(event) {
    event.preventDefault();
    const body = { action: this.kind };
    for (const [name, control] of Object.entries(this.fields)) {
      body[name] = control.type === "checkbox" ? control.checked : control.value.trim();
    }
    const empty = Object.values(this.fields).find((control) => control.required && !control.value.trim());
    if (empty) {
      empty.focus();
      return;
    }
    this.send(this.words[`panel.${this.kind}`], body);
    this.#choose(null);
    this.choices.firstElementChild.focus();
  }
}
