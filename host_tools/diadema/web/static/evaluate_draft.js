/* The draft of an evaluation on its way to the server: a moment after each change, one after the
   other, so that the last one stands. Whoever leaves sends what is not there yet; as that may come
   after the page is read again, this tab has it too until a page comes that has it. */

import { ask } from "./ask.js";

const SAVE_MS = 700;

export class Draft {
  #timer = 0;
  #saving = Promise.resolve();
  #changes = 0;
  #saved = 0; // of the changes, those that the server has
  #left = false; // what there is was sent in leaving
  #over = false;

  /** `ways`: body(leaving), saving(), saved(told), failed(error). In leaving, it is with what is
      still being written. */
  constructor(path, ways) {
    Object.assign(this, { path: `${path}/draft`, ways });
  }

  /** What this tab has and the page that was read has not, or null. `saved`: when the server had
      last saved as it made the page; it may have saved again before this page was left. */
  unsent(saved) {
    const found = sessionStorage.getItem(this.path);
    if (!found) return null;
    const { saved_utc: held, ...body } = JSON.parse(found);
    if (held === undefined || held > (saved ?? 0)) return body;
    sessionStorage.removeItem(this.path);
    return null;
  }

  watch() {
    window.addEventListener("pagehide", () => this.#leave());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#leave();
      else if (this.#left) this.changed();
    });
  }

  changed() {
    clearTimeout(this.#timer);
    this.#changes += 1;
    this.#left = false;
    this.#hold(this.ways.body(false));
    this.ways.saving();
    this.#timer = setTimeout(() => this.save(), SAVE_MS);
  }

  save() {
    clearTimeout(this.#timer);
    this.#saving = this.#saving.then(async () => {
      const changes = this.#changes;
      const body = this.ways.body(false);
      try {
        const told = await ask("PUT", this.path, body);
        this.#saved = changes;
        if (changes === this.#changes && !this.#left) this.#hold({ ...body, saved_utc: told.saved_utc });
        this.ways.saved(told);
      } catch (error) {
        this.ways.failed(error);
      }
    });
    return this.#saving;
  }

  /** Nothing of it is on its way any more. */
  async stop() {
    clearTimeout(this.#timer);
    await this.#saving;
  }

  /** It is no draft any more. */
  end() {
    clearTimeout(this.#timer);
    this.#over = true;
    sessionStorage.removeItem(this.path);
  }

  #hold(body) {
    sessionStorage.setItem(this.path, JSON.stringify(body));
  }

  #leave() {
    if (this.#over || this.#left) return;
    const body = this.ways.body(true);
    const writing = body.notes.length > this.ways.body(false).notes.length;
    if (this.#saved === this.#changes && !writing) return;
    this.#left = true;
    this.#hold(body);
    ask("PUT", this.path, body, false, true).catch(() => {}); // the tab has it, if one comes back
  }
}
