/* A press of what a module answers that has not come yet is kept, and made once it has: a slow
   network loses none. Classic script in the head; such a module says `diademaAnswers(selector)`. */
(() => {
  const WAITING = "[data-annul], [data-print], [data-remove], .bar button[type=button]";
  const answered = [];
  let kept = [];

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest(WAITING);
    if (pressed && !answered.some((one) => pressed.matches(one))) kept.push(pressed);
  }, true);

  window.diademaAnswers = (selector) => {
    answered.push(selector);
    const now = kept.filter((one) => one.matches(selector));
    kept = kept.filter((one) => !now.includes(one));
    now.at(-1)?.click();
  };
})();
