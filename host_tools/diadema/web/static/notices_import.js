/* A sheet of papers on its way in: looked at first, row by row, and then noted. */

import { button, field, make } from "./form.js";
import { alert_, sheet } from "./people.js";

const SHOWN = 200;

export class ImportDialog {
  constructor(page, notice) {
    Object.assign(this, { page, notice });
  }

  open() {
    const { words } = this.page;
    this.dialog = sheet(this.page, words["sheet.import"]);
    this.file = make("input");
    this.file.type = "file";
    this.file.accept = ".xlsx,.csv,text/csv";
    this.look = button("primary", words["import.look"], () => this.#ask(true));
    this.apply = button("primary", words["import.apply"], () => this.#ask(false));
    this.apply.disabled = true;
    this.wrong = alert_(this.dialog);
    this.form = make(
      "form", "entry-form", field(words["import.file"], this.file),
      make("p", "note", words["sheet.note"]), make("div", "buttons", this.look, this.apply),
    );
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.file.addEventListener("change", () => {
      this.apply.disabled = true;
      this.result.replaceChildren();
    });
    this.result = make("section", "import-result");
    this.result.setAttribute("aria-live", "polite");
    this.dialog.append(this.form, this.result);
  }

  async #ask(dry) {
    const { page, notice } = this;
    const [file] = this.file.files;
    this.wrong.textContent = "";
    if (!file) {
      this.wrong.textContent = page.words["import.file"];
      this.file.focus();
      return;
    }
    this.form.inert = true;
    try {
      const told = await page.ask("POST", `/${notice.code}/import`, file, { dry_run: String(dry) });
      if (told.done) {
        this.dialog.close();
        await page.changed(page.many("paper.done", told.added));
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
    this.apply.disabled = !told.added || told.problems.length > 0;
    const parts = [make("p", "counts", page.word("sheet.rows", told))];
    if (told.problems.length) {
      parts.push(make("h3", "wrong", page.word("import.wrong", { n: told.problems.length })));
      parts.push(this.#table(told.problems));
    } else if (!told.added) {
      parts.push(make("p", "soft", page.words["import.nothing"]));
    }
    this.result.replaceChildren(...parts);
  }

  #table(problems) {
    const { page } = this;
    const heads = ["row", "column", "value", "what"].map((name) =>
      make("th", "", page.words[`import.${name}`]));
    const rows = problems.slice(0, SHOWN).map((one) =>
      make("tr", "", ...[one.row ?? "", one.column, one.value, one.detail].map((cell) =>
        make("td", "", String(cell)))));
    const table = make("table", "", make("thead", "", make("tr", "", ...heads)),
      make("tbody", "", ...rows));
    const scroll = make("div", "scroll", table);
    if (problems.length > SHOWN) {
      scroll.append(make("p", "soft", page.word("more", { n: problems.length - SHOWN })));
    }
    return scroll;
  }
}
