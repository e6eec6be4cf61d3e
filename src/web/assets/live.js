// The live page: rows as they arrive, pause, filter as you type. Parts of the page come as HTML made on the server,
// where all that others wrote is escaped.
"use strict";
(() => {
  const page = document.querySelector(".live");
  if (!page) return;
  const find = (selector) => page.querySelector(selector);
  const [status, pause, rows, left, empty, typed] =
    [".status", "[data-pause]", "tbody[data-rows]", "[data-left]", "[data-empty]", "#typed"].map(find);
  // As many rows as the server sends at once: more cannot be followed, and slow the browser down.
  const MOST = 500;
  const AGAIN = 10_000;

  const parse = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  };
  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  // What is shown.
  let words = [];
  const fits = (row) => {
    const text = row.textContent.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const known = (key) => rows.querySelector(`[data-key="${CSS.escape(key)}"]`) !== null;
  function show(row) {
    if (known(row.dataset.key)) return;
    row.classList.add("new");
    row.hidden = !fits(row);
    rows.prepend(row);
    while (rows.children.length > MOST) rows.lastElementChild.remove();
    empty.hidden = true;
  }
  typed.addEventListener("input", () => {
    words = typed.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows.children) row.hidden = !fits(row);
  });

  // Makes the children of `old` those of `fresh` and keeps what is the same, so that a selection, the focus and the place
  // where somebody reads stay.
  function blend(old, fresh) {
    const before = new Map([...old.children].map((child, at) => [child.dataset.key ?? String(at), child]));
    [...fresh.children].forEach((child, at) => {
      const key = child.dataset.key ?? String(at);
      const same = before.get(key);
      before.delete(key);
      if (!same || same.tagName !== child.tagName || same.className !== child.className) {
        if (same) same.remove();
        old.insertBefore(child.cloneNode(true), old.children[at] ?? null);
        return;
      }
      if (old.children[at] !== same) old.insertBefore(same, old.children[at] ?? null);
      if (same.isEqualNode(child)) return;
      if (same.matches("pre")) grow(same, child.textContent);
      else if (child.matches("article, .cards, .streams")) blend(same, child);
      else same.replaceWith(child.cloneNode(true));
    });
    for (const child of before.values()) child.remove();
  }
  function grow(place, text) {
    const before = place.textContent;
    const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 4;
    if (text.startsWith(before) && place.firstChild) place.firstChild.appendData(text.slice(before.length));
    else place.textContent = text;
    if (atEnd) place.scrollTop = place.scrollHeight;
  }
  function state(html) {
    for (const part of parse(html).children) {
      const place = find(`[data-live="${part.dataset.live}"]`);
      if (place) blend(place, part);
    }
    for (const text of page.querySelectorAll("pre.growing:not([data-seen])")) {
      text.dataset.seen = "";
      text.scrollTop = text.scrollHeight;
    }
  }

  // Paused: rows wait, the newest of them; of the state only the last matters.
  let paused = false;
  let waiting = [];
  let lost = 0;
  let latest = null;
  const tell = () => {
    if (!paused) return say("Live: new records appear by themselves.");
    const many = waiting.length + lost;
    const beyond = lost > 0 ? `; the last ${MOST} will be shown` : "";
    say(`Paused: ${many} new ${many === 1 ? "record waits" : "records wait"}${beyond}.`);
  };
  function arrive(html) {
    const fresh = [...parse(html).children];
    if (!paused) return fresh.forEach(show);
    waiting.push(...fresh.filter((row) => !known(row.dataset.key) && !waiting.some((it) => it.dataset.key === row.dataset.key)));
    lost += Math.max(0, waiting.length - MOST);
    waiting = waiting.slice(-MOST);
    tell();
  }
  function toggle() {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.firstChild.data = paused ? "Go on " : "Pause ";
    if (!paused) {
      if (lost > 0) miss(`${lost} records that arrived meanwhile are left out here.`);
      waiting.forEach(show);
      waiting = [];
      lost = 0;
      if (latest !== null) state(latest);
      latest = null;
    }
    tell();
  }
  const miss = (text) => {
    left.textContent = text;
    left.hidden = false;
  };
  pause.addEventListener("click", toggle);
  document.addEventListener("keydown", (event) => {
    const busy = event.target instanceof Element && event.target.closest("input, textarea, select, button, summary, a, pre, dialog");
    if (event.key !== " " || busy || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    toggle();
  });

  // The connection. While nobody sees the page there is none: browsers allow six to one server.
  let source = null;
  let mark = page.dataset.mark;
  let timer = 0;
  function connect() {
    const address = new URL("/live/events", location.href);
    for (const [name, value] of new URLSearchParams(location.search)) address.searchParams.append(name, value);
    address.searchParams.set("mark", mark);
    source = new EventSource(address);
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        if (event.lastEventId) mark = event.lastEventId;
        act(event.data);
      });
    on("rows", arrive);
    on("left", miss);
    on("mark", () => {});
    on("now", (html) => (paused ? (latest = html) : state(html)));
    source.addEventListener("open", tell);
    source.addEventListener("error", () => {
      if (source === null) return;
      if (source.readyState !== EventSource.CLOSED) return say("The connection is lost; trying again.");
      disconnect();
      say(`Nothing new can be shown: the program has stopped, too many watch, or you are logged out. Trying again in ${AGAIN / 1000} seconds.`);
      timer = setTimeout(connect, AGAIN);
    });
  }
  function disconnect() {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  }
  document.addEventListener("visibilitychange", () => {
    disconnect();
    if (!document.hidden) connect();
  });
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && source === null) connect();
  });

  pause.hidden = false;
  find("[data-typed]").hidden = false;
  say("Connecting …");
  connect();
})();
