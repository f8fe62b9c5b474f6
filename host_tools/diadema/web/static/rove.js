/* One stop for the Tab key, arrows inside: left and right along the row, up and down by column, from
   group to group too; Home and End to the ends. */

export class Roving {
  constructor(root, describe) {
    this.root = root;
    this.describe = describe;
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", (event) => this.#focused(event.target.closest(".tile")));
    root.addEventListener("focusout", (event) => event.target.removeAttribute("aria-label"));
  }

  #visible() {
    return [...this.root.querySelectorAll(".tile")].filter((element) => !element.hidden);
  }

  /** Keep exactly one visible tile reachable; call after the order or the choice changed. */
  settle() {
    const visible = this.#visible();
    const current = visible.find((element) => element.tabIndex === 0);
    for (const element of this.root.querySelectorAll('.tile[tabindex="0"]')) {
      if (element !== current) element.tabIndex = -1;
    }
    if (!current && visible.length) visible[0].tabIndex = 0;
  }

  #focused(element) {
    if (!element) return;
    for (const other of this.root.querySelectorAll('.tile[tabindex="0"]')) other.tabIndex = -1;
    element.tabIndex = 0;
    this.describe(element);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const visible = this.#visible();
    const at = visible.indexOf(event.target.closest(".tile"));
    if (at < 0) return;
    const to = this.#target(event.key, visible, at);
    if (to === null) return;
    event.preventDefault();
    visible[Math.min(Math.max(to, 0), visible.length - 1)].focus();
  }

  #target(key, visible, at) {
    switch (key) {
      case "ArrowRight": return at + 1;
      case "ArrowLeft": return at - 1;
      case "ArrowDown": return this.#rows(visible, at, 1);
      case "ArrowUp": return this.#rows(visible, at, -1);
      case "PageDown": return this.#rows(visible, at, 5);
      case "PageUp": return this.#rows(visible, at, -5);
      case "Home": return 0;
      case "End": return visible.length - 1;
      default: return null;
    }
  }

  /** The tile so many rows away that stands nearest to this column; the last row is the last. */
  #rows(visible, at, by) {
    const tops = visible.map((element) => element.offsetTop);
    const rows = [...new Set(tops)].sort((a, b) => a - b);
    const now = rows.indexOf(tops[at]);
    const top = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
    const left = visible[at].offsetLeft;
    const away = (index) => Math.abs(visible[index].offsetLeft - left);
    let best = tops.indexOf(top);
    tops.forEach((one, index) => {
      if (one === top && away(index) < away(best)) best = index;
    });
    return best;
  }
}
