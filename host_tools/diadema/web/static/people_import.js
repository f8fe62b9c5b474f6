/* A table of somebody's on its way in: looked at first, row by row, and then applied. */

import { button, field, make } from "./form.js";
import { alert_, sheet } from "./people.js";
import { hinted } from "./people_form.js";
import { said } from "./people_list.js";

const SHOWN = 200;

export class ImportDialog {
  constructor(page, kind) {
    Object.assign(this, { page, kind });
  }

  open() {
    const { page, kind } = this;
    const { words } = page;
    this.dialog = sheet(page, page.word("import.title", { kind: kind.label }));
    this.file = make("input");
    this.file.type = "file";
    this.file.accept = ".xlsx,.csv,text/csv";
    this.skip = check();
    this.whole = check();
    this.since = make("input");
    this.since.type = "date";
    this.since.value = page.today;
    this.reason = make("input");
    this.reason.maxLength = 200;
    this.look = button("primary", words["import.look"], () => this.#ask(true));
    this.apply = button("primary", words["import.apply"], () => this.#ask(false));
    this.apply.disabled = true;
    this.wrong = alert_(this.dialog);
    this.form = make(
      "form", "entry-form",
      hinted(words["import.file"], this.file, words["import.template"], "wide"),
      make("label", "check wide", this.skip, words["import.skip"]),
      make("label", "check wide", this.whole, words["import.whole"]),
      ...(kind.dated ? [field(words["import.since"], this.since)] : []),
      hinted(words["field.reason"], this.reason, words["form.reason.hint"]),
      make("div", "buttons", this.look, this.apply),
    );
    this.form.addEventListener("submit", (event) => event.preventDefault());
    for (const input of [this.file, this.skip, this.whole, this.since]) {
      input.addEventListener("change", () => {
        this.apply.disabled = true;
        this.result.replaceChildren();
      });
    }
    this.result = make("section", "import-result");
    this.result.setAttribute("aria-live", "polite");
    this.dialog.append(this.form, this.result);
  }

  async #ask(dry) {
    const { page, kind } = this;
    const [file] = this.file.files;
    this.wrong.textContent = "";
    if (!file) {
      this.wrong.textContent = page.words["import.file"];
      this.file.focus();
      return;
    }
    this.form.inert = true;
    try {
      const told = await page.send("POST", `import/${kind.name}`, file, {
        dry_run: String(dry), skip_bad: String(this.skip.checked),
        whole: String(this.whole.checked), since: kind.dated ? this.since.value : "",
        reason: this.reason.value.trim() || file.name,
      });
      if (told.done) {
        this.dialog.close();
        page.changed(page.word("import.done", told));
        return;
      }
      this.#draw(told);
    } catch (error) {
      this.wrong.textContent = error.detail ?? String(error);
      this.apply.disabled = true;
      this.result.replaceChildren();
    } finally {
      this.form.inert = false;
    }
  }

  #draw(told) {
    const { page } = this;
    const { words } = page;
    const changes = told.added + told.changed + told.retired;
    this.apply.disabled = !changes || (told.problems.length > 0 && !this.skip.checked);
    const parts = [make("p", "counts", page.word("import.rows", told))];
    if (!changes && !told.problems.length) parts.push(make("p", "soft", words["import.nothing"]));
    if (told.problems.length) {
      parts.push(make("h3", "wrong", page.word("import.wrong", { n: told.problems.length })));
      parts.push(this.#table(["row", "column", "value", "what"], told.problems.map((one) => [
        one.row ?? "", one.column, one.value, one.detail,
      ])));
    }
    if (told.notes.length) {
      parts.push(make("h3", "", words["import.notes"]));
      parts.push(this.#table(["row", "column", "what"], told.notes.map((one) => [
        one.row ?? "", one.column, one.detail,
      ])));
    }
    if (told.edits.length) {
      const columns = new Map(this.kind.fields.map((one) => [one.name, one]));
      parts.push(make("h3", "", words["import.edits"]));
      parts.push(this.#table(["row", "column", "before", "after"], told.edits.map((one) => [
        `${one.row} · ${one.code}`, columns.get(one.column).label,
        ...[one.old, one.new].map((value) => said(columns.get(one.column), value) || "—"),
      ])));
    }
    if (told.retired_codes.length) {
      parts.push(make("h3", "", `${words["form.retire"]}: ${told.retired_codes.length}`));
      parts.push(make("p", "soft", told.retired_codes.slice(0, SHOWN).join(" · ")));
    }
    this.result.replaceChildren(...parts);
  }

  #table(heads, rows) {
    const { page } = this;
    const head = make("tr", "", ...heads.map((name) => make("th", "", page.words[`import.${name}`])));
    const body = rows.slice(0, SHOWN).map((cells) =>
      make("tr", "", ...cells.map((cell) => make("td", "", String(cell)))));
    const table = make("table", "", make("thead", "", head), make("tbody", "", ...body));
    const scroll = make("div", "scroll", table);
    if (rows.length > SHOWN) {
      scroll.append(make("p", "soft", page.word("page.more", { n: rows.length - SHOWN })));
    }
    return scroll;
  }
}

function check() {
  const input = make("input");
  input.type = "checkbox";
  return input;
}
