// Light or dark: the system's choice until the reader makes their own. In the head, so that a page never flashes.
(() => {
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("firstline-theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("firstline-theme", theme); } catch { /* not remembered */ } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const now = () => root.dataset.theme || (system.matches ? "dark" : "light");
  if (kept()) root.dataset.theme = kept();
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const tell = () => { button.textContent = now() === "dark" ? "Light theme" : "Dark theme"; };
    button.hidden = false;
    tell();
    system.addEventListener("change", tell);
    button.addEventListener("click", () => {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      keep(root.dataset.theme);
      tell();
    });
  });
})();
