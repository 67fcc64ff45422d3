/* The page's own behaviour: citations lead into the article and back.
   Everything is delegated from the document, for Gradio redraws the panes as it pleases. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const narrow = matchMedia("(max-width: 760px)");
  let turn = -1; // whose evidence is shown
  let at = 0; // which of it, from 0
  let wanted = null; // the citation whose article was asked for, as [turn, number, focus]

  const box = () => $("#question textarea");
  const conversation = () => $("#conversation .conversation");
  const turns = () => $$("#conversation .turn[data-turn]");
  const citations = () => (turns()[turn] ? $$(".cite", turns()[turn]) : []);
  const scroll = (element, block) =>
    element.scrollIntoView({ block, behavior: calm.matches ? "auto" : "smooth" });

  function say(text) {
    let live = $("#announcer");
    if (!live) {
      live = document.createElement("div");
      live.id = "announcer";
      live.className = "unseen";
      live.setAttribute("role", "status");
      live.setAttribute("aria-live", "polite");
      document.body.append(live);
    }
    live.textContent = text;
  }

  /* ---- evidence in the article ---- */

  const units = () => $$("#reader .unit");
  const opened = () => $("#article")?.dataset.id;
  const within = (unit, start, end) => +unit.dataset.start < end && +unit.dataset.end > start;
  const quotes = (cite, unit) => cite.dataset.article === opened()
    && within(unit, +cite.dataset.start, +cite.dataset.end);
  const tellServer = (event, detail) =>
    conversation().dispatchEvent(new CustomEvent(event, { detail, bubbles: true }));

  /* The server is asked for an article, or for the list of those that fit the filters. */
  let view = {};
  function open(what) {
    view = what;
    tellServer("show", {});
  }

  function mark(which) {
    turn = which;
    at = 0;
    const cites = citations().filter((cite) => cite.dataset.article === opened());
    const spans = cites.map((cite) => [+cite.dataset.start, +cite.dataset.end, cite.dataset.number]);
    const around = cites.map((cite) => cite.dataset.passage.split("-").map(Number));
    for (const unit of units()) {
      const numbers = spans.filter(([start, end]) => within(unit, start, end)).map((span) => span[2]);
      unit.classList.toggle("cited", numbers.length > 0);
      unit.classList.toggle("around", around.some(([start, end]) => within(unit, start, end)));
      if (numbers.length) unit.dataset.numbers = numbers.join(" ");
      else delete unit.dataset.numbers;
    }
    $("#reader")?.classList.toggle("no-answer", Boolean(turns()[turn]?.querySelector(".silent")));
    $$("#conversation .turn").forEach((element, n) => element.classList.toggle("shown", n === turn));
    tell();
  }

  function tell() {
    const bar = $("#evidence");
    if (!bar) return;
    const count = citations().length;
    bar.hidden = count === 0;
    const kind = turns()[turn]?.querySelector(".silent") ? "Closest " : "";
    $(".count", bar).textContent = count ? `${kind}${at + 1} of ${count}` : "";
    $(".right-one", bar).hidden = true;
  }

  function show(cite, focus = true) {
    const owner = turns().indexOf(cite.closest(".turn"));
    if (owner !== turn) mark(owner);
    at = citations().indexOf(cite);
    $$(".current").forEach((element) => element.classList.remove("current"));
    if (focus) cite.classList.add("current");
    tell();
    if (cite.dataset.article !== opened()) {
      wanted = [owner, cite.dataset.number, focus];
      if (focus) sheet(true);
      open({ article: cite.dataset.article });
      return;
    }
    wanted = null;
    const unit = units().find((u) => quotes(cite, u));
    if (!unit) return;
    if (!focus) return scroll(unit, "center");
    unit.classList.add("current");
    sheet(true);
    unit.tabIndex = -1;
    unit.focus({ preventScroll: true });
    scroll(unit, "center");
    say(`Citation ${cite.dataset.number}: ${unit.textContent}`);
  }

  /* The article of a citation has been opened: on to the sentence. */
  function arrived() {
    const [owner, number, focus] = wanted;
    const cite = turns()[owner]?.querySelector(`.cite[data-number="${number}"]`);
    if (cite?.dataset.article === opened()) show(cite, focus);
  }

  function step(by) {
    const cites = citations();
    if (cites.length) show(cites[(at + by + cites.length) % cites.length]);
  }

  function back() {
    sheet(false);
    box()?.focus();
  }

  function usedBy(unit) {
    const uses = turns().flatMap((element, n) =>
      $$(".cite", element)
        .filter((cite) => quotes(cite, unit))
        .map((cite) => ({ n, cite })));
    $$(".current").forEach((element) => element.classList.remove("current"));
    unit.classList.add("current");
    for (const { cite } of uses) cite.classList.add("current");
    const use = uses.find(({ n }) => n === turn) ?? uses.at(-1);
    if (use) {
      if (use.n !== turn) mark(use.n);
      use.cite.closest("details")?.setAttribute("open", "");
      at = citations().indexOf(use.cite);
      if (!narrow.matches) scroll(use.cite, "nearest");
      tell();
    }
    const numbers = uses.map(({ n, cite }) => `${cite.dataset.number} of question ${n + 1}`);
    note(uses.length ? `Cited as ${numbers.join(", ")}` : "Not cited in this conversation", unit);
  }

  function note(text, unit) {
    const bar = $("#evidence");
    if (!bar) return;
    bar.hidden = false;
    $(".count", bar).textContent = text;
    const right = $(".right-one", bar);
    right.hidden = !turns()[turn];
    right.dataset.start = unit.dataset.start;
    right.dataset.end = unit.dataset.end;
    say(text);
  }

  /* ---- the article as a sheet, on a narrow page ---- */

  function sheet(open) {
    document.body.classList.toggle("sheet-open", open);
    $("#sheet-handle")?.setAttribute("aria-expanded", String(open));
  }

  /* ---- asking ---- */

  function put(question) {
    const area = box();
    const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    setter.call(area, question);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function ask(question) {
    put(question);
    box().focus();
    setTimeout(() => $("#ask").click(), 30);
  }

  /* Enter twice, or a double click, is one question, as long as it has not been answered. */
  const FORGOTTEN = 10_000; // ms: without a connection no answer comes
  let sent = null;
  /* Gradio reads the box some time after Enter, when the next question may stand in it already. */
  let waiting = []; // questions as they were sent, until Gradio takes them
  let own = false; // whether it is the page that sends what still waits
  function hasty() {
    const question = box().value;
    const now = performance.now();
    const again = sent?.question === question && now - sent.at < FORGOTTEN;
    const left = sent && !question.trim(); // the box, by the question that was taken
    if (!again && !left) {
      sent = { question, at: now };
      waiting.push(question);
      setTimeout(watch, 1000);
    }
    return again || left;
  }
  for (const [kind, asks] of [
    ["keydown", (event) => event.key === "Enter" && !event.shiftKey && event.target === box()],
    ["click", (event) => event.target.closest?.("#ask")],
  ])
    document.addEventListener(kind, (event) => {
      if (!asks(event) || own || !hasty()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);

  /* A question that was taken leaves the box, unless another one is being typed there. */
  function taken(turn) {
    if (box()?.value.trim() === $(".question", turn).textContent.trim()) put("");
  }

  /* A question that is not taken may have met a server that is gone: say so until it is back. */
  const LOST = "The connection to the server is lost. What you typed is kept;"
    + " ask it when this line has gone.";
  let watching = false;
  async function watch() {
    if (watching) return;
    watching = true;
    while (!(await reachable())) {
      sent = null;
      waiting = [];
      lost(true);
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    lost(false);
    watching = false;
  }
  async function reachable() {
    try {
      const options = { cache: "no-store", signal: AbortSignal.timeout(5000) };
      return (await fetch(new URL("health", document.baseURI), options)).ok;
    } catch {
      return false;
    }
  }
  function lost(gone) {
    document.body.classList.toggle("server-gone", gone);
    const line = $("#connection");
    if (line && line.hidden === gone) {
      line.hidden = !gone;
      line.textContent = gone ? LOST : "";
    }
  }

  /* The next question, and how it is to be asked, for the server. */
  let lonely = null; // a question that is to be read without those before it
  function next(typed) {
    const question = waiting.shift() ?? typed;
    if (waiting.length) setTimeout(remind, 1000); // of several, Gradio remembers one
    const alone = lonely !== null && question === lonely;
    if (alone) lonely = null;
    return [question, { alone, filters: chosen() }];
  }
  function remind() {
    if (!waiting.length) return;
    own = true;
    $("#ask").click();
    own = false;
  }

  /* ---- which articles of a library are asked ---- */

  const fields = () => $$("#filters [data-filter]");
  const chosen = () => Object.fromEntries(
    fields().filter((field) => field.value.trim())
      .map((field) => [field.dataset.filter, field.value.trim()]));

  function filtered() {
    const filters = chosen();
    const words = { from: "from ", until: "until ", author: "by ", site: "in ", tag: "tagged " };
    const parts = Object.entries(filters).map(([name, value]) => words[name] + value);
    $("#filters .asked").textContent = parts.length
      ? `only articles ${parts.join(", ")}` : "all articles";
    wanted = null;
    open({ filters });
  }

  /* Gradio loads the page anew when its server is back; what is being typed survives that. */
  const DRAFT = "article-qa-draft";
  let draft = sessionStorage.getItem(DRAFT);
  addEventListener("pagehide", () => sessionStorage.setItem(DRAFT, box()?.value ?? ""));

  let seen = 0;
  let drawn = "";
  function redrawn() {
    const pane = conversation();
    if (!pane) return;
    if (draft && box()) {
      if (!box().value) put(draft);
      draft = null;
    }
    const count = +pane.dataset.turns;
    const pending = $(".turn.pending", pane);
    const notice = $(".notice", pane);
    const now = [count, pending && 1, notice?.textContent, $("#article")?.dataset.id].join("\n");
    // Most of what changes on the page is not Gradio drawing a pane anew.
    if (now === drawn) return;
    drawn = now;
    const newest = pending ?? (count > seen ? turns().at(-1) : null);
    if (newest) {
      newest.scrollIntoView({ block: "start" });
      taken(newest);
    }
    if (pending) return;
    if (sent) sent.question = null;
    if (count !== seen) {
      mark(count - 1);
      const last = turns().at(-1);
      if (last) say($(".answer", last).innerText.slice(0, 600));
      const first = count > seen && $(".best .cite", last ?? pane);
      // The article of the first citation comes with the answer, if it is not there already.
      if (first && !narrow.matches) {
        if (first.dataset.article === opened()) show(first, false);
        else wanted = [count - 1, first.dataset.number, false];
      }
    } else {
      const kept = at;
      mark(Math.min(turn, count - 1));
      at = Math.min(kept, Math.max(0, citations().length - 1));
      tell();
      if (wanted) arrived();
    }
    seen = count;
    notice?.scrollIntoView({ block: "nearest" });
  }

  /* ---- taking away ---- */

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Clipboards are for secure origins; over plain HTTP on a network only this is left.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  function save(file) {
    if (!file) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say(`Saved ${file.name}`);
  }

  function judge(detail) {
    tellServer("verdict", detail);
    say("Noted, thank you");
  }

  /* ---- what the reader does ---- */

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    const cite = hit(".cite");
    if (cite) {
      event.preventDefault();
      show(cite);
    } else if (hit(".suggestion")) {
      ask(hit(".suggestion").textContent);
    } else if (hit(".alone")) {
      lonely = $(".question", hit(".turn")).textContent;
      ask(lonely);
    } else if (hit(".entry")) {
      wanted = null;
      open({ article: hit(".entry").dataset.article });
    } else if (hit(".all-articles")) {
      wanted = null;
      open({ filters: chosen() });
    } else if (hit("#filters .all")) {
      for (const field of fields()) field.value = "";
      filtered();
    } else if (hit(".copy")) {
      const button = hit(".copy");
      copy(button.dataset.copy).then(() => {
        button.classList.add("done");
        setTimeout(() => button.classList.remove("done"), 1200);
        say("Copied");
      });
    } else if (hit(".thumb")) {
      const button = hit(".thumb");
      for (const thumb of $$(".thumb", button.parentElement))
        thumb.setAttribute("aria-pressed", String(thumb === button));
      judge({ turn: +button.closest(".turn").dataset.turn, verdict: button.dataset.verdict });
    } else if (hit(".right-one")) {
      const { start, end } = hit(".right-one").dataset;
      judge({ turn, verdict: "corrected", article: opened(), start: +start, end: +end });
      $("#evidence .count").textContent = "Noted as the right sentence";
      hit(".right-one").hidden = true;
    } else if (hit("#evidence .step")) {
      step(+hit(".step").dataset.by);
    } else if (hit("#evidence .back")) {
      back();
    } else if (hit("#sheet-handle")) {
      sheet(!document.body.classList.contains("sheet-open"));
    } else if (hit("#reader .unit") && String(getSelection()) === "") {
      usedBy(hit(".unit"));
    } else if (hit("#conversation .turn[data-turn]") && String(getSelection()) === "") {
      const owner = turns().indexOf(hit(".turn"));
      if (owner !== turn) mark(owner);
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("#filters [data-filter]")) filtered();
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("textarea, input, select, [contenteditable]");
    const reading = event.target.closest?.("#reader, #conversation");
    if (event.key === "Escape" && (reading || event.target === document.body)) {
      event.preventDefault();
      back();
    } else if (reading && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const by = { n: 1, ArrowRight: 1, p: -1, ArrowLeft: -1 }[event.key];
      if (by) {
        event.preventDefault();
        step(by);
      }
    }
  });

  new MutationObserver(() => {
    clearTimeout(redrawn.timer);
    redrawn.timer = setTimeout(redrawn, 0);
  }).observe(document, { childList: true, subtree: true });

  globalThis.articlePage = { next, put, save, wanted: () => view };
})();
