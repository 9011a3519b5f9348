// Shows, while somebody types in a form with data-measure="URL", what the server makes of it, in the element that
// data-into names. Without JavaScript the form has a button for it.
"use strict";

const PAUSE = 300; // ms without a key before the server is asked

document.querySelectorAll("form[data-measure]").forEach((form) => {
  const place = document.getElementById(form.dataset.into);
  let timer = null;
  let asked = 0;

  async function measure() {
    const mine = ++asked;
    try {
      const answer = await fetch(form.dataset.measure, { method: "POST", body: new FormData(form), redirect: "manual" });
      if (answer.ok && mine === asked) place.innerHTML = await answer.text();
    } catch {
      // what stands there is of a moment ago; the next key tries again
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(measure, PAUSE);
  });
});
