/* Dark or light, before the first paint: the system's wish, or the one kept from the switch.
   Classic script in the head, so that no page flashes in the wrong colours. `?theme=dark` wins. */
(() => {
  const ORDER = ["auto", "light", "dark"];
  const KEY = "diadema.theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function wanted() {
    const asked = new URLSearchParams(location.search).get("theme");
    if (ORDER.includes(asked)) return asked;
    try {
      const kept = localStorage.getItem(KEY);
      return ORDER.includes(kept) ? kept : "auto";
    } catch {
      return "auto"; // storage is forbidden here
    }
  }

  let choice = wanted();

  function apply() {
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.themeChoice = choice;
    if (window.Quasar?.Dark) window.Quasar.Dark.set(theme === "dark");
  }

  function next() {
    choice = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length];
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // it then holds for this page only
    }
    apply();
    return choice;
  }

  dark.addEventListener("change", apply);
  apply();
  window.diademaTheme = { next, apply, get choice() { return choice; } };
})();
