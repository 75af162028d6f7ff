// Keeps the map up to date: the server draws it, and sends it again when it has changed.

const GLIDE_MS = 400;

const main = document.querySelector("main");
const map = document.getElementById("map");
const lost = document.getElementById("lost");

localise(map);
live("/ws/map", main.dataset.edition, show, () => (lost.hidden = false));

function show(view) {
  lost.hidden = true;
  const drawn = new DOMParser().parseFromString(`<div id="map">${view.map}</div>`, "text/html").getElementById("map");
  localise(drawn);
  const before = places();
  morph(map, drawn);
  for (const [one, now] of places()) if (before.has(one)) glide(one, before.get(one), now);
}

// Where everything is, within what moves as a whole, such as a card within its band.
function places() {
  const place = (one, whole = one.parentElement.closest(".band, #drawing")) =>
    [one.offsetLeft - (whole?.offsetLeft ?? 0), one.offsetTop - (whole?.offsetTop ?? 0)];
  const all = document.querySelectorAll("#map > *, .band, .card, #list tr, footer");
  return new Map([...all].map((one) => [one, place(one)]));
}

// Moves an element to its new place so slowly that the eye can follow.
function glide(one, [fromX, fromY], [x, y]) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches || (fromX === x && fromY === y)) return;
  one.animate({ transform: [`translate(${fromX - x}px, ${fromY - y}px)`, "none"] }, { duration: GLIDE_MS, easing: "ease-out" });
}

function localise(element) {
  for (const time of element.querySelectorAll("time")) time.textContent = localTime(new Date(time.dateTime));
}
