/* The notices in force, and who was informed by each: what is missing is sent to stations, noted
   from a paper, or taken in from a sheet. */

import { ask } from "./ask.js";
import { button, field, input, make, select } from "./form.js";
import { ImportDialog } from "./notices_import.js";
import { alert_, sheet } from "./people.js";

const ROWS = 50;
const AT_ONCE = 200; // agents of one message
const WITNESSES = 2;

export function mount(root, options) {
  const page = new Notices(root, options);
  page.load();
  return () => root.replaceChildren();
}

export class Notices {
  constructor(root, options) {
    Object.assign(this, { root, ...options });
    const { timeZone, language } = { timeZone: this.zone, language: this.language };
    const day = { timeZone, year: "numeric", month: "2-digit", day: "2-digit" };
    this.day = new Intl.DateTimeFormat("sv-SE", day);
    this.moment = new Intl.DateTimeFormat("sv-SE", { ...day, hour: "2-digit", minute: "2-digit" });
    this.names = new Intl.ListFormat(language, { type: "conjunction" });
    this.status = make("p", "status");
    this.status.setAttribute("role", "status");
    this.drafts = make("section", "drafts");
    this.list = make("div", "notice-list");
    root.append(make("p", "note", this.words["page.note"]), this.drafts, this.status, this.list);
  }

  /** The word for one, or for `n` of them. */
  many(name, n) {
    return this.word(n === 1 ? `${name}.one` : name, { n });
  }

  word(name, values = {}) {
    return this.words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  }

  ask(method, path, body, query = {}) {
    const asked = new URLSearchParams({ lang: this.language, ...query });
    return ask(method, `/api/v1/quality/notices${path}?${asked}`, body);
  }

  async load() {
    if (!this.list.firstChild) {
      this.list.append(make("div", "skeleton", make("span", "unseen", this.words["page.loading"])));
    }
    try {
      this.#draw(await this.ask("GET", ""));
    } catch (error) {
      const told = make("p", "empty", this.word("page.error", { detail: error.detail ?? error }));
      this.list.replaceChildren(told, button("quiet", this.words["page.again"], () => this.load()));
    }
  }

  changed(said) {
    this.status.textContent = said;
    return this.load();
  }

  #draw({ notices, drafts }) {
    const open = new Map((this.cards ?? []).map((card) => [card.notice.code, card]));
    this.cards = notices.map((notice) => new Card(this, notice, open.get(notice.code)));
    const none = notices.length ? [] : [make("p", "empty", this.words["page.none"])];
    this.list.replaceChildren(...none, ...this.cards.map((card) => card.element));
    this.#drawDrafts(drafts);
  }

  #drawDrafts(codes) {
    this.drafts.replaceChildren();
    this.drafts.hidden = !codes.length;
    if (!codes.length) return;
    this.drafts.append(make("p", "", this.word("drafts.said", { names: this.names.format(codes) })));
    if (!this.publishes) return;
    const publish = button("primary", this.words["drafts.publish"], async () => {
      publish.disabled = true;
      try {
        const told = await this.ask("POST", "/publication");
        await this.changed(this.word("drafts.done", { names: this.names.format(told.published) }));
      } catch (error) {
        this.status.textContent = error.detail ?? String(error);
        publish.disabled = false;
      }
    });
    this.drafts.append(publish);
  }
}

/** One notice; of one to agents also who knows it. */
class Card {
  constructor(page, notice, before) {
    Object.assign(this, { page, notice });
    this.chosen = new Set();
    this.shown = before?.shown ?? ROWS;
    const { words } = page;
    const id = `notice-${notice.code}`;
    const title = make("h2", "", notice.name);
    title.id = id;
    const badge = make("span", `side ${notice.side}`, words[`side.${notice.side}`]);
    const since = page.day.format(new Date(notice.since));
    const facts = [
      page.word("version", { n: notice.version, since }),
      this.#reach(),
      ...(notice.spoken ? [words[`spoken.${notice.spoken}`]] : []),
    ];
    this.element = make(
      "section", "notice-card",
      make("header", "", title, badge),
      make("p", "facts", [notice.code, ...facts].join(" · ")),
      make("blockquote", "", notice.text),
    );
    this.element.setAttribute("aria-labelledby", id);
    if (notice.draft) this.element.append(make("p", "soft", words.draft));
    if (notice.side === "agent") this.#addAgents(before);
  }

