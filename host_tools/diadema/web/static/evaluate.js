/* One call to evaluate: its form, its player, comments at the playhead, and a draft that the server
   keeps. By keyboard throughout. */

import { ask } from "./ask.js";
import { button, make } from "./form.js";
import { Comments } from "./evaluate_comments.js";
import { Draft } from "./evaluate_draft.js";
import { Items } from "./evaluate_items.js";
import { final, indicators, Replace, scoreBox } from "./evaluate_side.js";
import { markList, Player } from "./player.js";
import { fill } from "./tile.js";

const STEP_MS = 5000;
const TYPING = "textarea, select, input:not([type=radio]), [role=slider]";

class Evaluate {
  #player = null;

  constructor(root, { sheet, words, language }) {
    Object.assign(this, { root, sheet, words, language });
    this.path = `/api/v1/quality/assignments/${sheet.task.q}`;
    this.open = ["waiting", "draft"].includes(sheet.task.state);
    this.draft = new Draft(this.path, {
      body: (leaving) => this.#body(leaving), saving: () => this.#saving(),
      saved: (told) => this.#told(told), failed: (error) => this.#unsaved(error),
    });
    const unsent = this.open ? this.draft.unsent(sheet.saved_utc) : null;
    this.answers = { ...(unsent ?? sheet).answers };
    this.comments = new Comments(words, (unsent ?? sheet).notes, {
      open: this.open, at: () => this.#player?.at ?? null, go: (ms) => this.#player?.seek(ms),
      changed: () => this.draft.changed(),
    });
    this.items = new Items(words, sheet, {
      open: this.open, answers: this.answers, comments: this.comments,
      answered: () => this.draft.changed(), named: (code) => this.#name(code),
    });
    this.score = scoreBox(words);
    this.saved = make("p", "saved");
    this.saved.setAttribute("role", "status");
    this.error = make("p", "plain-said");
    this.error.setAttribute("role", "alert");
    this.error.hidden = true;
    this.#draw();
    if (!this.open) this.draft.end();
    else this.draft.watch();
    if (unsent) this.draft.changed();
  }

  #draw() {
    const { root, sheet, words } = this;
    const about = make("p", "blind", words.blind);
    about.hidden = Boolean(sheet.task.agent);
    const label = make("p", "form-name", `${sheet.form.label} · v${sheet.form.version}`);
    this.stage = make("section", "stage");
    this.#closed();
    const side = make("aside", "side", this.score.element);
    if (this.open) side.append(this.#submitter());
    else side.append(final(words, sheet));
    side.append(indicators(words, sheet.indicators));
    if (this.open) side.append(new Replace(words, (why) => this.#replace(why)).element);
    if (this.open) side.append(this.#keys());
    const items = [this.stage, this.error, this.items.element, this.comments.general()];
    root.append(label, about, make("div", "halves", make("div", "form", ...items), side));
    this.score.show(this.open ? sheet.outcome : sheet.final?.outcome);
    this.items.mark(this.open ? sheet.outcome : null);
    if (!this.open) return;
    if (sheet.saved_utc) this.#said(sheet.saved_utc);
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    window.addEventListener("pagehide", () => this.#player?.close());
  }

  // -- the sound

  /** What stands there before the recording is opened. */
  #closed() {
    const { sheet, words, stage } = this;
    const hear = button("hear", words.listen, () => this.#hear(hear));
    const why = make("p", "note");
    if (sheet.recording === "linked" && this.open) {
      why.textContent = words["listen.hint"];
      stage.replaceChildren(hear, why);
    } else {
      const missing = sheet.recording === "missing" ? "listen.missing" : "listen.none";
      why.textContent = sheet.recording === "linked" ? "" : words[missing];
      stage.replaceChildren(why, markList(words, sheet.marks));
    }
  }

  async #hear(hear) {
    hear.disabled = true;
    hear.textContent = this.words["listen.load"];
    try {
      const sound = await ask("POST", `${this.path}/hearing`, {});
      this.#player = new Player(this.words, sound, this.sheet.marks);
      this.listening = sound.listening;
      this.stage.replaceChildren(this.#player.element);
      this.stage.classList.add("sounding");
      this.#player.toggle.focus();
      this.comments.sounding();
    } catch (error) {
      hear.disabled = false;
      hear.textContent = this.words.listen;
      this.#wrong(fill(this.words["listen.failed"], { detail: error.message }));
    }
  }

  // -- the draft

  #body(leaving = false) {
    const { answers, comments } = this;
    return { answers, notes: leaving ? [...comments.notes, ...comments.writing] : comments.notes };
  }

  #saving() {
    this.saved.textContent = this.words.saving;
  }

  #told(told) {
    this.#said(told.saved_utc);
    this.score.show(told.outcome);
    this.items.mark(told.outcome);
  }

  #unsaved(error) {
    this.saved.textContent = fill(this.words.unsaved, { detail: error.message });
  }

