/* What can be done about a ticket, each with its form in one dialog. What is refused is said there,
   and what was written stays. */

import { ask } from "./ask.js";
import { button, field, input, make, select } from "./form.js";
import { fill } from "./tile.js";
import {
  CAUSE_CHARACTERS, NUMBER_CHARACTERS, REASON_CHARACTERS, SEVERITIES, TEXT_CHARACTERS,
  TITLE_CHARACTERS,
} from "./wire.js";

const SEATS_CHARACTERS = 200;

const optional = (control) => Object.assign(control, { required: false });

let last = 0;

export class Forms {
  /** `ways.others(id)`: rows that a report or a duplicate can go to; `ways.done(what)` is called
      with what was done. */
  constructor(words, options, ways) {
    Object.assign(this, { words, ways, options });
    this.title = make("h2");
    this.title.id = `fault-form-${++last}`;
    this.form = make("form", "order");
    this.form.addEventListener("submit", (event) => this.#submit(event));
    const close = button("quiet close", "×", () => this.element.close());
    close.setAttribute("aria-label", words.close);
    this.element = make("dialog", "panel", make("header", "", this.title, close), make("section", "", this.form));
    this.element.setAttribute("aria-labelledby", this.title.id);
  }

  /** `row`: of the ticket; `report`: that is to go to one. */
  open(kind, row = null, report = null) {
    const { words } = this;
    Object.assign(this, { kind, row, report });
    this.#choose();
    this.title.textContent = words[`do.${kind}`];
    this.wrong = make("p", "wrong");
    this.wrong.setAttribute("role", "alert");
    const hint = { note: "field.text.hint", open: "open.hint" }[kind];
    const send = make("button", "send", words["do.send"]);
    const cancel = button("choice", words["do.cancel"], () => this.element.close());
    this.form.replaceChildren(
      ...(hint ? [make("p", "hint", words[hint])] : []),
      ...Object.values(this.fields).map((one) => one.closest("label")),
      this.wrong, make("div", "choices", send, cancel),
    );
    this.element.showModal();
    this.form.querySelector("input, select, textarea").focus();
  }

  #choose() {
    const { words, row, report, options } = this;
    const fields = (this.fields = {});
    const put = (name, control, word = `field.${name}`) => {
      fields[name] = control;
      field(words[word], control);
    };
    const reason = () => put("reason", input(REASON_CHARACTERS));
    const external = (word) => {
      put("external", input(NUMBER_CHARACTERS), word);
      fields.external.value = row.external ?? "";
      fields.external.required = !word;
    };
    const severity = (first) =>
      put("severity", optional(select([...first, ...SEVERITIES.map((one) => [one, `${one} · ${words[`severity.${one}`]}`])])));
    const area = (chosen) => {
      put("area", select(options.areas.filter(([code, , , inUse]) => inUse || code === chosen)));
      if (chosen) fields.area.value = chosen;
    };
    const others = (name) =>
      put(name, select(this.ways.others(row?.ticket).map((one) => [one.ticket, `${one.title} · ${this.ways.place(one)}`])));
    const kinds = {
      assign: () => {
        put("to", select(options.staff.filter(([, , areas]) => areas === null || areas.includes(row.area))));
        fields.to.value = row.to ?? options.me;
        external("field.external.optional");
      },
      note: () => put("text", Object.assign(make("textarea"), { maxLength: TEXT_CHARACTERS, rows: 5, required: true })),
      resolve: () => {
        put("cause", input(CAUSE_CHARACTERS));
        put("fix", optional(input(CAUSE_CHARACTERS)));
      },
      change: () => {
        severity(row.severity === null ? [["", words["severity.unknown"]]] : []);
        fields.severity.value = row.severity ?? "";
        area(row.area);
        external("field.external.optional");
        reason();
      },
      external: () => external(),
      reopen: reason,
      reject: reason,
      duplicate: () => {
        others("other");
        reason();
      },
      link: () => others("ticket"),
      open: () => {
        put("title", input(TITLE_CHARACTERS));
        area(report?.area);
        put("part", optional(select([])));
        fields.area.addEventListener("change", () => this.#offerParts());
        this.#offerParts();
        if (report?.part) fields.part.value = report.part;
        severity([["", words["field.severity.proposed"]]]);
        put("seats", optional(input(SEATS_CHARACTERS)));
        fields.seats.value = report?.seat ?? "";
        put("whole", optional(Object.assign(make("input"), { type: "checkbox" })));
      },
    };
    kinds[this.kind]();
  }

  #offerParts() {
    const { area, part } = this.fields;
    const known = this.options.areas.find(([code]) => code === area.value);
    const parts = (known?.[2] ?? []).map(([code, label]) => new Option(label, code));
    part.replaceChildren(new Option(this.words["field.part.none"], ""), ...parts);
  }

  /** What the fields say; null, and why, where that is nothing to send. */
  #body() {
    const { kind, fields, row, report, words } = this;
    const said = {};
    for (const [name, control] of Object.entries(fields)) {
      const value = control.type === "checkbox" ? control.checked : control.value.trim();
      if (value) said[name] = name === "severity" ? Number(value) : value;
    }
    const of = report ? { of: report.of } : {};
    switch (kind) {
      case "assign":
        return { action: "ticket_taken", ...said };
      case "note":
        return { action: "ticket_noted", ...said };
      case "resolve":
        return { action: "ticket_resolved", ...said };
      case "external":
        return { action: "ticket_changed", ...said, reason: words["external.reason"] };
      case "reopen":
        return { action: "ticket_reopened", ...said };
      case "reject":
        return { action: "ticket_closed", outcome: "rejected", ...said };
      case "duplicate":
        return { action: "ticket_closed", outcome: "duplicate", ...said };
      case "link":
        return { action: "ticket_linked", ...of };
      case "change": {
        const { reason, ...rest } = said;
        const changed = Object.entries(rest).filter(([name, value]) => value !== row[name]);
        return changed.length ? { action: "ticket_changed", ...Object.fromEntries(changed), reason } : null;
      }
      default: {
        const seats = said.seats?.split(",").map((one) => one.trim()).filter(Boolean);
        return { action: "ticket_opened", ...said, ...of, ...(seats && { seats }) };
      }
    }
  }

  async #submit(event) {
    event.preventDefault();
    const { words, kind, fields } = this;
    const body = this.#body();
    if (!body) {
      this.wrong.textContent = words.no_change;
      return;
    }
    const ticket = fields.ticket?.value ?? this.row?.ticket;
    const path = kind === "open" ? "/api/v1/tickets" : actions(ticket);
    try {
      const answer = await ask("POST", path, body);
      this.element.close();
      this.ways.done(fill(words.said, { what: words[`do.${kind}`] }), answer);
    } catch (error) {
      this.wrong.textContent = fill(words.failed, { what: words[`do.${kind}`], detail: error.detail ?? error.message });
    }
  }
}

export function actions(ticket) {
  return `/api/v1/tickets/${encodeURIComponent(ticket)}/actions`;
}
