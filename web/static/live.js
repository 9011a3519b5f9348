// Keeps every element with data-live="URL" current: fetches the same HTML that the server put there and changes only
// what differs, so that scroll, focus and selection stay. Without JavaScript the page is as it was when it was loaded.
"use strict";

const TIMEOUT = 10000; // ms

function morph(node, wanted) {
  if (node.nodeType !== wanted.nodeType || node.nodeName !== wanted.nodeName) {
    node.replaceWith(wanted);
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes]) if (!wanted.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  morphChildren(node, wanted);
}

// Children with a data-key stay the same elements; the others are compared in order. An element is moved only where
// the order has really changed: moving it would lose focus and selection.
function morphChildren(node, wanted) {
  const keyOf = (child) => child?.dataset?.key;
  const kept = new Map([...node.children].map((child) => [keyOf(child), child]));
  const keys = new Set([...wanted.children].map(keyOf).filter(Boolean));
  let place = node.firstChild;
  const dropWhile = (unwanted) => {
    while (place && unwanted(place)) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };
  for (const child of [...wanted.childNodes]) {
    const key = keyOf(child);
    if (key) dropWhile((old) => !keys.has(keyOf(old)));
    const match = key ? kept.get(key) : !keyOf(place) && place?.nodeName === child.nodeName ? place : null;
    if (match) {
      if (match === place) place = place.nextSibling;
      else node.insertBefore(match, place);
      morph(match, child);
    } else {
      node.insertBefore(child, place);
      if (key) child.classList.add("fresh");
    }
  }
  dropWhile(() => true);
}

function keepCurrent(element) {
  const { live, every, cutOff, follow } = element.dataset;
  const banner = document.getElementById(cutOff);
  const toEnd = () => { if (follow !== undefined) element.scrollTop = element.scrollHeight; };
  let shown = null;
  let timer = null;

  async function refresh() {
    clearTimeout(timer);
    try {
      const answer = await fetch(live, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT) });
      if (answer.type === "opaqueredirect") return location.reload(); // the sign-in has ended
      if (!answer.ok) throw new Error(answer.status);
      const html = await answer.text();
      if (html !== shown) show(html);
      banner.hidden = true;
    } catch {
      banner.hidden = false;
    }
    if (!document.hidden) timer = setTimeout(refresh, Number(every));
  }

  function show(html) {
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    const wanted = element.cloneNode(false);
    wanted.innerHTML = html;
    morphChildren(element, wanted);
    shown = html;
    if (atEnd) toEnd();
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  toEnd();
  timer = setTimeout(refresh, Number(every));
}

document.querySelectorAll("[data-live]").forEach(keepCurrent);