  #said(utc) {
    const time = new Date(utc).toLocaleTimeString(this.language, { hour12: false });
    this.saved.textContent = fill(this.words.saved, { time });
  }

  async #name(code) {
    try {
      await this.draft.save();
      const told = await ask("POST", `${this.path}/code`, { code });
      this.items.tell(told.right_code, told.agent_code);
    } catch (error) {
      this.#wrong(error.message);
    }
  }

  // -- the end of it

  #submitter() {
    const { words } = this;
    const box = make("section", "submit");
    const send = button("strong", words.submit, () => {
      sure.hidden = false;
      send.hidden = true;
      yes.focus();
    });
    const yes = button("strong", words["submit.yes"], () => this.#submit(yes));
    const no = button("quiet", words["submit.no"], () => {
      sure.hidden = true;
      send.hidden = false;
      send.focus();
    });
    const sure = make("div", "sure", make("p", "", words["submit.sure"]), yes, no);
    sure.setAttribute("role", "group");
    sure.setAttribute("aria-label", words.submit);
    sure.hidden = true;
    box.append(this.saved, send, sure);
    return box;
  }

  async #submit(yes) {
    yes.disabled = true;
    await this.draft.stop();
    try {
      await ask("POST", `${this.path}/submit`, this.#body());
      await this.#over();
      location.reload();
    } catch (error) {
      yes.disabled = false;
      this.#wrong(error.message);
      this.items.focusMissing();
    }
  }

  async #replace(why) {
    try {
      await ask("POST", `${this.path}/replace`, { why });
      await this.#over();
      location.assign(`/ui/quality?lang=${this.language}`);
    } catch (error) {
      this.#wrong(error.message);
    }
  }

  /** Nobody hears it any more; if that cannot be said, it ends by itself. */
  async #over() {
    this.draft.end();
    this.#player?.close();
    if (!this.listening) return;
    try {
      await ask("POST", `/api/v1/listenings/${this.listening}/end`, { cause: "submitted" });
    } catch {
      /* two minutes later the server says so itself */
    }
  }

  #wrong(said) {
    this.error.textContent = said;
    this.error.hidden = false;
    this.error.scrollIntoView({ block: "nearest" });
  }

  // -- by keyboard

  #keys() {
    const { words } = this;
    const list = make("ul");
    for (const one of ["answer", "move", "play", "jump", "comment"]) {
      list.append(make("li", "", words[`keys.${one}`]));
    }
    const box = make("details", "keys", make("summary", "", words.keys), list);
    return box;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { target, key } = event;
    const typing = target.matches(TYPING);
    const jump = { ArrowLeft: -STEP_MS, ArrowRight: STEP_MS }[key];
    const slider = target.matches("[role=slider]");
    if (jump !== undefined && this.#player && (!typing || slider)) {
      this.#player.step(jump);
    } else if (key === " " && this.#player && (!typing || slider) && !target.matches("button, summary, a")) {
      if (this.#player.playing) this.#player.pause();
      else this.#player.play();
    } else if (typing) {
      return;
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      this.items.move(key === "ArrowDown" ? 1 : -1);
    } else if (/^[0-5]$/.test(key)) {
      this.items.answer(key);
    } else if (key === "n" || key === "N" || key === "-") {
      this.items.answer("-");
    } else if (key === "c" || key === "C") {
      this.items.comment();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

const options = JSON.parse(document.getElementById("options").textContent);
new Evaluate(document.getElementById("evaluate"), options);

