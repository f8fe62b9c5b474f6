/* The button that sends a page to the printer. */

for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}
window.diademaAnswers("[data-print]");
