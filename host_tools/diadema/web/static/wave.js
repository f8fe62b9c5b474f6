/* The picture of a call: its waveform, one band a side, what happened in it, and where one is.
   Times are in ms from the call's first event. */

const STRETCHES = ["pause", "hold", "mute", "consult"];

export class Wave {
  /** `peaks`: of each side 0-255; they lie over [from, to). `marks`: [{ms, to, kind}]. */
  constructor(marks, from, to) {
    Object.assign(this, { marks, from, to, peaks: [], at: from });
    this.element = document.createElement("canvas");
    this.element.className = "wave";
    this.element.setAttribute("aria-hidden", "true");
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.element);
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  close() {
    this.watch.disconnect();
    this.theme.disconnect();
  }

  show(peaks) {
    this.peaks = peaks;
    this.draw();
  }

  /** The time at a place of the page. */
  time(clientX) {
    const box = this.element.getBoundingClientRect();
    const share = Math.min(Math.max((clientX - box.left) / (box.width || 1), 0), 1);
    return this.from + share * (this.to - this.from);
  }

  draw() {
    const { element } = this;
    const width = element.clientWidth;
    const height = element.clientHeight;
    if (!width || !height) return;
    const scale = window.devicePixelRatio || 1;
    element.width = Math.round(width * scale);
    element.height = Math.round(height * scale);
    const to = element.getContext("2d");
    to.scale(scale, scale);
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const x = (ms) => ((ms - this.from) / (this.to - this.from)) * width;
    for (const one of this.marks) {
      if (STRETCHES.includes(one.kind)) this.#stretch(to, one, x, height, colour);
    }
    this.#sides(to, x(this.at), width, height, colour);
    for (const one of this.marks) {
      if (!STRETCHES.includes(one.kind)) {
        to.fillStyle = colour(`--mark-${one.kind}`) || colour("--soft");
        to.fillRect(x(one.ms) - 0.75, 0, 1.5, height);
      }
    }
    to.fillStyle = colour("--alarm");
    to.fillRect(x(this.at) - 1, 0, 2, height);
  }

  #stretch(to, one, x, height, colour) {
    const first = x(one.ms);
    const length = Math.max(x(one.to ?? this.to) - first, 2);
    to.fillStyle = colour(`--mark-${one.kind}`);
    to.globalAlpha = 0.16;
    to.fillRect(first, 0, length, height);
    to.globalAlpha = 1;
    to.fillRect(first, height - 3, length, 3);
    if (one.kind !== "pause") return;
    to.save();
    to.beginPath();
    to.rect(first, 0, length, height);
    to.clip();
    to.strokeStyle = colour(`--mark-${one.kind}`);
    to.globalAlpha = 0.45;
    for (let at = first - height; at < first + length; at += 7) {
      to.beginPath();
      to.moveTo(at, height);
      to.lineTo(at + height, 0);
      to.stroke();
    }
    to.restore();
  }

  #sides(to, here, width, height, colour) {
    const band = height / (this.peaks.length || 1);
    for (const [side, peaks] of this.peaks.entries()) {
      const middle = band * (side + 0.5);
      for (let column = 0; column < width; column += 3) {
        const first = Math.floor((column / width) * peaks.length);
        const last = Math.max(Math.floor(((column + 3) / width) * peaks.length), first + 1);
        let high = 0;
        for (let at = first; at < last && at < peaks.length; at += 1) high = Math.max(high, peaks[at]);
        const tall = Math.max((high / 255) * (band - 6), 1);
        to.fillStyle = colour(column < here ? "--accent" : "--wave");
        to.fillRect(column, middle - tall / 2, 2, tall);
      }
    }
  }
}
