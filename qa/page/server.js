/* Requests to the server, by Gradio's HTTP API. They outlive a connection: what does not arrive is
   sent again when the server can be reached, for the server keeps nothing that could be done twice. */
globalThis.articleServer = (() => {
  "use strict";
  const FAILED = "Something went wrong on the server. Try again.";
  const BUSY = "The server is busy. Try again in a moment.";
  const TRIES = 8; // with a server that is healthy and yet gives no answer
  class Refused extends Error {}
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  async function once(name, values, { signal, progress } = {}) {
    const address = new URL(`gradio_api/call/${name}`, document.baseURI);
    const sent = await fetch(address, {
      method: "POST", signal,
      headers: { "Content-Type": "application/json" }, body: JSON.stringify({ data: values }),
    });
    // The login went with the server; the page asks for it, and goes on where it was.
    if (sent.status === 401) return location.reload(), new Promise(() => {});
    if (sent.status === 413) throw new Refused("This is larger than what is taken here.");
    if (sent.status === 503 || sent.status === 502) throw new Error(BUSY);
    if (!sent.ok) throw new Refused(FAILED);
    const { event_id } = await sent.json();
    const reply = await fetch(`${address}/${event_id}`, { signal });
    if (!reply.ok) throw new Error(BUSY);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    let last;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error(FAILED);
      text += value;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const [, event, data] = /^event: (\w+)\ndata: ([^]*)$/.exec(text.slice(0, end)) ?? [];
        if (event === "error") throw new Refused(FAILED);
        if (event === "generating") progress?.((last = JSON.parse(data)[0]));
        if (event === "complete") {
          reader.cancel();
          return last ?? JSON.parse(data)[0];
        }
      }
    }
  }

  /* What the server answers, however long it takes to reach it; a refusal comes as `error`. */
  async function call(name, values, options) {
    for (let tried = 1; ; tried++) {
      try {
        return await once(name, values, options);
      } catch (error) {
        if (error.name === "AbortError") throw error;
        if (error instanceof Refused) return { error: error.message };
        if (await reachable()) {
          if (tried >= TRIES) return { error: BUSY };
          await pause(250 * tried);
        } else {
          await back(options?.signal);
          tried = 0;
        }
      }
    }
  }

  async function reachable() {
    try {
      const options = { cache: "no-store", signal: AbortSignal.timeout(5000) };
      return (await fetch(new URL("health", document.baseURI), options)).ok;
    } catch {
      return false;
    }
  }

  /* Until the server is back; the page hears of it. */
  let waiting = null;
  const listeners = [];
  async function back(signal) {
    waiting ??= (async () => {
      for (const tell of listeners) tell(true);
      while (!(await reachable())) await pause(1000);
      for (const tell of listeners) tell(false);
      waiting = null;
    })();
    await waiting;
    signal?.throwIfAborted();
  }

  return { call, lost: (tell) => listeners.push(tell) };
})();
