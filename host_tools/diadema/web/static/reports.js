/* The reports page: a choice shows at once, tables say where they go on, and reports are ordered
   and taken away. */

import { ask } from "./ask.js";

document.addEventListener("change", (event) => {
  const form = event.target.closest(".report-form");
  if (form) form.requestSubmit();
});

const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => edges(target)));

/** Whether a table goes on below and to the right of what its box shows. */
function edges(box) {
  box.toggleAttribute("data-below", box.scrollTop + box.clientHeight < box.scrollHeight - 1);
  box.toggleAttribute("data-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
}

function watch() {
  for (const box of document.querySelectorAll(".report-scroll")) sized.observe(box);
}

new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
watch();

document.addEventListener("scroll", ({ target }) => {
  if (target.matches?.(".report-scroll")) edges(target);
}, { capture: true, passive: true });

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-order]");
  if (!form) return;
  event.preventDefault();
  const given = new FormData(form);
  await settle(form.querySelector("[data-error]"), () =>
    ask("POST", "/api/v1/reports/schedules", {
      kind: form.dataset.kind,
      scope: form.dataset.scope,
      name: given.get("name"),
      every: given.get("every"),
      at: given.get("at"),
      format: given.get("format"),
      running: given.has("running"),
      to: given.getAll("to"),
    }),
  );
});

document.addEventListener("click", async (event) => {
  if (event.target.closest("[data-print]")) window.print();
  const button = event.target.closest("[data-remove]");
  if (!button) return;
  button.disabled = true;
  const name = encodeURIComponent(button.dataset.remove);
  await settle(document.querySelector("[data-order] [data-error]"), () =>
    ask("DELETE", `/api/v1/reports/schedules/${name}`),
  );
  button.disabled = false;
});

window.diademaAnswers("[data-print], [data-remove]");

async function settle(place, work) {
  try {
    await work();
    location.reload();
  } catch (error) {
    const folded = place.closest("details");
    if (folded) folded.open = true;
    place.textContent = error.detail ?? String(error);
    place.hidden = false;
  }
}
