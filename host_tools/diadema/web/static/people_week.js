/* The roster as a week: an agent a row, a day a column, each cell to be pressed. */

import { button, field, make, select } from "./form.js";
import { alert_, drawFoot, sheet, tools } from "./people.js";
import { hinted, makeControl } from "./people_form.js";

const LIMIT = 50;
const DAY_MS = 86_400_000;
const COLOURS = 8;

export class Week {
  #asked = 0;

  constructor(page, kind, body) {
    Object.assign(this, { page, kind, body });
    const { words } = page;
    this.first = monday(page.asked("day") || page.today);
    this.before = [];
    this.after = "";
    this.day = make("input");
    this.day.type = "date";
    this.day.addEventListener("change", () => this.day.value && this.#go(this.day.value));
    this.team = select([["", words["week.all"]]]);
    this.team.addEventListener("change", () => this.#anew());
    this.search = make("input");
    this.search.type = "search";
    this.search.maxLength = 64;
    this.search.addEventListener("change", () => this.#anew());
    const step = (word, sign, days) => {
      const made = button("quiet step", sign, () => this.#go(plus(this.first, days)));
      made.setAttribute("aria-label", words[word]);
      return made;
    };
    this.head = make(
      "div", "list-tools",
      step("week.before", "‹", -7), field(words["week.of"], this.day), step("week.after", "›", 7),
      field(words["week.team"], this.team), field(words["page.search"], this.search),
      make("span", "gap"), ...tools(page, kind, () => month(this.first)),
    );
    this.table = make("div", "scroll week");
    this.foot = make("div", "list-foot");
    this.legend = make("p", "legend");
    body.append(this.head, this.table, this.foot, this.legend);
  }

  close() {
    this.#asked += 1;
    this.page.remember({ day: "" });
  }

  #go(day) {
    this.first = monday(day);
    this.page.remember({ day: this.first });
    this.load();
  }

  #anew() {
    this.before = [];
    this.after = "";
    this.load();
  }

  async load() {
    const asked = ++this.#asked;
    const { page } = this;
    this.day.value = this.first;
    this.table.setAttribute("aria-busy", "true");
    try {
      const told = await page.get("week", {
        first: this.first, team: this.team.value, search: this.search.value.trim(),
        after: this.after, limit: LIMIT,
      });
      if (asked === this.#asked) this.#draw(told);
    } catch (error) {
      if (asked !== this.#asked) return;
      const detail = page.word("page.error", { detail: error.detail ?? error });
      this.table.replaceChildren(make("p", "empty", detail));
    } finally {
      if (asked === this.#asked) this.table.removeAttribute("aria-busy");
    }
  }

  #draw(told) {
    const { page } = this;
    this.shifts = new Map(told.shifts.map((one, at) => [one.code, { ...one, colour: at % COLOURS }]));
    if (this.team.options.length === 1) {
      this.team.append(...told.teams.map((team) => new Option(team, team)));
    }
    if (!told.agents.length) {
      this.table.replaceChildren(make("p", "empty", page.words["page.none.found"]));
      this.foot.replaceChildren();
      return;
    }
    const name = new Intl.DateTimeFormat(page.language, {
      weekday: "short", day: "numeric", month: "short", timeZone: "UTC",
    });
    const heads = told.days.map((day) => {
      const head = make("th", day === page.today ? "today" : "", name.format(new Date(day)));
      head.scope = "col";
      return head;
    });
    const corner = make("th", "", page.kinds.find((one) => one.name === "agents").label);
    const head = make("tr", "", corner, ...heads);
    const rows = told.agents.map((agent) => this.#row(agent, told.days, name));
    this.table.replaceChildren(
      make("table", "", make("thead", "", head), make("tbody", "", ...rows)),
    );
    drawFoot(this, page.word("week.agents", { n: told.total }), told.next);
    this.legend.replaceChildren(...[...this.shifts.values()].map((one) => {
      const mark = make("span", "shift", one.code);
      mark.dataset.colour = one.colour;
      return make("span", "", mark, ` ${one.name} ${one.start}–${one.end}`);
    }));
  }

  #row(agent, days, name) {
    const { page } = this;
    const who = make("th", "", agent.name, make("small", "", [agent.code, agent.team].filter(Boolean).join(" · ")));
    who.scope = "row";
    const row = make("tr", "", who);
    for (const day of days) {
      const planned = agent.days[day];
      const press = button("shift", this.#short(planned), () => this.#edit(agent, day, planned));
      const what = this.#long(planned);
      press.title = what;
      press.setAttribute("aria-label", page.word("week.cell", {
        agent: agent.name, day: name.format(new Date(day)), what,
      }));
      if (planned?.absence) press.dataset.absence = planned.absence;
      else if (planned) press.dataset.colour = this.shifts.get(planned.shift)?.colour ?? 0;
      row.append(make("td", day === page.today ? "today" : "", press));
    }
    return row;
  }

  #short(planned) {
    if (!planned) return "·";
    return planned.absence ? this.page.words[`week.short.${planned.absence}`] : planned.shift;
  }

  #long(planned) {
    const { words } = this.page;
    if (!planned) return words["week.free"];
    const shift = this.shifts.get(planned.shift);
    const parts = [];
    if (planned.absence) parts.push(words[`choice.${planned.absence}`]);
    if (planned.shift) parts.push(shift ? `${shift.name} ${shift.start}–${shift.end}` : planned.shift);
    return [...parts, ...(planned.pauses ?? shift?.pauses ?? [])].join(", ");
  }

  async #edit(agent, day, planned) {
    const { page, kind } = this;
    const { words } = page;
    const dialog = sheet(page, `${agent.name} · ${day}`);
    const wrong = alert_(dialog);
    const controls = new Map();
    const form = make("form", "entry-form");
    for (const one of kind.fields.filter(({ name }) => !kind.key.includes(name))) {
      const control = await makeControl(page, one, planned?.[one.name]);
      control.inputs[0].name = one.name;
      controls.set(one.name, control);
      form.append(hinted(one.label, control.inputs[0], words[`hint.${one.name}`] ?? ""));
    }
    const reason = make("input");
    reason.name = "reason";
    reason.maxLength = 200;
    form.append(hinted(words["field.reason"], reason, words["form.reason.hint"], "wide"));
    const save = button("primary", words["form.save"]);
    save.type = "submit";
    const path = page.path("roster", `${day}/${agent.code}`);
    const act = async (work) => {
      if (!reason.value.trim()) {
        wrong.textContent = `${words["field.reason"]}: ${words["form.required"]}`;
        reason.focus();
        return;
      }
      form.inert = true;
      try {
        await work();
        dialog.close();
        page.changed(words["form.saved"]);
      } catch (error) {
        wrong.textContent = error.detail ?? String(error);
      } finally {
        form.inert = false;
      }
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const entry = { day, agent: agent.code };
      for (const [name, control] of controls) {
        const value = control.read();
        if (value) entry[name] = value;
      }
      act(() => page.send("PUT", path, { entry, reason: reason.value, seen: planned?.version ?? null }));
    });
    const buttons = make("div", "buttons", save);
    if (planned) {
      buttons.append(button("quiet danger", words["week.clear"], () =>
        act(() => page.send("DELETE", path, undefined, { reason: reason.value, seen: planned.version }))));
    }
    form.append(buttons);
    dialog.append(form);
    form.elements[0].focus();
  }
}

function plus(day, days) {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

function monday(day) {
  const date = new Date(Date.parse(day));
  return Number.isNaN(date.getTime()) ? plus(new Date().toISOString().slice(0, 10), 0)
    : plus(day, -((date.getUTCDay() + 6) % 7));
}

/** First and last day of the month that the week begins in. */
function month(day) {
  const [year, number] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
  return { from: `${day.slice(0, 8)}01`, to: last };
}
