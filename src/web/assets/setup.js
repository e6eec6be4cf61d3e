// What the proxy sees of this machine, looked at again while somebody tries. The page works without it.
"use strict";
(() => {
  const box = document.querySelector("#seen-now[data-src]");
  const link = document.querySelector("a[data-check]");
  if (!box || !link) return;
  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const facts = (pairs) => {
    const list = make("dl", undefined, "facts");
    for (const [term, value] of pairs) list.append(make("dt", term), make("dd", value));
    return list;
  };
  // What stands between backticks is to be typed.
  const coded = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", part) : part));
  const tints = { bad: "bad", warn: "warn", note: "accent" };
  const words = { bad: "does not work", warn: "gap", note: "note" };
  const utc = (micros) => new Date(micros / 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  function finding(found) {
    const heading = make("h3");
    heading.append(make("span", words[found.weight], `tag ${tints[found.weight]}`), ` ${found.title}`);
    const todo = make("p");
    todo.append(make("strong", "To do: "), ...coded(found.todo));
    const means = make("p");
    means.append(...coded(found.means));
    const list = make("ul");
    for (const detail of found.details) list.append(make("li", `${detail.text}, ${detail.count} times, last ${utc(detail.last)}`));
    return [heading, means, todo, list];
  }
  let shown = "";
  async function look() {
    const answer = await fetch(box.dataset.src, { cache: "no-store" });
    if (!answer.ok) return;
    const text = await answer.text();
    // What is the same is not read out again, and folded parts stay as they are.
    if (text === shown) return;
    const first = shown === "";
    shown = text;
    if (first) return;
    const seen = JSON.parse(text);
    box.replaceChildren(
      make("p", seen.verdict, `note ${seen.good ? "good" : "warn"}`),
      facts([
        ["Opened", String(seen.opened)],
        ["Not opened", String(seen.not_opened)],
        ["Last", seen.last === null ? "-" : utc(seen.last)],
      ]),
      ...seen.findings.flatMap(finding),
    );
  }
  const quietly = () => look().catch(() => {});
  link.addEventListener("click", (event) => {
    event.preventDefault();
    quietly();
  });
  quietly();
  setInterval(() => document.hidden || quietly(), 5000);
})();
