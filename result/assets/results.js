// Keeps the totals on the page those that the server last sent.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

const freshness = document.getElementById("freshness");
const options = document.getElementById("options");
const total = document.getElementById("total");

let shown = { epoch: null, version: -1 };
let failures = 0;

connect();

function connect() {
  const address = new URL("/ws", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.onmessage = (message) => {
    failures = 0;
    show(JSON.parse(message.data));
  };
  socket.onclose = () => {
    freshness.textContent = "Reconnecting …";
    // A random pause, so that all viewers of a restarted server do not come at once.
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
    setTimeout(connect, Math.random() * longest);
  };
}

function show(totals) {
  // Another replica may be behind this one; a new epoch is a new ledger.
  if (totals.epoch === shown.epoch && totals.version < shown.version) return;
  shown = totals;
  freshness.textContent = totals.live
    ? "Live."
    : `As of ${new Date(totals.as_of).toLocaleTimeString()}; the database is away.`;
  options.replaceChildren(...totals.options.map((option) => row(option, totals.total)));
  const votes = totals.total === 0 ? "No votes yet." : totals.total === 1 ? "1 vote." : `${totals.total} votes.`;
  const waiting = totals.waiting > 0 ? ` Waiting to be counted: ${totals.waiting}.` : "";
  total.textContent = votes + waiting;
}

function row(option, all) {
  const label = document.createElement("th");
  label.scope = "row";
  label.dir = "auto";
  label.textContent = option.label;
  const meter = document.createElement("meter");
  meter.max = Math.max(all, 1);
  meter.value = option.votes;
  meter.ariaLabel = option.label;
  const bar = document.createElement("td");
  bar.append(meter);
  const votes = document.createElement("td");
  votes.textContent = option.votes;
  const row = document.createElement("tr");
  row.append(label, bar, votes);
  return row;
}
