/* People and places: a kind at a time as a list, the roster as a week. What is open stands in the
   address, so that a reload and a link find it again. */

import { ask } from "./ask.js";
import { button, make } from "./form.js";
import { ImportDialog } from "./people_import.js";
import { List } from "./people_list.js";
import { PublishDialog } from "./people_publish.js";
import { Week } from "./people_week.js";

export function mount(root, options) {
  const page = new People(root, options);
  page.open(page.asked("kind") || options.kinds[0].name);
  if (page.asked("publish") && options.publishes) page.publishing.open();
  return () => page.close();
}

export class People {
  constructor(root, options) {
    Object.assign(this, { root, ...options });
    this.names = new Map();
    this.tabs = make("nav", "kinds");
    this.tabs.setAttribute("aria-label", this.words["page.kinds"]);
    this.choice = make("select", "kind-choice");
    this.choice.setAttribute("aria-label", this.words["page.kinds"]);
    this.choice.addEventListener("change", () => this.open(this.choice.value));
    for (const [label, names] of this.groups) this.#group(label, names);
    this.publishing = new PublishDialog(this);
    this.publishButton = button("primary", this.words["page.publish"], () => this.publishing.open());
    this.status = make("p", "status");
    this.status.setAttribute("role", "status");
    this.body = make("section", "kind-body");
    this.publishButton.hidden = !this.publishes;
    const head = make("div", "people-head", this.tabs, this.choice, this.publishButton);
    this.why = make("p", "why");
    this.why.hidden = true;
    root.append(head, this.why, this.status, this.body);
  }

