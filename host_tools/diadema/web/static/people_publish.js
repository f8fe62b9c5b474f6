/* What would change for the stations, which configuration each has, and the button for it. */

import { button, make } from "./form.js";
import { alert_, sheet } from "./people.js";

const KINDS = { stations: "seats", negative_codes: "dispositions" };
const SHOWN = 40;

export class PublishDialog {
  constructor(page) {
    this.page = page;
  }

  async open() {
    const { page } = this;
    this.dialog = sheet(page, page.words["publish.title"]);
    this.wrong = alert_(this.dialog);
    this.body = make("div", "publish-body", make("p", "soft", page.words["page.loading"]));
    this.dialog.append(this.body);
    try {
      this.#draw(await page.get("publication"));
    } catch (error) {
      this.wrong.textContent = error.detail ?? String(error);
      this.body.replaceChildren();
    }
  }

  #draw(told) {
    const { page } = this;
    const { words } = page;
    const parts = [];
    if (told.changed_by_hand) {
      const take = button("quiet", words["publish.take_in"], () => this.#takeIn(take));
      parts.push(make("p", "wrong", words["publish.by_hand"]), make("div", "buttons", take));
    }
    if (told.problems.length) {
      parts.push(make("h3", "wrong", words["publish.problems"]));
      parts.push(make("ul", "", ...told.problems.map((one) => make("li", "", one.detail))));
    } else if (told.differences.length) {
      parts.push(make("h3", "", words["publish.changes"]));
      parts.push(make("ul", "differences", ...told.differences.map((one) => this.#difference(one))));
    } else {
      parts.push(make("p", "soft", words["publish.nothing"]));
    }
    if (told.without_pin.length) {
      const few = told.without_pin.slice(0, SHOWN).join(" · ");
      const agents = told.without_pin.length > SHOWN ? `${few} …` : few;
      parts.push(make("p", "soft", page.word("publish.without_pin", { agents })));
    }
    const publish = button("primary", words["page.publish"], () => this.#publish(publish));
    publish.disabled = told.problems.length > 0;
    parts.push(make("div", "buttons", publish));
    parts.push(make("h3", "", words["publish.stations"]), ...this.#stations(told));
    if (told.last) {
      const when = new Intl.DateTimeFormat(page.language, {
        dateStyle: "medium", timeStyle: "short", timeZone: page.zone,
      });
      const last = { by: told.last.by, at: when.format(told.last.at_ms) };
      parts.push(make("p", "soft", page.word("publish.last", last)));
    }
    this.body.replaceChildren(...parts);
  }

  #difference(one) {
    const { page } = this;
    const name = KINDS[one.part] ?? one.part;
    const label = page.kinds.find((kind) => kind.name === name)?.label ?? one.part;
    const item = make("li", "", make("b", "", label));
    for (const [what, sign] of [["added", "+"], ["changed", "~"], ["removed", "−"]]) {
      if (!one[what].length) continue;
      const codes = one[what].slice(0, SHOWN).join(" · ");
      const more = one[what].length > SHOWN
        ? ` ${page.word("page.more", { n: one[what].length - SHOWN })}` : "";
      item.append(make("span", `difference ${what}`, `${sign} ${page.words[`publish.${what}`]}: ${codes}${more}`));
    }
    return item;
  }

  #stations({ stations, generation }) {
    const { page } = this;
    const current = stations.filter((one) => one.generation === generation && generation > 0);
    const counts = { n: current.length, m: stations.length, generation };
    const groups = new Map();
    for (const one of stations) {
      if (!groups.has(one.generation)) groups.set(one.generation, []);
      groups.get(one.generation).push(one.seat);
    }
    const rows = [...groups].sort(([one], [other]) => other - one).map(([number, seats]) => {
      const word = number ? page.word("publish.generation", { n: number }) : page.words["publish.never"];
      return make("li", number === generation && number ? "current" : "", make("b", "", word), ` ${seats.join(" · ")}`);
    });
    return [
      ...(generation ? [make("p", "", page.word("publish.current", counts))] : []),
      make("ul", "generations", ...rows),
    ];
  }

  async #takeIn(pressed) {
    const { page } = this;
    pressed.disabled = true;
    try {
      const { changed } = await page.send("POST", "take-in");
      this.dialog.close();
      page.changed(page.word("publish.taken_in", { n: changed }));
    } catch (error) {
      this.wrong.textContent = error.detail ?? String(error);
      pressed.disabled = false;
    }
  }

  async #publish(pressed) {
    const { page } = this;
    pressed.disabled = true;
    try {
      const done = await page.send("POST", "publication");
      this.dialog.close();
      page.changed(done.generation
        ? page.word("publish.done", { n: done.generation }) : page.words["publish.stored"]);
    } catch (error) {
      this.wrong.textContent = error.detail ?? String(error);
      pressed.disabled = false;
    }
  }
}
