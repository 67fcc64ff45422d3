/* What a reader did, kept in the reader's own browser: conversations, their turns and the articles
   that were brought along. A browser that keeps nothing (a private window may not) has them for
   as long as the page lasts. */
globalThis.articleStore = (() => {
  "use strict";
  const NAMES = ["conversations", "turns", "articles"];
  const memory = Object.fromEntries(NAMES.map((name) => [name, new Map()]));
  let opening = null;

  function database() {
    opening ??= new Promise((resolve, reject) => {
      // Two pages under one host have each their own.
      const asked = indexedDB.open(`article-qa ${new URL(document.baseURI).pathname}`, 1);
      asked.onupgradeneeded = () => {
        for (const name of NAMES) {
          const store = asked.result.createObjectStore(name, { keyPath: "id" });
          if (name === "turns") store.createIndex("conversation", "conversation");
        }
      };
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    return opening;
  }

  async function within(name, mode, work, otherwise) {
    try {
      const store = (await database()).transaction(name, mode).objectStore(name);
      return await new Promise((resolve, reject) => {
        const asked = work(store);
        store.transaction.oncomplete = () => resolve(asked.result);
        store.transaction.onabort = () => reject(store.transaction.error);
      });
    } catch {
      return otherwise();
    }
  }

  const others = globalThis.BroadcastChannel ? new BroadcastChannel("article-qa") : null;

  async function put(name, value) {
    await within(name, "readwrite", (store) => store.put(value),
      () => memory[name].set(value.id, structuredClone(value)));
    if (name === "turns") others?.postMessage(value.conversation);
  }
  async function remove(name, value) {
    await within(name, "readwrite", (store) => store.delete(value.id),
      () => memory[name].delete(value.id));
    if (name === "turns") others?.postMessage(value.conversation);
  }
  const get = (name, id) => within(name, "readonly", (store) => store.get(id),
    () => memory[name].get(id));
  const all = (name) => within(name, "readonly", (store) => store.getAll(),
    () => [...memory[name].values()]);
  /* The turns of a conversation, oldest first: their ids begin with the time. */
  const turns = (conversation) => within("turns", "readonly",
    (store) => store.index("conversation").getAll(conversation),
    () => [...memory.turns.values()].filter((turn) => turn.conversation === conversation));

  async function forget(conversation) {
    for (const turn of await turns(conversation.id)) await remove("turns", turn);
    await remove("conversations", conversation);
  }
  async function clear() {
    for (const name of NAMES)
      await within(name, "readwrite", (store) => store.clear(), () => memory[name].clear());
  }
  /* Another page of this browser has changed a conversation. */
  const changed = (tell) => others?.addEventListener("message", (event) => tell(event.data));

  return { put, remove, get, all, turns, forget, clear, changed };
})();
