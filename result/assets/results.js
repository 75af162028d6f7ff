// Keeps the page what the server last said. Each message is the whole view, in
// the reader's language; this script only puts it in its places.

// A server that lives says something at least every 5 s.
const SILENT_AFTER_MS = 12_000;

// After a break: a random pause up to this, twice as long after each failure,
// so that the viewers of a restarted server do not all come at once.
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 15_000;

// While a server is updated, old and new pages live side by side: nobody
// reloads twice at once, and a full hall does not reload together.
const RELOAD_WITHIN_MS = 10_000;

// Screen readers are told of changes no more often than this.
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

  // A cut network closes nothing, so silence counts as lost too.
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

// Only if there is a page to load: nobody may be near the projector.
async function reload() {
  const answer = await fetch(location.href).catch(() => null);
  if (answer?.ok) location.reload();
  else connect();
}

function show(view) {
  // Another replica may be behind the one before; a new epoch is a new ledger.
  const isBehind = !view.as_of || (view.epoch === shown.epoch && view.version < shown.version);
  if (!isBehind || !shown.as_of) showTotals(view);
  put("trouble", view.trouble);
  put("replica", view.replica);
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
  // Without any totals, there is no time to tell.
  const phrase = shown.as_of ? main.dataset[state] : state === "reconnecting" ? main.dataset.lost : "";
  put("freshness", phrase.replace("{time}", () => localTime(new Date(shown.as_of))));
  place("freshness").className = state;
}

// Only what differs: a status that is written again would be read out again.
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
