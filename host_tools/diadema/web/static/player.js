/* One recorded call, to hear: `new Player(words, sound, marks)`. `sound` is what the server said
   when the hearing began; the sound itself comes as PCM, a piece at a time, just before it is
   heard, and is kept nowhere. Times are in ms from the call's first event. */

import { button, make } from "./form.js";
import { stretch } from "./stretch.js";
import { fill } from "./tile.js";
import { Wave } from "./wave.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const PIECE_S = 4;
const AHEAD_S = 3; // of what is heard, that is there already
const STEP_MS = 5000;
const SAMPLE = 2; // bytes
const TRIES = 10; // where the server says that it is too soon

export function clockOf(ms) {
  const s = Math.max(Math.floor(ms / 1000), 0);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

export function wordOf(words, mark) {
  if (mark.kind !== "step") return words[`mark.${mark.kind}`];
  return fill(words["mark.step"], { step: words[`step.${mark.step}`] ?? mark.step });
}

/** What happened in it, in order; `go(ms)` where one can go there. */
export function markList(words, marks, go = null) {
  const list = make("ol", "marks");
  list.setAttribute("aria-label", words.marks);
  for (const one of marks) {
    const said = `${clockOf(one.ms)} ${wordOf(words, one)}`;
    const place = go ? button("mark", "", () => go(one.ms)) : make("span", "mark");
    place.dataset.kind = one.kind;
    place.append(make("i"), said);
    list.append(make("li", "", place));
  }
  return list;
}

export class Player {
  #at = 0; // ms of the sound
  #speed = 1;
  #context = null;
  #turn = 0; // what was asked for before it is heard no more
  #began = null; // {time, ms}: since when, and from where, it plays
  #sources = new Set();
  #frame = 0;
  #timer = 0;

  constructor(words, sound, marks) {
    Object.assign(this, { words, sound, marks });
    this.start = sound.start_ms ?? 0; // where the first event lies in the sound
    this.element = make("section", "player");
    this.element.setAttribute("aria-label", words.wave);
    this.wave = new Wave(marks, -this.start, sound.ms - this.start);
    this.slider = make("div", "wave-slider", this.wave.element);
    this.#describe();
    this.toggle = button("play", "", () => (this.playing ? this.pause() : this.play()));
    this.toggle.dataset.icon = "play";
    this.time = make("output", "player-time");
    this.time.setAttribute("aria-live", "off");
    this.said = make("p", "player-said");
    this.said.setAttribute("role", "status");
    this.element.append(this.slider, this.#controls(), markList(words, marks, (ms) => this.seek(ms)), this.said);
    this.#show();
    this.#load();
  }

  /** Where one is. */
  get at() {
    return Math.round(this.#now() - this.start);
  }

  get playing() {
    return this.#began !== null;
  }

  seek(ms) {
    const playing = this.playing;
    this.#halt();
    this.#at = Math.min(Math.max(ms + this.start, 0), this.sound.ms);
    this.#show();
    if (playing) this.play();
  }

  step(ms) {
    this.seek(this.at + ms);
  }

  close() {
    this.#halt();
    this.wave.close();
    this.#context?.close();
  }

  play() {
    if (this.playing) return;
    if (this.#at >= this.sound.ms - 20) this.#at = 0;
    this.#context ??= new AudioContext();
    this.#context.resume();
    this.#began = { time: null, ms: this.#at };
    this.#turn += 1;
    this.said.textContent = "";
    this.#feed(this.#turn);
    this.#tick();
    this.#show();
  }

  pause() {
    this.#halt();
    this.#show();
  }

  // -- what is seen

  #describe() {
    const { slider, words } = this;
    slider.setAttribute("role", "slider");
    slider.tabIndex = 0;
    slider.setAttribute("aria-label", words.position);
    slider.setAttribute("aria-valuemin", Math.round(-this.start / 1000));
    slider.setAttribute("aria-valuemax", Math.round((this.sound.ms - this.start) / 1000));
    const go = (event) => this.seek(this.wave.time(event.clientX));
    slider.addEventListener("pointerdown", (event) => {
      slider.setPointerCapture(event.pointerId);
      go(event);
    });
    slider.addEventListener("pointermove", (event) => {
      if (slider.hasPointerCapture(event.pointerId)) go(event);
    });
    slider.addEventListener("keydown", (event) => {
      const move = { Home: -Infinity, End: Infinity, PageUp: 30_000, PageDown: -30_000 }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      this.step(move);
    });
  }

  #controls() {
    const { words } = this;
    const row = make("div", "player-row");
    const back = button("quiet", "−5", () => this.step(-STEP_MS));
    back.setAttribute("aria-label", words.back5);
    const forward = button("quiet", "+5", () => this.step(STEP_MS));
    forward.setAttribute("aria-label", words.forward5);
    const speed = make("select");
    speed.setAttribute("aria-label", words.speed);
    for (const one of SPEEDS) speed.append(new Option(`${one} ×`, one, one === 1, one === 1));
    speed.addEventListener("change", () => {
      const { playing } = this;
      this.#halt();
      this.#speed = Number(speed.value);
      if (playing) this.play();
    });
    row.append(back, this.toggle, forward, this.time, speed);
    return row;
  }

  #show() {
    const { words, slider } = this;
    const here = this.at;
    const said = fill(words["position.of"], {
      at: clockOf(here), all: clockOf(this.sound.ms - this.start),
    });
    if (this.time.textContent !== said) this.time.textContent = said;
    slider.setAttribute("aria-valuenow", Math.round(here / 1000));
    const inside = this.marks.filter((one) => one.to > here && one.ms <= here);
    const told = [said, ...inside.map((one) => wordOf(words, one))].join(", ");
    if (slider.getAttribute("aria-valuetext") !== told) slider.setAttribute("aria-valuetext", told);
    const icon = this.playing ? "pause" : "play";
    this.toggle.dataset.icon = icon;
    this.toggle.setAttribute("aria-label", words[icon]);
    this.toggle.setAttribute("aria-pressed", String(this.playing));
    this.wave.at = here;
    this.wave.draw();
  }

  #tick() {
    this.#frame = requestAnimationFrame(() => {
      if (!this.playing) return;
      if (this.#now() >= this.sound.ms) this.#halt();
      this.#show();
      if (this.playing) this.#tick();
    });
  }

  // -- what is heard

  async #load() {
    try {
      const answer = await fetch(this.sound.peaks, { cache: "no-store" });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      const told = await answer.json();
      this.wave.show(told.peaks ?? told);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #now() {
    if (this.#began === null) return this.#at;
    const { time, ms } = this.#began;
    if (time === null) return ms;
    const gone = Math.max(this.#context.currentTime - time, 0);
    return Math.min(ms + gone * this.#speed * 1000, this.sound.ms);
  }

  #halt() {
    this.#at = this.#now();
    this.#began = null;
    this.#turn += 1;
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    for (const one of this.#sources) one.stop();
    this.#sources.clear();
  }

  /** Piece after piece, each when there is little left of the one before. */
  async #feed(turn) {
    const { rate, frames } = this.sound;
    const context = this.#context;
    let frame = Math.min(Math.floor((this.#at * rate) / 1000), frames);
    let due = null;
    try {
      while (frame < frames && turn === this.#turn) {
        const last = Math.min(frame + Math.round(PIECE_S * rate * this.#speed), frames);
        const sides = await this.#piece(frame, last);
        if (turn !== this.#turn || !sides[0].length) return;
        const begin = Math.max(due ?? 0, context.currentTime + 0.05);
        if (due === null || begin > due + 0.01) {
          this.#began = { time: begin, ms: (frame * 1000) / rate }; // at first, or it came late
        }
        due = begin + this.#sound(sides, begin);
        frame += sides[0].length; // an answer has as much as it has
        await this.#pause(due - context.currentTime - AHEAD_S);
      }
    } catch (error) {
      if (turn !== this.#turn) return;
      this.pause();
      this.#trouble(error);
    }
  }

  #pause(seconds) {
    return new Promise((go) => {
      this.#timer = setTimeout(go, Math.max(seconds, 0) * 1000);
    });
  }

  /** Frames [first, last) as numbers, a list a side. */
  async #piece(first, last) {
    const { sides, sound } = this.sound;
    const wide = sides * SAMPLE;
    const range = `bytes=${first * wide}-${last * wide - 1}`;
    const answer = await this.#fetched(sound, { headers: { range }, cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const bytes = new DataView(await answer.arrayBuffer());
    const count = Math.floor(bytes.byteLength / wide);
    return Array.from({ length: sides }, (_, side) =>
      Float32Array.from({ length: count }, (_one, at) =>
        bytes.getInt16((at * sides + side) * SAMPLE, true) / 32_768));
  }

  /** Who went back and forth a lot has had more than was heard, and waits. */
  async #fetched(address, how) {
    for (let left = TRIES; ; left -= 1) {
      const answer = await fetch(address, how);
      if (answer.status !== 429 || !left) return answer;
      this.said.textContent = this.words.buffering;
      await this.#pause(Number(answer.headers.get("retry-after")) || 1);
      this.said.textContent = "";
    }
  }

  /** Put it on at `begin`; gives how many seconds it lasts. */
  #sound(sides, begin) {
    const { rate } = this.sound;
    const made = stretch(sides, rate, this.#speed);
    if (!made[0].length) return 0;
    const buffer = this.#context.createBuffer(made.length, made[0].length, rate);
    for (const [side, samples] of made.entries()) buffer.copyToChannel(samples, side);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.addEventListener("ended", () => this.#sources.delete(source));
    source.start(begin);
    this.#sources.add(source);
    return made[0].length / rate;
  }

  #trouble(error) {
    this.said.textContent = fill(this.words["sound.failed"], { detail: error.message });
  }
}
