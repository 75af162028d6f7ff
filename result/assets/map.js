// Keeps the map up to date: the server draws it, and sends it again when it has changed.

const main = document.querySelector("main");
const map = document.getElementById("map");
const lost = document.getElementById("lost");

localise(map);
live("/ws/map", main.dataset.edition, show, () => (lost.hidden = false));

function show(view) {
  lost.hidden = true;
  const drawn = new DOMParser().parseFromString(`<div id="map">${view.map}</div>`, "text/html").getElementById("map");
  localise(drawn);
  morph(map, drawn);
}

function localise(element) {
  for (const time of element.querySelectorAll("time")) time.textContent = localTime(new Date(time.dateTime));
}
