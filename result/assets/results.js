// Keeps the page up to date. Each message of the server is the whole view, in the
// visitor's language. This script only puts its texts in their places.

// A healthy server sends a message at least every 5 s.
const SILENT_AFTER_MS = 12_000;

// After a lost connection, the script waits for a random time of up to this, and up
// to twice as long after each further failure. So the viewers of a restarted server do
// not all come back at once.
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 15_000;

// While `result` is updated, old and new replicas answer side by side. A page waits for
// a random time of up to this before it reloads, so that it does not reload all the
// time, and a full hall does not reload at once.
const RELOAD_WITHIN_MS = 10_000;

// Screen readers announce changes at most this often.
const ANNOUNCE_EVERY_MS = 15_000;

const main = document.querySelector("main");
const place = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll(".totals li")];

let shown = { epoch: null, version: -1, as_of: main.dataset.asOf };
let failures = 0;
let announcing;
let told;

connect();
offerFullScreen();

function connect() {
  const address = new URL(`/ws/${document.documentElement.lang}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  let silence = setTimeout(lost, SILENT_AFTER_MS);
  socket.onmessage = (message) => {
    failures = 0;
    clearTimeout(silence);
    silence = setTimeout(lost, SILENT_AFTER_MS);
    const view = JSON.parse(message.data);
    if (view.edition === main.dataset.edition) return show(view);
    // Another poll, or another version of this page.
    part();
    tellFreshness("reconnecting");
    setTimeout(reload, Math.random() * RELOAD_WITHIN_MS);
  };
  socket.onclose = lost;

  // A cut network closes no connection, so silence also counts as a lost one.
  function lost() {
    part();
    tellFreshness("reconnecting");
    setTimeout(connect, Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++));
  }

  function part() {
    clearTimeout(silence);
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

// Reloads only if the server answers: perhaps nobody is near the projector to try again.
async function reload() {
  const answer = await fetch(location.href).catch(() => null);
  if (answer?.ok) location.reload();
  else connect();
}

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
