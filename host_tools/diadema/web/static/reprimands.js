/* Reprimands of one agent, who may answer each once; for those alone who may read them. */

import { ask } from "./ask.js";
import { button, field, make } from "./form.js";
import { fill } from "./tile.js";
import { NOTE_CHARACTERS } from "./wire.js";

export class Reprimands {
  #shown = new Map(); // by place: what is drawn, and its element, with an answer under way

  /** `moment(ms)` writes a day and an hour; `again` is called when one was answered. */
  constructor(words, moment, again) {
    Object.assign(this, { words, moment, again });
    this.list = make("ul");
    this.element = make(
      "section", "part reprimands", make("h2", "", words.reprimands),
      make("p", "note", words["reprimands.note"]), this.list,
    );
    this.element.hidden = true;
  }

  /** `own`: the reader is the agent. */
  draw(found, own) {
    this.element.hidden = !found.length;
    const before = this.#shown;
    this.#shown = new Map(found.map((one) => {
      const key = one.event.join("/");
      const said = JSON.stringify(one);
      const known = before.get(key);
      return [key, known?.said === said ? known : { said, element: this.#entry(one, key, own) }];
    }));
    const elements = [...this.#shown.values()].map(({ element }) => element);
    const same = elements.length === this.list.children.length
      && elements.every((element, at) => this.list.children[at] === element);
    if (!same) this.list.replaceChildren(...elements);
  }

  #entry({ utc, who, by, note, annulled, reply }, place, own) {
    const { words, moment } = this;
    const told = make("p", "", note);
    const lines = [make("b", "", fill(words["reprimand.given"], { who: who ?? by, at: moment(utc) }))];
    lines.push(annulled ? make("s", "", told) : told);
    if (annulled) {
      const at = moment(annulled.utc);
      lines.push(make("p", "", fill(words["reprimand.annulled"], { ...annulled, at })));
    }
    if (reply) {
      lines.push(make("p", "", fill(words["reprimand.reply"], { ...reply, at: moment(reply.utc) })));
    } else if (!annulled) {
      lines.push(own ? this.#form(place) : make("p", "soft", words["reprimand.unanswered"]));
    }
    return make("li", "", ...lines);
  }

  #form(place) {
    const { words } = this;
    const text = make("textarea");
    Object.assign(text, { maxLength: NOTE_CHARACTERS, rows: 2, required: true });
    const wrong = make("p", "wrong");
    wrong.setAttribute("role", "alert");
    const send = button("act", words["reprimand.send"]);
    send.type = "submit";
    const form = make("form", "", field(words["reprimand.answer"], text), wrong, send);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      try {
        await ask("POST", `/api/v1/actions/${place}/reply`, { text: text.value.trim() });
        this.again();
      } catch (error) {
        wrong.textContent = fill(words["reprimand.failed"], { detail: error.detail ?? error.message });
        send.disabled = false;
      }
    });
    return form;
  }
}
