/* A kind as a table: searched and paged by the hub, opened row by row. */

import { button, field, make } from "./form.js";
import { drawFoot, tools } from "./people.js";
import { openForm } from "./people_form.js";

const LIMIT = 50;
const PAUSE_MS = 250;

export class List {
  #timer = 0;
  #asked = 0;

  constructor(page, kind, body) {
    Object.assign(this, { page, kind, body });
    this.before = [];
    this.after = "";
    const { words } = page;
    this.search = make("input");
    this.search.type = "search";
    this.search.maxLength = 64;
    this.search.value = page.asked("q");
    this.search.addEventListener("input", () => this.#later());
    this.retired = make("input");
    this.retired.type = "checkbox";
    this.retired.checked = page.asked("retired") === "1";
    this.retired.addEventListener("change", () => this.#anew());
    const add = button("primary", words["page.add"], () => openForm(page, kind, null));
    if (kind.name === "settings") add.hidden = true;
    this.head = make(
      "div", "list-tools",
      field(words["page.search"], this.search),
      make("label", "check", this.retired, words["page.retired"]),
      make("span", "gap"), ...tools(page, kind), add,
    );
    this.table = make("div", "scroll");
    this.foot = make("div", "list-foot");
    const about = kind.about ? [make("p", "note", kind.about)] : [];
    body.append(this.head, ...about, this.table, this.foot);
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#anew(), PAUSE_MS);
  }

  #anew() {
    this.before = [];
    this.after = "";
    this.page.remember({ q: this.search.value.trim(), retired: this.retired.checked ? "1" : "" });
    this.load();
  }

  async load() {
    const asked = ++this.#asked;
    const { page, kind } = this;
    this.table.setAttribute("aria-busy", "true");
    if (!this.table.firstChild) {
      this.table.append(make("div", "skeleton", make("span", "unseen", page.words["page.loading"])));
    }
    try {
      const found = await page.get(kind.name, {
        search: this.search.value.trim(), limit: LIMIT, after: this.after,
        retired: this.retired.checked ? "true" : "",
      });
      if (asked === this.#asked) this.#draw(found);
    } catch (error) {
      if (asked !== this.#asked) return;
      const told = make("p", "empty", page.word("page.error", { detail: error.detail ?? error }));
      const again = button("quiet", page.words["page.again"], () => this.load());
      this.table.replaceChildren(told, again);
    } finally {
      if (asked === this.#asked) this.table.removeAttribute("aria-busy");
    }
  }

  #draw({ entries, total, next }) {
    const { page, kind } = this;
    if (!entries.length) {
      const word = this.search.value.trim() ? "page.none.found" : "page.none";
      this.table.replaceChildren(make("p", "empty", page.words[word]));
      this.foot.replaceChildren();
      if (kind.name === "settings") {
        this.table.append(button("primary", page.words["page.add"], () =>
          openForm(page, kind, null, { code: "site", zone: here(page.zone) })));
      }
      return;
    }
    const [key, ...rest] = kind.fields;
    const shown = rest.filter(({ name }) => entries.some(({ entry }) => entry && name in entry));
    const dated = kind.dated
      ? ["valid_from", "valid_until"].filter((name) => entries.some((one) => one[name]))
      : [];
    const heads = [key, ...shown].map((one) => one.label);
    heads.push(...dated.map((name) => page.words[`field.${name}`]));
    const head = make("tr", "", ...heads.map((text) => heading(text)));
    const rows = entries.map((one) => this.#row(one, key, shown, dated));
    const table = make("table", "", make("thead", "", head), make("tbody", "", ...rows));
    this.table.replaceChildren(table);
    drawFoot(this, page.word("page.total", { n: total }), next);
  }

  #row(one, key, shown, dated) {
    const { page, kind } = this;
    const open = button("entry", one.entry ? said(key, one.entry[key.name]) : one.code, () =>
      openForm(page, kind, one));
    const first = make("th", "", open);
    first.scope = "row";
    const row = make("tr", "", first);
    for (const column of shown) row.append(make("td", "", said(column, one.entry?.[column.name])));
    for (const name of dated) row.append(make("td", "day", one[name] ?? ""));
    if (!one.entry) {
      row.dataset.retired = "";
      first.append(make("small", "", page.words["page.retired.since"]));
    }
    return row;
  }
}

/** The zone to begin with: the browser's where the site has none yet. */
function here(zone) {
  return zone === "UTC" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}

function heading(text) {
  const cell = make("th", "", text);
  cell.scope = "col";
  return cell;
}

const BADGE = /^([a-z0-9]{1,16})#([0-9a-f]{4})[0-9a-f]{28,}( .*)?$/;

/** A value as people read it; of a badge its kind and the beginning of its hash. */
export function said(column, value) {
  if (value === undefined || value === null) return "";
  if (value === true) return "✓";
  if (Array.isArray(value)) return value.map((item) => brief(column, item)).join(" · ");
  return column.choices.find(([key]) => key === value)?.[1] ?? String(value);
}

/** An item of a list. */
export function brief(column, item) {
  if (column.choices.length) return column.choices.find(([key]) => key === item)?.[1] ?? item;
  if (column.shape.endsWith("badge")) return item.replace(BADGE, "$1 #$2$3");
  return item.replace(/^[a-z]+/, (name) => (Object.hasOwn(column.items, name) ? column.items[name] : name));
}
