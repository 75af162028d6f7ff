// Keeps the results up to date. The server has worded them, and this script only puts its texts
// in their places.

// Screen readers announce changes at most this often.
const ANNOUNCE_EVERY_MS = 15_000;

const main = document.querySelector("main");
const place = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll(".totals li")];

let shown = { epoch: null, version: -1, as_of: main.dataset.asOf };
let announcing;
let told;

live("/ws", main.dataset.edition, show, () => tellFreshness("reconnecting"));
offerFullScreen();

function show(view) {
  // Another replica may show older totals than the last one did, unless the ledger is new.
  const isBehind = !view.as_of || (view.epoch === shown.epoch && view.version < shown.version);
  if (!isBehind || !shown.as_of) showTotals(view);
  put("trouble", view.trouble);
  put("answered-by", view.replica.by);
  put("release", view.replica.release);
  place("release").className = view.replica.hue;
  tellFreshness(view.freshness);
  announce();
}

function showTotals(view) {
  shown = view;
  for (const id of ["headline", "total", "pace"]) put(id, view[id]);
  place("curve").setAttribute("d", view.curve);
  view.options.forEach((option, at) => {
    const row = rows[at];
    row.querySelector(".share").textContent = option.share;
    row.querySelector(".votes").textContent = option.votes;
    row.querySelector("rect").setAttribute("width", option.bar);
    row.classList.toggle("leads", option.leads);
  });
}

function tellFreshness(state) {
  // Without totals there is no time to show.
  const phrase = shown.as_of ? main.dataset[state] : state === "reconnecting" ? main.dataset.lost : "";
  put("freshness", phrase.replace("{time}", () => localTime(new Date(shown.as_of))));
  place("freshness").className = state;
}

// Writes only what differs, because a screen reader reads out again whatever is written again.
function put(id, text) {
  if (place(id).textContent !== text) place(id).textContent = text;
}

function announce() {
  told ??= words();
  if (announcing || words() === told) return;
  announcing = setTimeout(() => {
    announcing = null;
    told = words();
    put("announcement", told);
  }, ANNOUNCE_EVERY_MS);
}

function words() {
  return ["headline", "total", "trouble"].map((id) => place(id).textContent).join(" ");
}

function offerFullScreen() {
  const button = place("full-screen");
  button.hidden = !document.fullscreenEnabled;
  button.onclick = () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
}
