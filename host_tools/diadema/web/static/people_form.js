/* One entry as a form: made, changed, retired or brought back, with its history beside it. */

import { button, field, make, select } from "./form.js";
import { alert_, sheet } from "./people.js";
import { brief, said } from "./people_list.js";

const LONG = 500; // characters, from which on a text has some lines

/** `known`: the entry as the hub gave it, null for a new one. `given`: what a new one begins with. */
export async function openForm(page, kind, known, given = {}) {
  const form = new EntryForm(page, kind, known, given);
  await form.open();
  return form;
}

class EntryForm {
  constructor(page, kind, known, given) {
    Object.assign(this, { page, kind, known, given });
    this.newest = known?.version;
    this.controls = new Map();
  }

  async open() {
    const { page, kind, known } = this;
    const title = known ? `${kind.label}: ${known.code}` : `${kind.label}: ${page.words["form.new"]}`;
    this.dialog = sheet(page, title);
    this.form = make("form", "entry-form");
    this.form.noValidate = true;
    this.wrong = alert_(this.dialog);
    this.dialog.append(this.form);
    if (known && !known.entry) this.#drawRetired();
    else await this.#drawFields();
    if (known) this.#drawHistory();
  }

  async #drawFields() {
    const { page, kind, known } = this;
    const entry = known?.entry ?? this.given;
    for (const one of kind.fields) {
      const control = await this.#control(one, entry[one.name]);
      this.controls.set(one.name, control);
      this.form.append(control.element);
    }
    if (kind.dated) {
      for (const name of ["valid_from", "valid_until"]) {
        const control = dateInput(known ? (name === "valid_from" ? page.today : "") : "");
        control.name = name;
        this[name] = control;
        this.form.append(hinted(page.words[`field.${name}`], control, page.words[`form.${name}.hint`]));
      }
    }
    if (kind.name === "agents") this.form.append(make("p", "note", page.words["form.pin"]));
    this.#drawReason();
    const save = button("primary", page.words["form.save"]);
    save.type = "submit";
    const buttons = make("div", "buttons", save);
    if (known && kind.name !== "settings") {
      buttons.append(button("quiet danger", page.words["form.retire"], () => this.#retire()));
    }
    this.form.append(buttons);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  #drawReason() {
    const { page } = this;
    this.reason = make("input");
    this.reason.maxLength = 200;
    this.reason.name = "reason";
    const told = `${page.words["form.required"]}, ${page.words["form.reason.hint"]}`;
    this.form.append(hinted(page.words["field.reason"], this.reason, told, "wide"));
  }

  #drawRetired() {
    const { page } = this;
    this.#drawReason();
    const back = button("primary", page.words["form.restore"], () =>
      this.#do(() => page.send("POST", page.path(`restore/${this.kind.name}`, this.known.code), {
        reason: this.reason.value,
      })));
    this.form.append(make("div", "buttons", back));
  }

  async #control(one, value) {
    const { page, kind, known } = this;
    const fixed = Boolean(known) && kind.key.includes(one.name);
    const control = await makeControl(page, one, value);
    for (const input of control.inputs) {
      input.name = one.name;
      if (fixed) input.disabled = true;
    }
    if (fixed) control.read = () => value;
    const word = one.required ? `${one.label} *` : one.label;
    const hint = page.words[`hint.${one.name}`] ?? (one.many && !one.of ? page.words["form.one_a_line"] : "");
    const about = hint ? [make("small", "", hint)] : [];
    control.element = control.group
      ? make("fieldset", "field group wide", make("legend", "", word), ...control.parts, ...about)
      : hinted(word, control.inputs[0], hint, one.many || one.most >= LONG ? "wide" : "");
    if (one.type === "bool") control.element.classList.add("check");
    return control;
  }

  #entry() {
    const entry = {};
    for (const [name, control] of this.controls) {
      const value = control.read();
      if (value !== "" && value !== null && value !== undefined && value !== false) entry[name] = value;
    }
    return entry;
  }

  #save() {
    const { page, kind, known } = this;
    const entry = this.#entry();
    const parts = kind.key.map((name) => entry[name] ?? "");
    while (parts.length > 2 && !parts.at(-1)) parts.pop();
    const code = known?.code ?? parts.join("/");
    if (!code.replaceAll("/", "")) {
      this.#tell({ detail: `${kind.fields[0].label}: ${page.words["form.required"]}`,
        errors: [{ where: kind.key[0] }] });
      return;
    }
    this.#do(() => page.send("PUT", page.path(kind.name, code), {
      entry, reason: this.reason.value,
      seen: known ? this.newest : kind.slot ? null : 0,
      valid_from: this.valid_from?.value || null,
      valid_until: this.valid_until?.value || null,
    }));
  }

  #retire() {
    const { page, kind, known } = this;
    this.#do(() => page.send("DELETE", page.path(kind.name, known.code), undefined, {
      reason: this.reason.value, seen: this.newest,
      valid_from: kind.dated ? this.valid_from?.value || page.today : "",
    }));
  }

  async #do(work) {
    const { page } = this;
    if (!this.reason.value.trim()) {
      const detail = `${page.words["field.reason"]}: ${page.words["form.required"]}`;
      this.#tell({ detail, errors: [{ where: "reason" }] });
      return;
    }
    this.form.inert = true;
    try {
      await work();
      this.dialog.close();
      page.changed(page.words["form.saved"]);
    } catch (error) {
      this.#tell(error);
    } finally {
      this.form.inert = false;
    }
  }

  #tell(error) {
    this.wrong.textContent = error.detail ?? String(error);
    for (const input of this.form.elements) input.removeAttribute("aria-invalid");
    const places = (error.errors ?? []).map((one) => one.where.split(".").pop());
    const wrong = [...this.form.elements].filter((one) => places.includes(one.name));
    for (const input of wrong) input.setAttribute("aria-invalid", "true");
    (wrong[0] ?? this.form.elements[0])?.focus();
  }

  async #drawHistory() {
    const { page, kind, known } = this;
    const list = make("ol", "history");
    this.dialog.append(make("section", "history-part", make("h3", "", page.words["history.title"]), list));
    const versions = await page.get(page.path(`history/${kind.name}`, known.code));
    this.newest = versions[0].version; // may be of later days than what the form shows
    const when = new Intl.DateTimeFormat(page.language, {
      dateStyle: "medium", timeStyle: "short", timeZone: page.zone,
    });
    versions.forEach((one, at) => {
      const before = versions[at + 1];
      const head = [page.word("history.version", { n: one.version }), one.by, when.format(one.at_ms)];
      if (one.valid_from) head.push(page.word("history.from", { day: one.valid_from }));
      if (one.valid_until) head.push(page.word("history.until", { day: one.valid_until }));
      const item = make("li", "", make("b", "", head.join(" · ")), make("span", "soft", one.reason));
      item.append(...changesOf(page, kind, before, one));
      list.append(item);
    });
  }
}

