// Runs before the first paint, so that a dark page never flashes white. Everything else is app.js.
(() => {
  let wanted = null;
  try {
    wanted = localStorage.getItem("theme");
  } catch {
    // Storage may be forbidden: the page then follows the system.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const root = document.documentElement;
  root.dataset.theme = ["light", "dark"].includes(wanted) ? wanted : "system";
  root.dataset.bsTheme = root.dataset.theme === "system" ? (dark ? "dark" : "light") : wanted;
  root.classList.add("js");
})();
