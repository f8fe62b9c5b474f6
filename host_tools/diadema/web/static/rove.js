/* One stop for the Tab key, arrows inside: left and right along the row, up and down by column,
   Home and End to the ends. */

export class Roving {
  constructor(list, describe) {
    this.list = list;
    this.describe = describe;
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("focusin", (event) => this.#focused(event.target.closest(".tile")));
    list.addEventListener("focusout", (event) => event.target.removeAttribute("aria-label"));
  }

  #visible() {
    return [...this.list.children].filter((element) => !element.hidden);
  }

  /** Keep exactly one visible tile reachable; call after the order or the choice changed. */
  settle() {
    const visible = this.#visible();
    const current = visible.find((element) => element.tabIndex === 0);
    for (const element of this.list.children) {
      if (element.tabIndex === 0 && element !== current) element.tabIndex = -1;
    }
    if (!current && visible.length) visible[0].tabIndex = 0;
  }

  #focused(element) {
    if (!element) return;
    for (const other of this.list.querySelectorAll('.tile[tabindex="0"]')) other.tabIndex = -1;
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
    const top = visible[0].offsetTop;
    const next = visible.findIndex((element) => element.offsetTop !== top);
    const columns = next < 0 ? visible.length : next;
    const page = columns * 5;
    const last = visible.length - 1;
    switch (key) {
      case "ArrowRight": return at + 1;
      case "ArrowLeft": return at - 1;
      case "ArrowDown": return at + columns > last ? at : at + columns;
      case "ArrowUp": return at - columns < 0 ? at : at - columns;
      case "PageDown": return at + page;
      case "PageUp": return at - page;
      case "Home": return 0;
      case "End": return last;
      default: return null;
    }
  }
}
