/* What every page's bar needs of the browser: the switch of the colours, links that keep the query. */

import { leaveIfOver } from "./ask.js";
import { themeSwitch } from "./switch.js";

function settle() {
  const button = document.querySelector("[data-theme-button]");
  if (!button) {
    setTimeout(settle, 50); // NiceGUI draws the bar after this module has loaded
    return;
  }
  themeSwitch(button, JSON.parse(document.getElementById("shell-words").textContent));
  menu(button.closest(".bar"));
  window.diademaAnswers(".bar button[type=button]");
  const kept = new URLSearchParams(location.search);
  for (const link of document.querySelectorAll("a[data-keep]")) {
    const merged = new URLSearchParams(kept);
    merged.set("lang", new URL(link.href).searchParams.get("lang"));
    link.href = `?${merged}`;
  }
}

/** The groups of pages open one at a time, and close by Escape, by a press beside them and when the
    focus goes on; in a narrow window all of it is behind one button. */
function menu(bar) {
  const whole = bar.querySelector(".bar-menu");
  const groups = [...bar.querySelectorAll(".bar-group")];
  const open = (button, isOpen) => button.setAttribute("aria-expanded", String(isOpen));
  const isOpen = (button) => button.getAttribute("aria-expanded") === "true";
  const close = (but) => {
    for (const group of groups) if (group !== but) open(group.firstElementChild, false);
  };
  whole.addEventListener("click", () => open(whole, bar.toggleAttribute("data-menu")));
  for (const group of groups) {
    const button = group.firstElementChild;
    button.addEventListener("click", () => {
      close(group);
      open(button, !isOpen(button));
    });
    group.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !group.contains(event.relatedTarget)) open(button, false);
    });
  }
  document.addEventListener("click", (event) => close(event.target.closest(".bar-group")));
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const last = [...groups.map((group) => group.firstElementChild), whole].find(isOpen);
    if (!last) return;
    bar.removeAttribute("data-menu");
    close(null);
    open(whole, false);
    last.focus();
  });
}

/** The server ends the socket of a session that is over: the page then goes to the login. */
function follow() {
  if (window.socket) window.socket.on("disconnect", leaveIfOver);
  else setTimeout(follow, 50);
}

/** NiceGUI's tables that are wider than their place can be scrolled by keys too. */
const sized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

function watch() {
  for (const box of document.querySelectorAll(".q-table__middle")) sized.observe(box);
}

settle();
if (document.getElementById("app")) { // only NiceGUI's pages have that socket, and draw later
  follow();
  new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
}
