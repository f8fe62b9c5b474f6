/* Annuls an entry of the register, with a reason, from the button in its row. */

import { ask } from "./ask.js";
import { button, field, input, make } from "./form.js";
import { fill } from "./tile.js";
import { REASON_CHARACTERS } from "./wire.js";

export function mount(root, { words }) {
  const reason = input(REASON_CHARACTERS);
  const wrong = make("p", "wrong");
  wrong.setAttribute("role", "alert");
  const title = make("h2", "", words["annul.title"]);
  title.id = "annul-title";
  const close = button("act", words["annul.cancel"], () => dialog.close());
  const form = make(
    "form", "", title, make("p", "", words["annul.note"]), field(words["annul.reason"], reason),
    wrong, make("div", "ways", make("button", "act", words["annul"]), close),
  );
  const dialog = make("dialog", "annul", form);
  dialog.setAttribute("aria-labelledby", title.id);
  root.append(dialog);
  let place = "";

  const open = (event) => {
    const pressed = event.target.closest("[data-annul]");
    if (!pressed) return;
    place = pressed.dataset.annul;
    reason.value = wrong.textContent = "";
    dialog.showModal();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask("POST", `/api/v1/actions/${place}/annulment`, { reason: reason.value.trim() });
      location.reload();
    } catch (error) {
      wrong.textContent = fill(words["annul.failed"], { detail: error.detail ?? error.message });
    }
  });
  document.addEventListener("click", open);
  window.diademaAnswers("[data-annul]");
  return () => document.removeEventListener("click", open);
}
