/* The one thing that markup cannot say: a log that is read at its end stays at its end while it grows; its oldest lines
   go, or the longest logs would be more than a browser holds. */
"use strict";

const log = (target) => (target instanceof Element ? target.closest(".log") : null);
const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 24;

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const box = log(event.detail.target);
  if (box) box.dataset.follows = atEnd(box) ? "yes" : "no";
});

document.addEventListener("htmx:oobAfterSwap", (event) => {
  const box = log(event.detail.target);
  if (box && box.dataset.follows === "yes") {
    while (box.childElementCount > (box.dataset.most || 20000)) box.firstElementChild.remove();
    box.scrollTop = box.scrollHeight;
  }
});

for (const box of document.querySelectorAll(".log[data-live]")) box.scrollTop = box.scrollHeight;