  /** Some kinds that belong together: as buttons, and in a narrow window in one choice. */
  #group(label, names) {
    const tabs = make("div", "kind-group", make("span", "", label));
    tabs.setAttribute("role", "group");
    tabs.setAttribute("aria-label", label);
    const options = make("optgroup");
    options.label = label;
    for (const kind of names.map((name) => this.kinds.find((one) => one.name === name))) {
      const tab = button("kind", kind.label, () => this.open(kind.name));
      tab.dataset.kind = kind.name;
      tabs.append(tab);
      options.append(new Option(kind.label, kind.name));
    }
    this.tabs.append(tabs);
    this.choice.append(options);
  }

  close() {
    this.view?.close?.();
    this.root.replaceChildren();
  }

  open(name) {
    const kind = this.kinds.find((one) => one.name === name) ?? this.kinds[0];
    this.view?.close?.();
    // a link may come with a search; one of another kind finds nothing here
    if (this.kind && kind !== this.kind) this.remember({ kind: kind.name, q: "", retired: "" });
    else this.remember({ kind: kind.name });
    this.kind = kind;
    for (const tab of this.tabs.querySelectorAll(".kind")) {
      tab.toggleAttribute("data-open", tab.dataset.kind === kind.name);
      if (tab.dataset.kind === kind.name) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    this.choice.value = kind.name;
    this.body.replaceChildren();
    this.view = new (kind.name === "roster" ? Week : List)(this, kind, this.body);
    this.view.load();
    this.countChanges();
  }

  /** Something was changed: what is shown is read again. */
  changed(said) {
    this.names.clear();
    this.say(said);
    this.view.load();
    this.countChanges();
  }

  say(text) {
    this.status.textContent = text;
  }

  word(name, values = {}) {
    return this.words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  }

  asked(name) {
    return new URLSearchParams(location.search).get(name) ?? "";
  }

  remember(values) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    history.replaceState(history.state, "", `?${query}`);
  }

  get(path, query = {}) {
    const asked = new URLSearchParams({ lang: this.language });
    for (const [name, value] of Object.entries(query)) if (value) asked.set(name, value);
    return ask("GET", `/api/v1/people/${path}?${asked}`);
  }

  send(method, path, body, query = {}) {
    const asked = new URLSearchParams({ lang: this.language });
    for (const [name, value] of Object.entries(query)) if (value) asked.set(name, value);
    return ask(method, `/api/v1/people/${path}?${asked}`, body);
  }

  path(kind, code) {
    return `${kind}/${code.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** [code, name] of each entry of a kind, for a choice. */
  async choices(kind) {
    if (!this.names.has(kind)) {
      const found = [];
      let after = "";
      do {
        const page = await this.get(kind, { limit: 500, after });
        found.push(...page.entries);
        after = page.next;
      } while (after);
      this.names.set(kind, found.map(({ code, entry }) => [code, entry.name ?? entry.label ?? ""]));
    }
    return this.names.get(kind);
  }

  importTable(kind) {
    new ImportDialog(this, kind).open();
  }

  exportTable(kind, form, query = {}) {
    const asked = new URLSearchParams({ lang: this.language, format: form, ...query });
    const link = make("a");
    link.href = `/api/v1/people/export/${kind.name}?${asked}`;
    link.download = `${kind.name}.${form}`;
    link.click();
  }

  async countChanges() {
    if (!this.publishes) return;
    try {
      const told = await this.get("publication");
      const count = told.differences.reduce(
        (sum, one) => sum + one.added.length + one.changed.length + one.removed.length, 0,
      );
      const wrong = told.problems.length || told.changed_by_hand;
      const pending = wrong ? "!" : count || "";
      this.publishButton.textContent = this.words["page.publish"] + (pending && ` · ${pending}`);
      this.#sayWhy(wrong ? this.#whyNot(told) : "");
      this.publishButton.title = count ? this.word("page.publish.pending", { n: count }) : "";
    } catch {
      this.publishButton.title = "";
      this.#sayWhy("");
    }
  }

  /** What keeps it from being published: the first of it, and how much more there is. */
  #whyNot({ problems, changed_by_hand: byHand }) {
    if (byHand) return this.words["publish.by_hand"];
    const [first, ...others] = problems;
    const more = others.length ? ` ${this.word("page.more", { n: others.length })}` : "";
    return `${this.words["publish.problems"]}: ${first.detail}${more}`;
  }

  #sayWhy(text) {
    this.why.textContent = text;
    this.why.hidden = !text;
    if (text) this.publishButton.setAttribute("aria-description", text);
    else this.publishButton.removeAttribute("aria-description");
  }
}

/** The common buttons over a list or a week. */
export function tools(page, kind, query = () => ({})) {
  const { words } = page;
  const exports = ["xlsx", "csv"].map((form) =>
    button("quiet", `${words["page.export"]} ${form.toUpperCase()}`, () =>
      page.exportTable(kind, form, query())),
  );
  return [
    button("quiet", words["page.import"], () => page.importTable(kind)),
    ...exports,
  ];
}

/** How many there are, and the way to the pages beside this one, under a list or a week. */
export function drawFoot(view, count, next) {
  const { words } = view.page;
  const back = button("quiet", words["page.previous"], () => {
    view.after = view.before.pop() ?? "";
    view.load();
  });
  const on = button("quiet", words["page.next"], () => {
    view.before.push(view.after);
    view.after = next;
    view.load();
  });
  back.disabled = !view.before.length;
  on.disabled = !next;
  const ways = back.disabled && on.disabled ? [] : [back, on];
  view.foot.replaceChildren(make("span", "soft", count), ...ways);
}

/** A dialog with a title, closed by its button, Escape or a press beside it. */
export function sheet(page, title) {
  const dialog = make("dialog", "sheet");
  const close = button("quiet", page.words["form.cancel"], () => dialog.close());
  dialog.append(make("header", "", make("h2", "", title), close));
  dialog.setAttribute("aria-label", title);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  page.root.append(dialog);
  dialog.showModal();
  return dialog;
}

export function alert_(parent) {
  const told = make("p", "wrong");
  told.setAttribute("role", "alert");
  parent.append(told);
  return told;
}
