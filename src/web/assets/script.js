// Keys and copy buttons. Pages work without it.
"use strict";
(() => {
  const typing = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]");
  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (!link) return false;
    link.click();
    return true;
  };

  // g and a letter: a page. j/k or the arrows: next and previous. u: up. 1, 2, …: a part of the page. /: the search field.
  // ?: the keys. Esc: leaves a field.
  let waiting = false;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) return event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (waiting) {
      waiting = false;
      if (/^[a-z]$/.test(event.key) && follow(`[data-go="${event.key}"]`)) return event.preventDefault();
    }
    let done = false;
    if (event.key === "g") waiting = done = true;
    else if (event.key === "j" || event.key === "ArrowRight") done = select(1) || follow('a[rel~="next"]');
    else if (event.key === "k" || event.key === "ArrowLeft") done = select(-1) || follow('a[rel~="prev"]');
    else if (event.key === "u") done = follow('a[rel~="up"]');
    else if (/^[1-9]$/.test(event.key)) done = follow(`a[data-part="${event.key}"]`);
    else if (event.key === "Enter" && event.target === document.body) done = open();
    else if (event.key === "/") {
      const field = document.querySelector("[data-search]");
      if (field) (done = true), field.focus(), field.select();
    } else if (event.key === "?") {
      const keys = document.querySelector("dialog.keys");
      if (keys && !keys.open) (done = true), keys.showModal();
    }
    if (done) event.preventDefault();
  });

  // Rows that can be chosen: <tbody data-rows>, each row with a link.
  const chosen = () => document.querySelector('tbody[data-rows] tr[aria-selected="true"]');
  function select(step) {
    const rows = [...document.querySelectorAll("tbody[data-rows] tr")];
    if (rows.length === 0) return false;
    const now = chosen();
    const at = now ? rows.indexOf(now) + step : step > 0 ? 0 : rows.length - 1;
    if (at < 0 || at >= rows.length) return true;
    if (now) now.removeAttribute("aria-selected");
    rows[at].setAttribute("aria-selected", "true");
    rows[at].scrollIntoView({ block: "nearest" });
    const link = rows[at].querySelector("a");
    if (link) link.focus({ preventScroll: true });
    return true;
  }
  function open() {
    const row = chosen();
    const link = row && row.querySelector("a");
    if (link) link.click();
    return Boolean(link);
  }

  // <button data-copy="#id">: the text of that element. A link does the same, which leads to the text without script.
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    if (!source) return;
    event.preventDefault();
    const text = "value" in source ? source.value : source.textContent;
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without a secure context there is no clipboard: the text is selected, and the keyboard copies it.
      const folded = source.closest("details");
      if (folded) folded.open = true;
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      source.scrollIntoView({ block: "nearest" });
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => (button.textContent = before), 2000);
  });
})();
