/* Until Gradio has put its panes on the page, what they will show stands there already, and the box
   takes a question: on a slow network Gradio takes many seconds. */
globalThis.articleEarly = (() => {
  "use strict";
  let stand_in = null;
  const clicked = []; // buttons, to be clicked again on the page itself
  const sent = []; // questions, to be asked as soon as there is what asks them

  function show() {
    const parts = globalThis.gradio_config?.components;
    if (!parts || !document.body) return;
    watch.disconnect();
    // Whoever goes on with a conversation waits for it, rather than ask something else.
    if (sessionStorage.getItem("article-qa-conversation")) return;
    const asked = parts.find(({ props }) => props.elem_id === "question");
    if (!asked) return;
    const part = (id) => {
      const value = parts.find(({ props }) => props.elem_id === id)?.props.value ?? "";
      return `<div id="${id}">${value.split("<dialog")[0]}</div>`;
    };
    stand_in = document.createElement("div");
    stand_in.id = "early";
    stand_in.className = "gradio-container";
    stand_in.innerHTML = `${part("header")}<div id="panes"><div id="chat">${part("conversation")}
      ${part("filter-pane")}<div id="composer"><div id="question"><textarea rows="1" dir="auto"
      aria-label="Your question"></textarea></div><button id="ask">Ask</button></div>
      ${part("action-pane")}</div><div id="reader">${part("sheet-top")}${part("article-pane")}</div>
      </div>`;
    const box = stand_in.querySelector("textarea");
    box.placeholder = asked.props.placeholder;
    const named = (place) => stand_in.querySelector(place);
    named("#sheet-handle").textContent = named("#switch .title").textContent;
    stand_in.addEventListener("keydown", (event) => {
      if (event.target !== box || event.key !== "Enter" || event.shiftKey) return;
      event.preventDefault();
      send(box);
    });
    stand_in.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.id === "ask") send(box);
      else if (button) clicked.push(button);
      event.stopPropagation();
    });
    document.body.append(stand_in);
    if (!matchMedia("(max-width: 760px)").matches) box.focus();
  }

  function send(box) {
    if (!box.value.trim()) return;
    sent.push(box.value);
    const turn = document.createElement("section");
    turn.className = "turn pending";
    turn.innerHTML = '<h2 class="question" dir="auto"></h2><p class="working">Reading…</p>';
    turn.firstChild.textContent = box.value;
    stand_in.querySelector(".welcome")?.parentNode.replaceChildren(turn);
    box.value = "";
  }

  /* The page is there: what was done until then. */
  function end() {
    watch.disconnect();
    if (!stand_in) return { text: "", sent, clicked };
    const text = stand_in.querySelector("textarea").value;
    stand_in.remove();
    return { text, sent, clicked };
  }

  const watch = new MutationObserver(show);
  watch.observe(document, { childList: true, subtree: true });
  return { end, stands_in: (element) => Boolean(stand_in?.contains(element)) };
})();