function changesOf(page, kind, before, one) {
  if (!one.entry) return [make("span", "change", page.words["history.retired"])];
  if (!before) return [make("span", "change", page.words["history.created"])];
  return kind.fields
    .filter(({ name }) => JSON.stringify(before.entry?.[name]) !== JSON.stringify(one.entry[name]))
    .map((column) => {
      const [old, now] = [before.entry?.[column.name], one.entry[column.name]].map(
        (value) => said(column, value) || page.words["form.none"],
      );
      return make("span", "change", `${column.label}: `, make("del", "", old), " → ", make("ins", "", now));
    });
}

/** The control of a field: its inputs, and how its value is read. */
export async function makeControl(page, one, value) {
  const none = page.words["form.none"];
  if (one.choices.length && one.many) return boxes(one.choices, value ?? []);
  if (one.choices.length) return chosen(select([["", none], ...one.choices]), value);
  if (one.of && one.many) return boxes(await page.choices(one.of), value ?? []);
  if (one.of && one.of !== "agents") {
    const options = (await page.choices(one.of)).map(([code, name]) => [
      code, name && name !== code ? `${code} · ${name}` : code,
    ]);
    if (value && !options.some(([code]) => code === value)) options.push([value, value]);
    return chosen(select([["", none], ...options]), value);
  }
  if (one.type === "bool") {
    const input = make("input");
    input.type = "checkbox";
    input.checked = Boolean(value);
    return { inputs: [input], read: () => input.checked };
  }
  if (one.many) {
    const area = make("textarea");
    area.rows = Math.min(6, Math.max(2, (value ?? []).length + 1));
    const whole = new Map(); // what is shown of an item, and the item
    for (const item of value ?? []) whole.set(whole.has(brief(one, item)) ? item : brief(one, item), item);
    area.value = [...whole.keys()].join("\n");
    const read = () =>
      area.value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => whole.get(line) ?? line);
    return { inputs: [area], read: () => (read().length ? read() : null) };
  }
  return typed(one, value);
}

function typed(one, value) {
  if (one.type === "text" && one.most >= LONG) return paragraph(one, value);
  const input = make("input");
  input.autocomplete = "off";
  input.value = value ?? "";
  if (one.type === "date" || one.type === "time") input.type = one.type;
  if (one.type === "int" || one.type === "decimal") {
    input.type = "number";
    input.step = one.type === "int" ? "1" : "any";
    if (one.low !== null) input.min = one.low;
    if (one.high !== null) input.max = one.high;
    return { inputs: [input], read: () => (input.value === "" ? null : Number(input.value)) };
  }
  if (!one.of && input.type === "text") input.maxLength = one.most;
  return { inputs: [input], read: () => input.value.trim() };
}

/** A long text, in which the end of a line is a blank. */
function paragraph(one, value) {
  const area = make("textarea");
  area.rows = 4;
  area.maxLength = one.most;
  area.value = value ?? "";
  return { inputs: [area], read: () => area.value.replace(/\s+/g, " ").trim() };
}

function chosen(control, value) {
  control.value = value ?? "";
  control.required = false;
  return { inputs: [control], read: () => control.value };
}

function boxes(options, value) {
  const inputs = options.map(([code]) => {
    const input = make("input");
    input.type = "checkbox";
    input.value = code;
    input.checked = value.includes(code);
    return input;
  });
  const parts = inputs.map((input, at) => make("label", "check", input, options[at][1] || options[at][0]));
  const read = () => {
    const codes = inputs.filter((input) => input.checked).map((input) => input.value);
    return codes.length ? codes : null;
  };
  return { inputs, parts, group: true, read };
}

function dateInput(value) {
  const input = make("input");
  input.type = "date";
  input.value = value;
  return input;
}

export function hinted(word, control, hint, className = "") {
  const label = field(word, control);
  if (hint) label.append(make("small", "", hint));
  if (className) label.classList.add(className);
  return label;
}
