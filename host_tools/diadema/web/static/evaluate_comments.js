/* Comments, each on an item or on the whole call, pinned where the call was when it was begun. */

import { button, field, make } from "./form.js";
import { clockOf } from "./player.js";
import { fill } from "./tile.js";
import { TEXT_CHARACTERS } from "./wire.js";

const ABOUT = ["improve", "praise", "evidence"];
const GENERAL = "";

export class Comments {
  #boxes = new Map(); // by item: {list, place, add}
  #begun = new Map(); // by item: what is being written, as a function

  /** `ways`: open, at() in ms or null, go(ms), changed(). */
  constructor(words, notes, ways) {
    Object.assign(this, { words, ways });
    this.notes = notes.map((one) => ({ ...one }));
  }

  /** Those of an item, to be put under it. */
  of(item) {
    const list = make("ul", "comments");
    const place = make("div", "comment-form");
    const add = button("quiet add", this.words[item === GENERAL ? "comment.general" : "comment"], () => this.begin(item));
    add.hidden = !this.ways.open;
    this.#boxes.set(item, { list, place, add });
    this.#list(item);
    return make("div", "commented", list, add, place);
  }

  general() {
    return make("section", "section general", this.of(GENERAL));
  }

  /** What is written and not added yet, as it would be. */
  get writing() {
    return [...this.#begun.values()].map((one) => one()).filter((one) => one.text);
  }

  /** From now on there is a place in the call to pin one to. */
  sounding() {
    for (const item of this.#boxes.keys()) this.#list(item);
  }

  begin(item) {
    const { words, ways } = this;
    const { place, add } = this.#boxes.get(item);
    if (place.firstChild) return;
    const at = ways.at();
    const text = make("textarea");
    text.maxLength = TEXT_CHARACTERS;
    text.rows = 3;
    const about = make("select");
    for (const one of ABOUT) about.append(new Option(words[`about.${one}`], one));
    const written = () => ({
      ...(item !== GENERAL && { item }), ...(at !== null && { from_ms: Math.max(at, 0) }),
      about: about.value, text: text.value.trim(),
    });
    this.#begun.set(item, written);
    const end = () => {
      this.#begun.delete(item);
      place.replaceChildren();
      add.hidden = false;
      add.focus();
    };
    const keep = button("strong", words["comment.save"], () => {
      const said = written();
      if (!said.text) {
        text.focus();
        return;
      }
      this.notes.push(said);
      this.#list(item);
      end();
      ways.changed();
    });
    const where = at === null ? words["comment.text"] : fill(words["comment.at"], { at: clockOf(at) });
    const buttons = make("div", "buttons", keep, button("quiet", words["comment.cancel"], end));
    place.append(field(where, text), field(words["comment.about"], about), buttons);
    place.onkeydown = (event) => {
      if (event.key === "Escape") end();
    };
    add.hidden = true;
    text.focus();
  }

  #list(item) {
    const { words, ways } = this;
    const { list } = this.#boxes.get(item);
    const its = this.notes.filter((one) => (one.item ?? GENERAL) === item);
    list.replaceChildren(...its.map((one) => {
      const line = make("li", "", make("span", "about", words[`about.${one.about}`]));
      line.dataset.about = one.about;
      if (one.from_ms !== undefined && one.from_ms !== null) {
        const at = clockOf(one.from_ms);
        const go = button("at", at, () => ways.go(one.from_ms));
        go.setAttribute("aria-label", fill(words["comment.go"], { at }));
        go.disabled = ways.at() === null;
        line.append(go);
      }
      line.append(make("span", "text", one.text));
      if (ways.open) {
        const drop = button("quiet drop", "×", () => {
          this.notes.splice(this.notes.indexOf(one), 1);
          this.#list(item);
          ways.changed();
        });
        drop.setAttribute("aria-label", words["comment.delete"]);
        line.append(drop);
      }
      return line;
    }));
    list.hidden = !its.length;
  }
}
