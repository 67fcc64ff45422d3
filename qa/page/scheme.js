/* Light or dark, as the reader chose and else as the system is. In a script of its own, run
   before anything is drawn, so that the wrong one is never seen. */
(() => {
  "use strict";
  const KEY = "article-qa-scheme";
  const LOOKS = { "": ["◐", "as the system"], light: ["☀", "light"], dark: ["☾", "dark"] };
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
    const button = document.querySelector("#scheme");
    const [sign, words] = LOOKS[chosen] ?? LOOKS[""];
    if (button && button.textContent !== sign) {
      button.textContent = sign;
      button.title = `Colours: ${words}`;
      button.setAttribute("aria-label", button.title);
    }
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
    if (event.target.closest?.("#scheme"))
      choose({ "": "dark", dark: "light", light: "" }[chosen] ?? "");
  });
})();