  #reach() {
    const { page, notice } = this;
    const parts = [];
    if (notice.queues.length) parts.push(page.word("queues", { names: page.names.format(notice.queues) }));
    if (notice.campaigns.length) {
      parts.push(page.word("campaigns", { names: page.names.format(notice.campaigns) }));
    }
    return parts.join(" · ") || page.words.everywhere;
  }

  #addAgents(before) {
    const { page, notice } = this;
    const { words } = page;
    const { informed, older, missing } = notice.counts;
    const of = informed + older + missing;
    const said = [page.word("count", { n: informed, of })];
    if (older) said.push(page.word("count.older", { n: older }));
    if (missing) said.push(page.word("count.missing", { n: missing }));
    const meter = make("meter");
    Object.assign(meter, { min: 0, max: Math.max(of, 1), value: informed });
    meter.setAttribute("aria-label", said[0]);
    this.send = button("primary", "", () => this.#send());
    const sheets = ["xlsx", "csv"].map((form) => {
      const link = make("a", "", `${words["sheet"]} ${form.toUpperCase()}`);
      link.href = `/api/v1/quality/notices/${notice.code}/sheet?format=${form}&lang=${page.language}`;
      link.download = `${notice.code}.${form}`;
      return link;
    });
    this.filter = select(["missing", "all"].map((one) => [one, words[`filter.${one}`]]));
    this.filter.value = before?.filter?.value ?? (informed < of ? "missing" : "all");
    this.search = make("input");
    Object.assign(this.search, { type: "search", maxLength: 64, value: before?.search?.value ?? "" });
    for (const one of [this.filter, this.search]) {
      one.addEventListener("input", () => {
        this.shown = ROWS;
        this.#drawRows();
      });
    }
    this.rows = make("div", "scroll");
    this.element.append(
      make("p", "counts", ...[said.join(" · "), meter]),
      make(
        "div", "list-tools",
        field(words.filter, this.filter), field(words.search, this.search), make("span", "gap"),
        this.send,
        button("quiet", words["paper"], () => this.#note()),
        button("quiet", words["sheet.import"], () => new ImportDialog(page, notice).open()),
      ),
      this.rows,
      make("p", "sheets", ...sheets),
    );
    this.#drawRows();
  }

  #drawRows() {
    const { page, notice } = this;
    const { words } = page;
    const wanted = plain(this.search.value);
    const found = notice.agents.filter((one) =>
      (this.filter.value === "all" || one.state !== "informed")
      && (!wanted || plain(`${one.a} ${one.name} ${one.team}`).includes(wanted)));
    if (!found.length) {
      const word = wanted ? "none.found" : notice.agents.length ? "none.missing" : "none.agents";
      this.rows.replaceChildren(make("p", "empty", words[word]));
      this.#count();
      return;
    }
    const all = checkbox(words.choose, (on) => {
      for (const one of found) if (one.state !== "informed") this.#choose(one.a, on);
      this.#drawRows();
    });
    const missing = found.filter((one) => one.state !== "informed");
    all.checked = missing.length > 0 && missing.every((one) => this.chosen.has(one.a));
    all.disabled = !missing.length;
    const heads = ["agent", "team", "state", "how", "when", "proof"];
    const head = make(
      "tr", "", make("th", "", all), ...heads.map((name) => make("th", "", words[`column.${name}`])),
    );
    const table = make(
      "table", "", make("thead", "", head),
      make("tbody", "", ...found.slice(0, this.shown).map((one) => this.#row(one))),
    );
    this.rows.replaceChildren(table);
    if (found.length > this.shown) {
      this.rows.append(button("quiet more", page.word("more", { n: found.length - this.shown }), () => {
        this.shown += ROWS;
        this.#drawRows();
      }));
    }
    this.#count();
  }

  #row(one) {
    const { page } = this;
    const { words } = page;
    const box = checkbox(page.word("choose.one", { name: one.name }), (on) => {
      this.#choose(one.a, on);
      this.#count();
    });
    box.checked = this.chosen.has(one.a);
    const state = make("span", `state ${one.state}`, page.word(`state.${one.state}`, { n: one.version }));
    const when = one.utc ? page.moment.format(new Date(one.utc)) : one.date ?? "—";
    const proof = [one.document, one.witnesses.length && page.names.format(one.witnesses)];
    const link = make("a", "", one.name);
    link.href = `/ui/agents/${encodeURIComponent(one.a)}/quality?lang=${page.language}`;
    const name = page.publishes ? link : make("span", "", one.name);
    return make(
      "tr", "", make("td", "", ...(one.state === "informed" ? [] : [box])),
      make("th", "", name, make("small", "", one.a)),
      make("td", "", one.team || "—"), make("td", "", state),
      make("td", "", one.how ? words[`how.${one.how}`] : "—"), make("td", "", when),
      make("td", "", proof.filter(Boolean).join(" · ") || "—"),
    );
  }

  #choose(agent, on) {
    if (on) this.chosen.add(agent);
    else this.chosen.delete(agent);
  }

  #wanted() {
    const missing = this.notice.agents.filter((one) => one.state !== "informed").map((one) => one.a);
    const chosen = missing.filter((one) => this.chosen.has(one));
    return chosen.length ? chosen : missing;
  }

  #count() {
    const n = this.#wanted().length;
    this.send.textContent = this.page.word("send", { n });
    this.send.disabled = !n;
  }

  async #send() {
    const { page, notice } = this;
    const wanted = this.#wanted();
    let count = 0;
    const refused = [];
    this.send.disabled = true;
    try {
      for (let start = 0; start < wanted.length; start += AT_ONCE) {
        const agents = wanted.slice(start, start + AT_ONCE);
        try {
          const told = await page.ask("POST", `/${notice.code}/messages`, { agents });
          count += told.count;
          refused.push(...told.refused.map((one) => one.detail));
        } catch (error) {
          refused.push(error.detail ?? String(error));
        }
      }
    } finally {
      this.#count();
    }
    const said = count ? [page.many("sent", count)] : [];
    if (refused.length > 3) said.push(page.word("sent.not", { n: wanted.length - count }));
    page.status.textContent = [...said, ...refused.slice(0, refused.length > 3 ? 1 : 3)].join(" ");
  }

  /** A paper, or a refusal, of the agents that were chosen. */
  #note() {
    const { page, notice } = this;
    const { words } = page;
    const dialog = sheet(page, words["paper"]);
    const agent = select(notice.agents.map((one) => [one.a, `${one.name} (${one.a})`]));
    agent.multiple = true;
    agent.size = Math.min(6, Math.max(2, notice.agents.length));
    for (const option of agent.options) option.selected = this.chosen.has(option.value);
    const how = select(["paper", "refused"].map((one) => [one, words[`how.${one}`]]));
    const date = input(10);
    date.type = "date";
    date.max = page.day.format(new Date());
    const document_ = input(32);
    const witnesses = Array.from({ length: WITNESSES }, () => input(32));
    const beside = witnesses.map((one, at) => field(page.word("witness", { n: at + 1 }), one));
    const number = field(words["document"], document_);
    const fit = () => {
      const paper = how.value === "paper";
      for (const one of beside) one.hidden = paper;
      for (const one of witnesses) one.required = !paper;
      document_.required = paper;
    };
    how.addEventListener("input", fit);
    fit();
    const wrong = alert_(dialog);
    const save = button("primary", words["paper.save"]);
    save.type = "submit";
    const form = make(
      "form", "entry-form", field(words["column.agent"], agent), field(words["column.how"], how),
      field(words["date"], date), number, ...beside, make("div", "buttons", save),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      form.inert = true;
      const body = {
        agents: [...agent.selectedOptions].map((one) => one.value), how: how.value,
        date: date.value,
        witnesses: how.value === "paper" ? [] : witnesses.map((one) => one.value.trim()),
      };
      if (document_.value.trim()) body.document = document_.value.trim();
      try {
        const told = await page.ask("POST", `/${notice.code}/signatures`, body);
        dialog.close();
        await page.changed(page.many("paper.done", told.count));
      } catch (error) {
        wrong.textContent = error.detail ?? String(error);
      } finally {
        form.inert = false;
      }
    });
    dialog.append(form);
  }
}

function checkbox(label, change) {
  const box = make("input");
  box.type = "checkbox";
  box.setAttribute("aria-label", label);
  box.addEventListener("change", () => change(box.checked));
  return box;
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
