/* Light or dark, as the reader chose and else as the system is. In a script of its own, run
   before anything is drawn, so that the wrong one is never seen. */
(() => {
  "use strict";
  const KEY = "article-qa-scheme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "";
  try {
    chosen = localStorage.getItem(KEY) ?? "";
  } catch {
    // A browser may keep nothing at all; then the choice lasts as long as the page.
  }

  function apply() {
    const dark = chosen ? chosen === "dark" : system.matches;
    for (const element of [document.documentElement, document.body])
      element?.classList.toggle("dark", dark);
    for (const button of document.querySelectorAll("#scheme button"))
      button.setAttribute("aria-pressed", String(button.dataset.scheme === chosen));
  }

  function choose(scheme) {
    chosen = scheme;
    try {
      localStorage.setItem(KEY, scheme);
    } catch {
      // As above.
    }
    apply();
  }

  apply();
  system.addEventListener("change", apply);
  // Gradio colours the body by the system, whenever it mounts.
  new MutationObserver(apply).observe(document, {
    attributes: true, attributeFilter: ["class"], childList: true, subtree: true,
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#scheme button");
    if (button) choose(button.dataset.scheme);
  });
})();
