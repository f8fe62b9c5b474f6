/* Forms that ask our API: `data-deed` is the address, `data-method` how; what a field is called
   goes with its value, as JSON where `data-as` says so. With `data-each` it is asked once for each
   box of that name that is marked, with what else stands on the box. When it is done the page is
   read again, or `data-then` is, whose {places} the answer fills. A refusal is said in the form. */

import { ask } from "./ask.js";

for (const form of document.querySelectorAll("form[data-deed]")) {
  const send = form.querySelector("[type=submit]");
  if (!send) continue;
  send.disabled = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    deed(form, send);
  });
}

async function deed(form, send) {
  const wrong = form.querySelector("[role=alert]");
  wrong.hidden = true;
  send.disabled = true;
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await (form.dataset.each ? each(form) : asked(form, {}));
    const then = form.dataset.then?.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name]));
    if (then) location.assign(then);
    else location.reload();
  } catch (error) {
    wrong.textContent = error.detail ?? error.message;
    wrong.hidden = false;
    send.disabled = false;
  } finally {
    form.removeAttribute("aria-busy");
  }
}

function asked(form, more) {
  return ask(form.dataset.method, form.dataset.deed, { ...body(form), ...more });
}

/** One after the other; what was done is marked no more, so that it is not asked for again. */
async function each(form) {
  let answer = null;
  for (const box of form.querySelectorAll(`[name="${form.dataset.each}"]:checked`)) {
    answer = await asked(form, { ...box.dataset, [box.name]: JSON.parse(box.value) });
    box.checked = false;
  }
  return answer;
}

function body(form) {
  const sent = {};
  for (const field of form.querySelectorAll("[name]:not([type=checkbox])")) {
    const value = field.value.trim();
    if (value || field.required) sent[field.name] = field.dataset.as === "json" ? JSON.parse(value) : value;
  }
  return sent;
}
