/* The page's own behaviour: questions are asked, citations lead into the article and back, and
   nothing that a reader did is lost. Everything is delegated from the document. */
(() => {
  "use strict";
  const store = globalThis.articleStore;
  const server = globalThis.articleServer;
  const early = globalThis.articleEarly;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const narrow = matchMedia("(max-width: 760px)");
  const HISTORY = 12; // answers that a question may lean on
  const KEPT_BYTES = 30_000_000; // the largest article that outlives the page
  const DRAFT = "article-qa-draft";
  const CURRENT = "article-qa-conversation";

  const box = () => $("#question textarea");
  const pane = () => $("#conversation .conversation");
  const sections = () => $$("#conversation .turn");
  const opened = () => $("#article")?.dataset.id;
  const stamp = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
  function scroll(element, block) {
    const far = Math.abs(element.getBoundingClientRect().top) > 3 * innerHeight;
    element.scrollIntoView({ block, behavior: calm.matches || far ? "auto" : "smooth" });
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function say(text) {
    let live = $("#announcer");
    if (!live) {
      live = make("div", { id: "announcer", className: "unseen" });
      live.setAttribute("role", "status");
      document.body.append(live);
    }
    live.textContent = text;
  }

  /* Where the focus is when nothing else has it. On a phone a focused box raises the keyboard. */
  function rest() {
    (narrow.matches ? pane() : box()).focus({ preventScroll: true });
  }
  /* A change of the page that may take away what has the focus. */
  function keeping_focus(change) {
    const had = document.activeElement;
    change();
    if (had !== document.body && (!had.isConnected || had.closest("[hidden]"))) rest();
  }

  /* A line above the question: what is going on, and a button for what can be done about it. */
  function tell(text, { done = null, act = null, wrong = false } = {}) {
    const line = $("#news");
    line.hidden = !text;
    line.classList.toggle("wrong", wrong);
    $(".text", line).textContent = text ?? "";
    const bar = $("progress", line);
    bar.hidden = done === null;
    if (done >= 0 && done !== null) bar.value = done;
    else bar.removeAttribute("value");
    const button = $(".act", line);
    button.hidden = !act;
    button.textContent = act?.[0] ?? "";
    button.onclick = () => {
      tell("");
      rest();
      act?.[1]();
    };
  }

  /* ---- what is open: an article, and the conversation about it ---- */

  let booted = null; // a promise: what is clicked before that is done after it
  let start = null; // what the server begins with: article, filters, title, key, welcome
  let own = null; // the article that the reader brought; null for what is served
  let conversation = null;
  let turns = []; // records, oldest first
  let let_ask;
  const may_ask = new Promise((resolve) => { let_ask = resolve; }); // there is a conversation
  const handles = {}; // of own articles, for as long as the server remembers them
  const large = {}; // own articles that are too large to be kept
  const missing = ({ article, title }) => ({ id: article, title, record: null, welcome: "",
    article: '<div class="article" id="article">This article is no longer kept; open it again.</div>' });

  const about = () => own ?? start;
  const fresh = (article = own) => ({
    id: stamp(), article: article?.id ?? null, title: (article ?? start).title,
    key: start.key, changed: Date.now(),
  });

  /* What the server has forgotten of an own article, or of several that are asked together. */
  async function as_kept(article) {
    if (!article.parts) return { record: article.record, data: article.data ?? "" };
    const parts = await Promise.all(article.parts.map(async (id) =>
      large[id] ?? await store.get("articles", id)));
    return { records: parts.filter(Boolean).map(({ record }) => record) };
  }

  async function ask_source(name, values, { article = own, key = conversation?.key, ...options } = {}) {
    for (;;) {
      const handle = article ? handles[article.id] ?? "none" : "";
      const reply = await server.call(name, [{ ...values, article: handle, key }], options);
      if (!reply.gone) return reply;
      const again = await server.call("page_open", [await as_kept(article)], options);
      if (again.error) return again;
      handles[article.id] = again.handle;
    }
  }

  async function show_conversation(which, { push = true } = {}) {
    const article = which.article
      ? await store.get("articles", which.article) ?? large[which.article] ?? missing(which) : null;
    if (article?.id !== own?.id || !conversation) {
      own = article;
      $("#article-pane .slot").innerHTML = about().article;
      $("#filter-pane .slot").innerHTML = about().filters ?? "";
      only = null;
      $("#switch .title").textContent = about().title;
      document.title = `${about().title} · Article QA`;
      contents();
    }
    conversation = which;
    turns = await store.turns(which.id);
    shown = -1;
    pane().replaceChildren();
    sessionStorage.setItem(CURRENT, which.id);
    if (push) history.pushState({ conversation: which.id }, "");
    draw();
    mark(turns.length - 1);
    if (turns.length) sections().at(-1)?.scrollIntoView({ block: "start" });
    work();
  }

  async function begin(article, words) {
    const before = conversation;
    const next = fresh(article);
    if (article) await store.put("conversations", next);
    await show_conversation(next);
    rest();
    if (before && words)
      tell(words, { act: ["Undo", () => show_conversation(before)] });
  }

  /* Back to an article: to the last conversation about it, if there was one. */
  async function resume(article) {
    const known = (await store.all("conversations"))
      .filter((c) => c.article === (article?.id ?? null) && (article || c.key === start.key))
      .sort((a, b) => a.changed - b.changed).at(-1);
    const before = conversation;
    await show_conversation(known ?? fresh(article));
    tell(`Now: ${about().title}`, { act: ["Undo", () => show_conversation(before)] });
  }

  /* ---- asking ---- */

  function put(question) {
    const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    setter.call(box(), question);
    box().dispatchEvent(new Event("input", { bubbles: true }));
  }

  const ADDRESS = /^(?:https?:\/\/)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?$/i;
  const addressed = (text) => (/^https?:/i.test(text) ? text : `https://${text}`);
  let offered = null; // an address that was typed as a question
  function submit() {
    const question = box().value;
    const words = question.trim();
    if (ADDRESS.test(words) && offered !== words) {
      offered = words;
      tell("This is an address. Open it as an article, or press Enter again to ask it.",
        { act: ["Open it", () => { put(""); open_all([{ address: addressed(words) }]); }] });
      return;
    }
    put("");
    if (narrow.matches) rest();
    ask(question);
  }

  async function ask(question, { alone = false } = {}) {
    if (turns.some((turn) => turn.state === "pending" && turn.question === question)) return;
    $$(".notice", pane()).forEach((notice) => notice.remove());
    if (!opening) tell("");
    await may_ask;
    await opening?.done; // a question asked meanwhile is for the new article
    const record = {
      id: `${stamp()}`, conversation: conversation.id, question, alone,
      filters: chosen(), asked_of: asked_of(), asked: new Date().toISOString(), state: "pending",
    };
    if (turns.some((turn) => turn.state === "pending" && turn.question === question)) return;
    turns.push(record);
    draw();
    sections().at(-1)?.scrollIntoView({ block: "start" });
    work();
    if (turns.length === 1 && question.trim()) conversation.name = question.trim();
    conversation.changed = Date.now();
    await store.put("conversations", conversation);
    if (record.state === "pending" && turns.includes(record)) await store.put("turns", record);
  }

  /* What a question leans on, without what it does not: the server looks passages up itself. */
  const brief = ({ answer }) => ({
    ...answer, passages: [], why: [],
    citations: answer.citations.slice(0, 5).map((citation) => ({
      ...citation, also_in: [], passage: { ...citation.passage, text: "", article: null },
    })),
  });

  /* One question at a time, and of two pages with one conversation, one. */
  let working = false;
  async function work() {
    if (working) return;
    working = true;
    try {
      for (let next; (next = turns.find((turn) => turn.state === "pending"));) {
        const lock = `article-qa ${conversation.id}`;
        const answer = () => answered(next);
        await (navigator.locks ? navigator.locks.request(lock, answer) : answer());
        if (next.state === "pending" && turns.includes(next)) break;
      }
    } finally {
      working = false;
    }
  }

  async function answered(record) {
    const [article, asked, list] = [own, conversation, turns];
    const elsewhere = (await store.get("turns", record.id))?.state;
    if (elsewhere && elsewhere !== "pending") return reload(record.conversation);
    const before = record.alone ? [] : list.slice(0, list.indexOf(record))
      .filter((turn) => turn.state === "done").slice(-HISTORY).map(brief);
    const reply = await ask_source("page_ask",
      { question: record.question, history: before, filters: record.filters },
      { article, key: asked.key });
    if (!list.includes(record)) return; // deleted meanwhile
    if (reply.error) {
      list.splice(list.indexOf(record), 1);
      await store.remove("turns", record);
      if (list !== turns) return;
      draw();
      const notice = make("p", { className: "notice", dir: "auto", textContent: reply.error });
      notice.setAttribute("role", "alert");
      pane().append(notice);
      if (!box().value) put(record.question);
      notice.scrollIntoView({ block: "nearest" });
      return;
    }
    const { article: shows, ...kept } = reply;
    Object.assign(record, kept, { state: "done" });
    await store.put("turns", record);
    if (list !== turns) return;
    if (shows) put_article(shows);
    draw();
    const section = $(`#t-${record.id}`);
    section?.scrollIntoView({ block: "start" });
    mark(turns.indexOf(record));
    const best = $(".best, .silent", section);
    say(`${best.textContent} ${$(".confidence", section)?.textContent ?? ""}`);
    const first = $(".best .cite", section);
    if (first && !narrow.matches) show(first, false);
  }

  async function reload(id) {
    if (conversation?.id !== id) return;
    const kept = await store.turns(id);
    if (conversation.id !== id) return;
    // What is only here is on its way there.
    turns = [...kept, ...turns.filter((turn) =>
      turn.state === "pending" && !kept.some(({ id }) => id === turn.id))];
    draw();
  }

  /* ---- the conversation on the page ---- */

  const draw = () => keeping_focus(draw_turns);
  function draw_turns() {
    for (const section of sections())
      if (!turns.some((turn) => section.id === `t-${turn.id}`)) section.remove();
    $$(".welcome, .suggestions", pane()).forEach((element) => element.remove());
    turns.forEach((record, number) => {
      let section = $(`#t-${record.id}`);
      if (!section) {
        section = make("section", { id: `t-${record.id}`, className: "turn" });
        const at = sections()[number];
        if (at) at.before(section);
        else pane().append(section);
      }
      if (section.dataset.state !== record.state) {
        section.dataset.state = record.state;
        section.classList.toggle("pending", record.state === "pending");
        if (record.state === "done") section.innerHTML = record.turn;
        else
          section.replaceChildren(
            make("h2", { className: "question", dir: "auto", textContent: record.question }),
            make("p", { className: "working", textContent: "Reading…" }));
        if (record.asked_of)
          $(".question", section).after(make("p",
            { className: "asked-of", dir: "auto", textContent: `Asked ${record.asked_of}` }));
        for (const fold of $$("details", section))
          if (record.folds?.includes(fold.className)) fold.open = true;
      }
      section.dataset.turn = number;
      judged(section, record);
    });
    // A turn that is answered has its number from the first.
    for (const section of $$(".turn.pending", pane())) delete section.dataset.turn;
    const last = turns.at(-1);
    const after = last ? (last.state === "done" ? last.next : "") : about().welcome;
    pane().insertAdjacentHTML("beforeend", after ?? "");
    pane().dataset.turns = turns.length;
  }

  const record_of = (element) => turns.find(({ id }) => element.closest(".turn")?.id === `t-${id}`);

  function judged(section, record) {
    for (const thumb of $$(".thumb", section))
      thumb.setAttribute("aria-pressed", String(thumb.dataset.verdict === record.verdict));
    const thanks = $(".thanks", section);
    if (thanks) thanks.textContent = record.verdict ? "Thank you" : "";
  }

  async function judge(record, verdict, where = {}) {
    if (verdict !== "corrected") record.verdict = verdict;
    judged($(`#t-${record.id}`), record);
    say("Thank you, noted");
    await store.put("turns", record);
    await ask_source("page_judge", { answer: record.answer, verdict, ...where });
  }

  async function remove(record) {
    const at = turns.indexOf(record);
    turns.splice(at, 1);
    await store.remove("turns", record);
    draw();
    mark(Math.min(at, turns.length - 1));
    rest();
    tell("Deleted", { act: ["Undo", async () => {
      await store.put("turns", record);
      await reload(record.conversation);
      work();
    }] });
  }

  /* ---- evidence in the article ---- */

  let shown = -1; // the turn whose evidence is shown
  let at = 0; // which of it, from 0
  const units = () => $$("#article > :not([hidden]) .unit");
  const section_shown = () => sections()[shown];
  const citations = () => (section_shown() ? $$(".cite", section_shown()) : []);
  const within = (unit, start, end) => +unit.dataset.start < end && +unit.dataset.end > start;
  const quotes = (cite, unit) => cite.dataset.article === opened()
    && within(unit, +cite.dataset.start, +cite.dataset.end);

  function put_article(html) {
    keeping_focus(() => { $("#article-pane .slot").innerHTML = html; });
    contents();
  }

  /* An article of the library, or the list of those that fit the filters. */
  async function open(what) {
    const reply = await ask_source("page_show", what, { article: own?.parts ? own : null });
    put_article(reply.article ?? "");
    if (reply.error) {
      const notice = make("p", { className: "notice", textContent: reply.error });
      notice.setAttribute("role", "alert");
      $("#article-pane .slot").append(make("div", { id: "article", className: "article" }, notice));
    }
    mark(shown);
    return !reply.error;
  }

  /* Calls with each piece of text of a unit between two places of the article; places are code
     points, the browser's are not. */
  function pieces(unit, start, end, take) {
    const walk = document.createTreeWalker(unit, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walk.nextNode()) texts.push(walk.currentNode);
    let place = +(unit.dataset.from ?? unit.dataset.start);
    for (const text of texts) {
      if (text.parentNode !== unit) place = +(text.parentNode.dataset.start ?? place);
      const points = [...text.data];
      const [from, to] = [Math.max(start - place, 0), Math.min(end - place, points.length)];
      const units = (n) => points.slice(0, n).join("").length;
      if (from < to) take(text, units(from), units(to));
      place += points.length;
    }
  }
  function mark_exact(unit, start, end) {
    pieces(unit, start, end, (text, from, to) => {
      const printed = text.parentNode;
      if (printed.getExtentOfChar) { // on the page of a PDF
        const [first, last] = [from, to - 1].map((at) => printed.getExtentOfChar(at));
        const box = document.createElementNS(printed.namespaceURI, "rect");
        box.setAttribute("class", "exact");
        for (const [name, value] of Object.entries({ x: first.x, y: first.y,
          width: last.x + last.width - first.x, height: first.height }))
          box.setAttribute(name, value);
        printed.before(box);
        return;
      }
      const range = new Range();
      range.setStart(text, from);
      range.setEnd(text, to);
      range.surroundContents(make("mark", { className: "exact" }));
    });
  }
  function unmark_exact() {
    for (const words of $$("#reader .exact")) {
      const unit = words.parentNode;
      words.replaceWith(...words.childNodes);
      unit.normalize();
    }
  }

  function mark(which) {
    shown = which;
    at = 0;
    unmark_exact();
    const silent = Boolean($(".silent", section_shown() ?? document.head));
    const cites = silent ? [] : citations().filter((cite) => cite.dataset.article === opened());
    const spans = cites.map((cite) => [+cite.dataset.start, +cite.dataset.end, cite.dataset.number]);
    for (const unit of units()) {
      const numbers = spans.filter(([start, end]) => within(unit, start, end)).map((span) => span[2]);
      unit.classList.toggle("cited", numbers.length > 0);
      unit.classList.toggle("first", numbers.includes("1"));
      if (numbers.length) unit.dataset.numbers = numbers.join(" ");
      else delete unit.dataset.numbers;
      for (const cite of cites.filter((cite) => cite.dataset.exact && quotes(cite, unit)))
        mark_exact(unit, ...cite.dataset.exact.split("-").map(Number));
    }
    $$(".current").forEach((element) => element.classList.remove("current"));
    sections().forEach((element, n) => element.classList.toggle("shown", n === which));
    count();
  }

  const count = (text) => keeping_focus(() => count_shown(text));
  function count_shown(text) {
    const bar = $("#evidence");
    const of = citations().length;
    const silent = $(".silent", section_shown() ?? document.head);
    bar.hidden = !text && (of === 0 || Boolean(silent && !$(".cite.current")));
    $(".count", bar).textContent = text ?? (of ? `${silent ? "Closest " : ""}${at + 1} of ${of}` : "");
    $(".right-one", bar).hidden = true;
  }

  async function show(cite, focus = true) {
    const owner = sections().indexOf(cite.closest(".turn"));
    if (owner !== shown) mark(owner);
    if (cite.dataset.article !== opened()) {
      const number = citations().indexOf(cite);
      if (focus) sheet(true);
      if (!await open({ id: cite.dataset.article })) return;
      cite = citations()[number];
      if (cite?.dataset.article !== opened()) return;
    }
    at = citations().indexOf(cite);
    $$(".current").forEach((element) => element.classList.remove("current"));
    if (focus) cite.classList.add("current");
    count();
    if (focus) sheet(true);
    reveal(units().filter((unit) => quotes(cite, unit)), focus);
    if (focus) say(`Citation ${cite.dataset.number}`);
  }

  /* A unit is in parts where it goes over to another cell or page. */
  function reveal(parts, focus = true) {
    const [unit] = parts;
    if (!unit) return;
    if (focus) {
      remember();
      for (const part of parts) part.classList.add("current");
      unit.tabIndex = -1;
      unit.focus({ preventScroll: true });
    }
    scroll(unit, "center");
  }

  function step(by) {
    const cites = citations();
    if (cites.length) show(cites[(at + by + cites.length) % cites.length]);
  }

  function back() {
    sheet(false);
    const cite = narrow.matches ? $(".cite.current") : null;
    if (cite) cite.focus();
    else rest();
  }

  function used_by(unit) {
    const uses = sections().flatMap((element, n) => $$(".cite", element)
      .filter((cite) => quotes(cite, unit)).map((cite) => ({ n, cite })));
    const use = uses.find(({ n }) => n === shown) ?? uses.at(-1);
    if (use && use.n !== shown) mark(use.n);
    $$(".current").forEach((element) => element.classList.remove("current"));
    unit.classList.add("current");
    for (const { cite } of uses) cite.classList.add("current");
    if (use) {
      use.cite.closest("details")?.setAttribute("open", "");
      at = citations().indexOf(use.cite);
      if (!narrow.matches) scroll(use.cite, "nearest");
    }
    const numbers = uses.map(({ n, cite }) => `${cite.dataset.number} of question ${n + 1}`);
    const text = uses.length ? `Cited as ${numbers.join(", ")}` : "Not cited in this conversation";
    count(text);
    const right = $("#evidence .right-one");
    right.hidden = turns[shown]?.state !== "done";
    Object.assign(right.dataset, { start: unit.dataset.start, end: unit.dataset.end });
    say(text);
  }

  /* ---- finding one's way in the article ---- */

  let left = null; // where the reader was before a jump
  function remember() {
    left ??= $("#article-pane").scrollTop;
    $("#tools .return").hidden = false;
  }
  function go_back() {
    $("#article-pane").scrollTo({ top: left ?? 0, behavior: calm.matches ? "auto" : "smooth" });
    left = null;
    $("#tools .return").hidden = true;
    $("#search").focus({ preventScroll: true });
  }

  function contents() {
    left = null;
    $("#tools .return").hidden = true;
    $("#sheet-handle").textContent = $("#article .title")?.textContent ?? about().title;
    $("#tools").hidden = !opened(); // a list of articles has its own search
    const headings = $$("#article .heading");
    $("#contents").hidden = headings.length < 3;
    $("#contents ol").replaceChildren(...headings.map((heading) => make("li", {},
      make("button", { type: "button", dir: "auto", textContent: heading.textContent, onclick: () => {
        $("#contents").open = false;
        const { start } = $(".unit", heading).dataset;
        reveal(units().filter((unit) => unit.dataset.start === start));
      } }))));
    search("");
    const sheets = $$("#article .sheet");
    $("#view").hidden = !sheets.length;
    $("#view").textContent = "Show as text";
    drawing.disconnect();
    for (const sheet of sheets) drawing.observe(sheet);
  }

  /* The pages of a PDF are drawn when they come near. */
  const drawing = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) draw_sheet(target);
  }, { rootMargin: "600px" });
  async function draw_sheet(sheet) {
    drawing.unobserve(sheet);
    const page = { id: opened(), page: +sheet.dataset.page };
    const { picture } = await ask_source("page_picture", page, { key: start.key });
    if (picture) $("img", sheet).src = picture;
  }
  function view(as_text) {
    const [pages, text] = [$("#article > .pages"), $("#article > .text")];
    if (!pages || text.hidden !== as_text) return;
    [pages.hidden, text.hidden] = [as_text, !as_text];
    $("#view").textContent = as_text ? "Show its pages" : "Show as text";
    const [number, turn] = [at, shown];
    mark(turn);
    if (citations()[number]) show(citations()[number], false);
  }

  let hits = [];
  let hit = 0;
  function search(words) {
    if ($("#search").value !== words) $("#search").value = words;
    hits = [];
    const text = words.trim().toLowerCase();
    if (text) view(true);
    const root = $("#article > .text") ?? $("#article");
    if (text && root) {
      const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let node; (node = texts.nextNode());) {
        const low = node.data.toLowerCase();
        for (let from = 0; low.length === node.data.length && (from = low.indexOf(text, from)) >= 0;
          from += text.length) {
          const range = new Range();
          range.setStart(node, from);
          range.setEnd(node, from + text.length);
          hits.push(range);
        }
      }
    }
    globalThis.CSS?.highlights?.set("hits", new Highlight(...hits));
    for (const button of $$("#tools .hit")) button.hidden = !hits.length;
    $("#tools .hits").textContent = text && !hits.length ? "No hits" : "";
    hit = -1;
    if (hits.length) next_hit(1);
  }
  function next_hit(by) {
    if (!hits.length) return;
    remember();
    hit = (hit + by + hits.length) % hits.length;
    globalThis.CSS?.highlights?.set("hit", new Highlight(hits[hit]));
    $("#tools .hits").textContent = `${hit + 1} of ${hits.length}`;
    scroll(hits[hit].startContainer.parentElement, "center");
  }

  /* ---- the article as a sheet, on a narrow page: Back closes it ---- */

  const sheet_open = () => document.body.classList.contains("sheet-open");
  function raise(open) {
    document.body.classList.toggle("sheet-open", open);
    $("#sheet-handle").setAttribute("aria-expanded", String(open));
    if (!open) $("#reader").scrollTop = 0;
  }
  function sheet(open) {
    if (open === sheet_open()) return;
    if (narrow.matches && open) history.pushState({ ...history.state, sheet: true }, "");
    if (!open && history.state?.sheet) history.back(); // the event lowers it
    else raise(open);
  }

  /* The sheet follows the finger that drags its handle. */
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    if (!narrow.matches || !event.target.closest?.("#sheet-handle")) return;
    const sheet = $("#reader");
    drag = { from: event.clientY, moved: 0, base: sheet.getBoundingClientRect().top };
    event.target.setPointerCapture(event.pointerId);
  });
  document.addEventListener("pointermove", ({ clientY }) => {
    if (!drag) return;
    drag.moved = clientY - drag.from;
    const height = $("#reader").offsetHeight;
    const top = Math.max(innerHeight - height, drag.base + drag.moved);
    $("#reader").style.cssText = `transition: none; translate: 0 ${top - innerHeight + height}px`;
    document.body.classList.toggle("sheet-moves", Math.abs(drag.moved) > 8);
  });
  for (const kind of ["pointerup", "pointercancel"])
    document.addEventListener(kind, () => {
      if (!drag) return;
      const { moved } = drag;
      drag = null;
      $("#reader").style.cssText = "";
      // A tap is a click; what moved goes on to where it went.
      if (Math.abs(moved) > 8) sheet(moved < 0);
      setTimeout(() => document.body.classList.remove("sheet-moves"));
    });

  addEventListener("popstate", async ({ state }) => {
    raise(Boolean(state?.sheet) && narrow.matches);
    const wanted = state?.conversation;
    if (!wanted || wanted === conversation?.id) return;
    show_conversation(await store.get("conversations", wanted) ?? { ...fresh(null), id: wanted },
      { push: false });
  });

  /* ---- opening an article ---- */

  let opening = null;
  async function open_all(wanted) {
    await opening?.done;
    let finish;
    opening = { done: new Promise((resolve) => { finish = resolve; }) };
    const abort = new AbortController();
    const act = ["Cancel", () => abort.abort()];
    const read_now = [];
    try {
      for (const [n, one] of wanted.entries()) {
        const which = wanted.length > 1 ? ` (${n + 1} of ${wanted.length})` : "";
        const label = `Reading ${one.name ?? one.address ?? "the text"}${which}`;
        tell(`${label}…`, { done: -1, act });
        $("#status").textContent = $("#open").open ? `${label}…` : "";
        const reply = await read(one, abort.signal, (news) => tell(`${label}: ${news.progress}`,
          { done: news.total ? news.done / news.total : -1, act }));
        if (reply.error) {
          tell(reply.error, { wrong: true });
          $("#status").textContent = reply.error;
          return;
        }
        read_now.push(await take(reply));
      }
      if (read_now.length > 1) await ask_together(read_now, abort.signal, act);
      else await begin(read_now[0], opened_words(read_now[0]));
      $("#open").close();
      for (const field of $$("#open input, #open textarea")) field.value = "";
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      tell("Cancelled. The article before is still open.");
      $("#status").textContent = "Cancelled.";
    } finally {
      opening = null;
      finish();
    }
  }

  async function read(one, signal, progress) {
    if (!one.file) return server.call("page_open", [one], { signal, progress });
    const largest = +$("#header header").dataset.max;
    if (one.file.size > largest)
      return { error: `${one.name} has ${(one.file.size / 2 ** 20).toFixed(1)} MB, and at most`
        + ` ${(largest / 2 ** 20).toFixed(1)} MB are taken here; give a part of it.` };
    const bytes = new Uint8Array(await one.file.arrayBuffer());
    let binary = "";
    for (let i = 0; i < bytes.length; i += 0x8000)
      binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    const data = btoa(binary);
    const reply = await server.call("page_open", [{ name: one.name, data }], { signal, progress });
    return reply.pages ? { ...reply, data } : reply;
  }

  async function take({ handle, ...article }) {
    handles[article.id] = handle;
    const kept = article.record.text.length + (article.data ?? "").length < KEPT_BYTES;
    if (kept) await store.put("articles", article);
    if (!kept) large[article.id] = article;
    return article;
  }

  const opened_words = (article) => `Opened ${article.title}${large[article.id]
    ? ". It is too large to be kept here: after a reload, open it again." : ""}`;

  /* Several own articles: a small library of the visit. */
  async function ask_together(articles, signal, act) {
    const parts = articles.map(({ id }) => id).sort();
    const id = `together ${parts.join(" ")}`;
    let group = await store.get("articles", id);
    if (!group) {
      tell("Making them ready to be asked together…", { done: -1, act });
      const records = articles.map(({ record }) => record);
      const reply = await server.call("page_open", [{ records }], { signal });
      if (reply.error) return tell(reply.error, { wrong: true });
      const { handle, ...shows } = reply;
      group = { id, parts, ...shows };
      handles[id] = handle;
      await store.put("articles", group);
    }
    await begin(group, `Opened ${group.title}: they are asked together.`);
  }

  const files = (list) => open_all([...list].map((file) => ({ file, name: file.name })));

  function open_form() {
    $("#status").textContent = "";
    $("#open").showModal();
    $("#address").focus();
  }

  function open_what_was_given() {
    const address = $("#address").value.trim();
    const text = $("#text").value;
    if (address) open_all([{ address: addressed(address) }]);
    else if (text.trim()) open_all([{ text, title: $("#title").value }]);
    else $("#status").textContent = "Give an address, a file or a text.";
  }

  /* ---- the list of articles and conversations ---- */

  async function menu() {
    const articles = await store.all("articles");
    const alone = articles.filter(({ parts }) => !parts);
    const known = (await store.all("conversations")).sort((a, b) => b.changed - a.changed);
    const entry = (words, open, remove) => make("li", {},
      make("button", { type: "button", className: "entry", dir: "auto", textContent: words,
        onclick: () => { $("#menu").close(); open(); } }),
      ...(remove ? [make("button", { type: "button", className: "tool", textContent: "Delete",
        ariaLabel: `Delete ${words}`, onclick: async () => { await remove(); menu(); } })] : []));
    const list = (name, entries) => entries.length
      ? [make("h3", { textContent: name }), make("ul", {}, ...entries)] : [];
    $("#menu .list").replaceChildren(
      ...list("Articles", [
        entry(start.title, () => resume(null)),
        ...(alone.length > 1 ? [entry(`Ask all ${alone.length} that you opened together`,
          () => ask_together(alone))] : []),
        ...articles.map((article) => entry(article.title, () => resume(article), async () => {
          await store.remove("articles", article);
          for (const one of known.filter((c) => c.article === article.id)) await store.forget(one);
          if (own?.id === article.id) await begin(null);
        })),
      ]),
      ...list("Conversations", known.filter((one) => one.name).map((one) => entry(
        `${one.name} · ${one.title}, ${new Date(one.changed).toLocaleDateString()}`,
        () => show_conversation(one),
        async () => {
          await store.forget(one);
          if (conversation.id === one.id) await begin(own);
        }))));
    if (!$("#menu").open) $("#menu").showModal();
  }

  async function delete_all() {
    await store.clear();
    sessionStorage.removeItem(DRAFT);
    $("#menu").close();
    conversation = null;
    await begin(null);
    tell("Everything that was kept in this browser is deleted.");
  }

  /* ---- which articles of a library are asked ---- */

  let only = null; // the one article that is asked, as [id, title]
  const fields = () => $$("#filters [data-filter]");
  const chosen = () => Object.fromEntries([
    ...fields().filter((field) => field.value.trim())
      .map((field) => [field.dataset.filter, field.value.trim()]),
    ...(only ? [["article", only[0]]] : [])]);

  function asked_of() {
    const words = { from: "from ", until: "until ", author: "by ", site: "in ", tag: "tagged " };
    const { article, ...others } = chosen();
    const parts = Object.entries(others).map(([name, value]) => words[name] + value);
    if (article) return `only “${only[1]}”`;
    return parts.length ? `only articles ${parts.join(", ")}` : "";
  }
  function filtered(list = true) {
    $("#filters .asked").textContent = asked_of() || "all articles";
    if (list) open({ filters: chosen() });
  }
  function ask_only(article) {
    only = article;
    filtered(false);
    rest();
  }
  function find(words) {
    for (const item of $$(".catalogue li"))
      item.hidden = !item.textContent.toLowerCase().includes(words.trim().toLowerCase());
  }
  function sort(by) {
    const key = (item) => item.dataset[by];
    const items = $$(".catalogue li").sort((a, b) =>
      by === "added" ? a.dataset.added - b.dataset.added
        : by === "published" ? key(b).localeCompare(key(a)) : key(a).localeCompare(key(b)));
    $(".catalogue ul").append(...items);
  }

  /* ---- taking away ---- */

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Clipboards are for secure origins; over plain HTTP on a network only this is left.
      const area = make("textarea", { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  /* The server made each part with its answer, so a conversation can be saved without it. */
  function checked(done) {
    const parts = done.map(({ saved }) => saved.json);
    return {
      schema: parts[0].schema,
      articles: Object.assign({}, ...parts.map(({ articles }) => articles)),
      passages: Object.assign({}, ...parts.map(({ passages }) => passages)),
      answers: parts.flatMap(({ answers }) => answers),
    };
  }
  const hidden = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  function joined(done, form) {
    const parts = done.map(({ saved }) => saved[form]);
    const sources = new Set(parts.flatMap((part) => part.sources));
    const check = JSON.stringify(checked(done)).replace(/[<>&]/g, hidden);
    return [parts[0].head, ...parts.flatMap((part) => part.sections), ...sources,
      `\n<!-- article-qa ${check} -->\n`, parts[0].tail].join("");
  }
  const TYPES = { md: "text/markdown", html: "text/html", json: "application/json" };
  function save(form) {
    if (form === "print") return print();
    const done = turns.filter((turn) => turn.saved);
    if (!done.length) return;
    const text = form === "json" ? JSON.stringify(checked(done), null, 2) : joined(done, form);
    const link = make("a", {
      href: URL.createObjectURL(new Blob([text], { type: TYPES[form] })),
      download: `conversation.${form}`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say(`Saved ${link.download}`);
  }

  /* ---- what the reader does ---- */

  const CLICKS = {
    ".cite": (cite) => show(cite),
    ".suggestion": (button) => ask(button.textContent),
    ".alone": (button) => ask(record_of(button).question, { alone: true }),
    ".again": (button) => {
      put(record_of(button).question);
      box().focus();
    },
    ".turn .delete": (button) => remove(record_of(button)),
    ".copy": async (button) => {
      await copy(button.dataset.copy);
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1200);
      say("Copied");
    },
    ".thumb": (button) => judge(record_of(button), button.dataset.verdict),
    ".right-one": (button) => {
      const { start: from, end } = button.dataset;
      judge(turns[shown], "corrected", { id: opened(), start: +from, end: +end });
      count("Noted as the right sentence");
    },
    ".catalogue .entry": (entry) => open({ id: entry.dataset.article }),
    ".all-articles": () => open({ filters: chosen() }),
    ".only": () => ask_only([opened(), $("#article .title")?.textContent ?? "Untitled"]),
    "#filters .all": () => {
      for (const field of fields()) field.value = "";
      only = null;
      filtered();
    },
    "#evidence .step": (button) => step(+button.dataset.by),
    "#evidence .back": back,
    "#view": () => view($("#article > .text").hidden),
    "#tools .hit": (button) => next_hit(+button.dataset.by),
    "#tools .return": go_back,
    "#sheet-handle": () => {
      if (!document.body.classList.contains("sheet-moves")) sheet(!sheet_open());
    },
    "#open-button": open_form,
    "#switch": menu,
    "#menu .delete-all": delete_all,
    "#help": () => $("#shortcuts").showModal(),
    "#new": () => {
      if (turns.length) begin(own, "New conversation. The one before is kept.");
    },
    "[data-save]": (button) => save(button.dataset.save),
    "#reader .unit": (unit) => String(getSelection()) === "" && used_by(unit),
    "#conversation .turn": (section) => {
      const owner = sections().indexOf(section);
      if (owner !== shown && String(getSelection()) === "") mark(owner);
    },
  };
  document.addEventListener("click", (event) => {
    if (!conversation) return void booted?.then(() => event.target.click());
    for (const menu of $$("details.more[open]")) menu.open = menu.contains(event.target);
    for (const [selector, act] of Object.entries(CLICKS)) {
      const target = event.target.closest?.(selector);
      if (!target) continue;
      if (selector === ".cite") event.preventDefault();
      return void act(target);
    }
    if (sheet_open() && narrow.matches && !event.target.closest("#reader")) sheet(false);
  });

  const asks = (event) => event.type === "click"
    ? event.target.closest?.("#ask")
    : event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === box();
  for (const kind of ["click", "keydown"])
    document.addEventListener(kind, (event) => {
      if (!asks(event) || !conversation) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (box().value.trim() || (kind === "click" && !working)) submit();
    }, true);

  document.addEventListener("input", ({ target }) => {
    if (target === box()) sessionStorage.setItem(DRAFT, target.value);
    else if (target.id === "search") search(target.value);
    else if (target.id === "find-article") find(target.value);
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches("#filters [data-filter]")) filtered();
    else if (target.id === "sort-articles") sort(target.value);
    else if (target.id === "files" && target.files.length) files(target.files);
  });
  document.addEventListener("submit", (event) => {
    if (event.submitter?.id !== "open-this") return;
    event.preventDefault();
    open_what_was_given();
  });
  document.addEventListener("toggle", ({ target }) => {
    const record = target.closest?.(".turn") && record_of(target);
    if (!record || target.matches(".more")) return;
    const folds = $$("details[open]", target.closest(".turn")).map((fold) => fold.className);
    if (String(folds) === String(record.folds ?? [])) return;
    record.folds = folds;
    store.put("turns", record);
  }, true);

  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const text = event.dataTransfer.getData("text/plain").trim();
    if (event.dataTransfer.files.length) files(event.dataTransfer.files);
    else if (ADDRESS.test(text)) open_all([{ address: addressed(text) }]);
  });
  document.addEventListener("paste", (event) => {
    if (event.target.matches?.("input, textarea")) return;
    const text = event.clipboardData.getData("text/plain").trim();
    if (event.clipboardData.files.length) files(event.clipboardData.files);
    else if (ADDRESS.test(text)) open_all([{ address: addressed(text) }]);
  });

  const walk = (by) => (hits.length ? next_hit(by) : step(by));
  const KEYS = {
    n: () => walk(1), ArrowRight: () => walk(1), p: () => walk(-1), ArrowLeft: () => walk(-1),
    "/": () => { sheet(true); (opened() ? $("#search") : $("#find-article"))?.focus(); },
    o: open_form, "?": () => $("#shortcuts").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if ($("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches?.("textarea, input, select");
    const last = turns.at(-1)?.question;
    if (event.key === "ArrowUp" && event.target === box() && !box().value && last) {
      event.preventDefault();
      put(last);
    } else if (event.target.id === "search" && event.key === "Enter") {
      event.preventDefault();
      next_hit(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && $("details.more[open]")) {
      const menu = $("details.more[open]");
      menu.open = false;
      $("summary", menu).focus();
    } else if (event.key === "Escape" && event.target !== box()) {
      event.preventDefault();
      if (event.target.id === "search") search("");
      back();
    } else if (!typing && KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  server.lost((gone) => {
    const line = $("#connection");
    line.hidden = !gone;
    line.textContent = gone
      ? "The connection to the server is lost. What you asked is kept, and asked when it is back." : "";
  });
  store.changed(reload);

  /* ---- the beginning: as soon as Gradio has put the panes on the page ---- */

  const ready = () => ["#question textarea", "#article", "#evidence", "#news", "#open"]
    .every((part) => $$(part).some((element) => !early.stands_in(element)));
  async function boot() {
    const before = early.end();
    before.sent.forEach((question) => ask(question));
    start = {
      article: $("#article-pane .slot").innerHTML, filters: $("#filter-pane .slot").innerHTML,
      title: $("#switch .title").textContent, key: $("#header header").dataset.key,
      welcome: pane().innerHTML,
    };
    box().dir = "auto";
    pane().tabIndex = -1;
    if (!box().value) put(before.text || (sessionStorage.getItem(DRAFT) ?? ""));
    if (!narrow.matches) box().focus({ preventScroll: true });
    const last = sessionStorage.getItem(CURRENT);
    const known = last && await store.get("conversations", last);
    history.replaceState({ conversation: known?.id ?? last }, "");
    conversation = null;
    await show_conversation(known ?? fresh(null), { push: !known });
    let_ask();
    for (const button of before.clicked)
      $$("button").find((one) => (button.id ? one.id === button.id
        : one.textContent === button.textContent))?.click();
    const asked = new URLSearchParams(location.search).get("q");
    if (asked && !turns.some((turn) => turn.question === asked)) ask(asked);
    const [, from, to] = /^#cite=(\d+)-(\d+)$/.exec(location.hash) ?? [];
    if (to) {
      sheet(true);
      reveal(units().filter((unit) => within(unit, +from, +to)));
    } else if (turns.length && !narrow.matches) {
      const cite = $(".best .cite", sections().at(-1));
      if (cite) show(cite, false);
    }
  }

  /* A library has what is in it now, not what was when the server began. */
  async function refresh() {
    const now = await server.call("page_start", []);
    if (now.error) return;
    start = now;
    if (own || Object.keys(chosen()).length) return;
    if (!opened()) put_article(start.article);
    if (!$("#filters[open]")) $("#filter-pane .slot").innerHTML = start.filters;
    if (!turns.length) draw();
  }

  const watch = new MutationObserver(() => {
    if (!ready()) return;
    watch.disconnect();
    booted = boot();
    booted.then(() => start.filters && refresh());
  });
  watch.observe(document, { childList: true, subtree: true });

  globalThis.articlePage = { put, ready: () => Boolean(conversation) };
})();
