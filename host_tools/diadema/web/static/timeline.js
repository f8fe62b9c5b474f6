/* A day on three tracks (presence, work, link), drawn as SVG. A bar is a state with its clock; it
   can be reached with the keyboard and opens what lies behind it. */

import { duration } from "./clock.js";

const NS = "http://www.w3.org/2000/svg";
const HOUR = 3_600_000;
const QUARTER = HOUR / 4;
const HOUR_WIDTH = 42; // of `00:00` and the air around it
const STEPS = [QUARTER / 3, QUARTER, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR];
const TRACKS = ["presence", "work", "link"];
const TRACK = 34;
const GAP = 12;
const TOP = 22;

function svg(name, attributes, parent) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class Timeline {
  /** `open(bar)` is called for a bar that was chosen; `word(bar)` says what it is. */
  constructor(words, { open, word, hour }) {
    Object.assign(this, { words, open, word, hour });
    this.element = document.createElement("figure");
    this.element.className = "timeline";
    this.caption = document.createElement("figcaption");
    this.caption.setAttribute("aria-live", "polite");
    this.element.append(this.caption);
  }

  /** `day`: {presence, work, link} lists of bars, UTC ms; [from, to) is drawn. */
  draw(day, from, to) {
    this.element.querySelector("svg")?.remove();
    const width = Math.max(320, this.element.clientWidth || 960);
    const left = width < 560 ? 0 : 84;
    const x = (utc) => left + ((utc - from) / (to - from)) * (width - left);
    const height = TOP + TRACKS.length * (TRACK + GAP);
    const picture = svg("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
      "aria-label": this.words.timeline,
    });
    this.#hours(picture, from, to, x, height);
    TRACKS.forEach((name, at) => {
      const y = TOP + at * (TRACK + GAP);
      if (left) {
        const label = svg("text", { x: 0, y: y + TRACK / 2 + 5, class: "track" }, picture);
        label.append(this.words[`track.${name}`]);
      }
      svg("rect", { x: left, y, width: width - left, height: TRACK, class: "ground" }, picture);
      for (const bar of day[name]) this.#bar(picture, name, bar, x, y);
    });
    this.element.prepend(picture);
    this.caption.textContent = this.words["timeline.hint"];
  }

  #hours(picture, from, to, x, height) {
    const most = Math.min(14, (x(to) - x(from)) / HOUR_WIDTH);
    const step = STEPS.find((one) => (to - from) / one <= most) ?? STEPS.at(-1);
    for (let utc = Math.ceil(from / step) * step; utc <= to; utc += step) {
      svg("line", { x1: x(utc), x2: x(utc), y1: TOP - 6, y2: height, class: "hour" }, picture);
      const at = Math.min(Math.max(x(utc), x(from) + 14), x(to) - 16);
      svg("text", { x: at, y: 12, class: "hour" }, picture).append(this.hour(utc));
    }
  }

  #bar(picture, track, bar, x, y) {
    const start = x(bar.start);
    const width = Math.max(1, x(bar.end) - start);
    const said = `${this.word(bar)}, ${this.hour(bar.start)}, ${duration(bar.end - bar.start)}`;
    const rect = svg("rect", {
      x: start, y, width, height: TRACK, class: `bar-${track}`, "data-state": bar.state,
    }, picture);
    svg("title", {}, rect).append(said);
    if (bar.state === "working") return; // the track below says what
    rect.setAttribute("tabindex", "0");
    rect.setAttribute("role", "button");
    rect.setAttribute("aria-label", said);
    const say = () => (this.caption.textContent = said);
    rect.addEventListener("pointerenter", say);
    rect.addEventListener("focus", say);
    rect.addEventListener("click", () => this.open(bar));
    rect.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.open(bar);
    });
  }
}

/** From the quarter of an hour of the day's first thing to that of its last; else the day. */
export function reach(day, start, end) {
  const bars = TRACKS.flatMap((name) => day[name]);
  if (!bars.length) return [start, end];
  const first = Math.min(...bars.map((bar) => bar.start));
  const last = Math.max(...bars.map((bar) => bar.end));
  const from = Math.max(start, Math.floor(first / QUARTER) * QUARTER);
  return [from, Math.min(end, Math.max(Math.ceil(last / QUARTER), from / QUARTER + 2) * QUARTER)];
}
