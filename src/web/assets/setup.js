// What the proxy sees of this machine, looked at again while somebody tries. The page works without it.
"use strict";
(() => {
  const box = document.querySelector("#seen-now[data-src]");
  const link = document.querySelector("a[data-check]");
  if (!box || !link) return;
  let shown = box.innerHTML;
  async function look() {
    const answer = await fetch(box.dataset.src, { cache: "no-store" });
    if (!answer.ok) return;
    // Made by the server, as the page is; nothing in it runs.
    const seen = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    // What is the same is not read out again, and folded parts stay as they are.
    const html = seen.innerHTML;
    if (html === shown) return;
    shown = html;
    box.replaceChildren(...seen.childNodes);
  }
  const quietly = () => look().catch(() => {});
  link.addEventListener("click", (event) => {
    event.preventDefault();
    quietly();
  });
  quietly();
  setInterval(() => document.hidden || quietly(), 5000);
})();
