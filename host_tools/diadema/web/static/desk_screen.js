/* The station's OLED: 128 × 64 dots, each a whole number of the display's own pixels. */

const WIDTH = 128;
const HEIGHT = 64;
const SMALLEST = 192; // high, where the page may scroll
const LARGEST = 640; // wide
const LIT = "#d3ebff";
const UNLIT = "#05070a";

export class DeskScreen {
  #ram = new Uint8Array((WIDTH * HEIGHT) / 8);
  #dot = 0;
  #on = false;

  constructor(canvas, words) {
    this.canvas = canvas;
    this.words = words;
    this.resting = document.querySelector("[data-resting]");
    this.station = canvas.closest(".station");
    this.powered = false;
    this.scene = this.station.parentElement;
    new ResizeObserver(() => this.#fit()).observe(this.scene);
    addEventListener("resize", () => this.#fit());
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => this.#fit());
    this.#fit();
  }

  /** `screen`: base64 of the display's memory, eight pages of 128 columns, bit 0 on top. */
  show(screen, on) {
    this.#ram = Uint8Array.from(atob(screen), (letter) => letter.charCodeAt(0));
    this.#on = on;
    this.#draw();
    this.#rest();
  }

  stands(standing, state) {
    this.powered = standing.powered;
    this.canvas.setAttribute("aria-label", [this.words.screen, state, standing.who].filter(Boolean).join(", "));
    this.#rest();
  }

  #rest() {
    const text = this.powered ? this.words["screen.resting"] : this.words["screen.dark"];
    this.resting.hidden = this.#on;
    if (this.resting.textContent !== text) this.resting.textContent = text;
  }

  /** As many pixels a dot as there is room for; the keys follow by `--screen`. The style sheet
      says how much the rest takes beside the picture, and above and below it. */
  #fit() {
    const style = getComputedStyle(this.station);
    const wide = this.scene.clientWidth - parseFloat(style.getPropertyValue("--beside"));
    const high = innerHeight - parseFloat(style.getPropertyValue("--around"));
    const width = Math.min(wide, Math.max(high, SMALLEST) * 2, LARGEST);
    const dot = Math.max(1, Math.floor((width * devicePixelRatio) / WIDTH));
    if (dot === this.#dot) return;
    this.#dot = dot;
    this.canvas.width = WIDTH * dot;
    this.canvas.height = HEIGHT * dot;
    this.station.style.setProperty("--screen", `${(WIDTH * dot) / devicePixelRatio}px`);
    this.#draw();
  }

  #draw() {
    const context = this.canvas.getContext("2d", { alpha: false });
    const dot = this.#dot;
    const lit = dot > 3 ? dot - 1 : dot; // a gap between the dots, as the eye sees it there
    context.fillStyle = UNLIT;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.fillStyle = LIT;
    for (let y = 0; y < HEIGHT; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) {
        if ((this.#ram[(y >> 3) * WIDTH + x] >> (y & 7)) & 1) context.fillRect(x * dot, y * dot, lit, lit);
      }
    }
  }
}
