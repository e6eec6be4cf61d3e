// What the proxy sees of this machine, looked at again while somebody tries. The page works without it.
"use strict";
(() => {
  const box = document.querySelector("#seen-now[data-src]");
  const link = document.querySelector("a[data-check]");
  if (!box || !link) return;
  let shown = "";
  async function look() {
    const answer = await fetch(box.dataset.src, { cache: "no-store" });
    if (!answer.ok) return;
    const html = await answer.text();
    // What is the same is not read out again, and folded parts stay as they are.
    if (html === shown) return;
    const first = shown === "";
    shown = html;
    if (first) return;
    // Made by the server, as the page is; nothing in it runs.
    box.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  }
  const quietly = () => look().catch(() => {});
  link.addEventListener("click", (event) => {
    event.preventDefault();
    quietly();
  });
  quietly();
  setInterval(() => document.hidden || quietly(), 5000);
})();
