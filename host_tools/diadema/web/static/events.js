/* The stored events behind a number, in a dialog: hour, kind, and the fields as they came. */

const HIDDEN = new Set(["at", "k", "s", "e", "n", "b", "u", "t"]);

export class Events {
  /** `load()` gives the list; `hour` writes UTC ms. */
  constructor(words, hour) {
    Object.assign(this, { words, hour });
    this.dialog = document.createElement("dialog");
    this.dialog.className = "events";
    this.title = document.createElement("h2");
    this.title.id = "events-title";
    this.dialog.setAttribute("aria-labelledby", this.title.id);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet";
    close.append(words.close);
    close.addEventListener("click", () => this.dialog.close());
    const head = document.createElement("header");
    head.append(this.title, close);
    this.body = document.createElement("div");
    this.body.className = "scroll";
    this.body.tabIndex = 0;
    this.dialog.append(head, this.body);
  }

  async show(title, load) {
    this.title.textContent = title;
    this.body.replaceChildren(this.#say(this.words.loading));
    this.dialog.showModal();
    try {
      const events = await load();
      this.body.replaceChildren(events.length ? this.#table(events) : this.#say(this.words.no_events));
    } catch (error) {
      this.body.replaceChildren(this.#say(error.detail ?? this.words.failed));
    }
  }

  #say(text) {
    const said = document.createElement("p");
    said.append(text);
    return said;
  }

  #table(events) {
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const word of ["time", "event", "fields", "origin"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.append(this.words[`events.${word}`]);
      head.append(cell);
    }
    const body = table.createTBody();
    for (const event of events) {
      const row = body.insertRow();
      row.insertCell().append(event.at === null ? "—" : this.hour(event.at));
      row.insertCell().append(event.k);
      const fields = Object.entries(event).filter(([name]) => !HIDDEN.has(name));
      row.insertCell().append(fields.map(([name, value]) => `${name}: ${plain(value)}`).join(" · "));
      const origin = row.insertCell();
      origin.className = "origin";
      origin.append(`${event.s} ${event.e}/${event.n}`);
    }
    return table;
  }
}

function plain(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
