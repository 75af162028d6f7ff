// Votes without loading the page again. Every answer is the whole page, as the
// server would show it without this script. The script copies its texts into this page.

// Longer than the server waits for its queue.
const ANSWER_WITHIN_MS = 15_000;

// While votes wait, the page looks again after this time and a random one of up to
// the same length, so that a room full of phones does not ask at the same moment.
// The server needs two looks at the queue, two seconds apart, to see that a vote
// waits, so this is longer than that.
const LOOK_AGAIN_AFTER_MS = 4_500;

let sending = false;
let pressedMeanwhile = null;
let nextLook;
let look = new AbortController();

tellLocalTime(document);
if (place("waiting").textContent) lookAgain();

document.addEventListener("submit", (event) => {
  event.preventDefault();
  cast(event.submitter);
});

async function cast(button) {
  if (sending) {
    pressedMeanwhile = button;
    return;
  }
  sending = true;
  for (const other of button.form.elements) other.removeAttribute("data-open");
  // The button stays marked until the vote is recorded, so that people see what to press again.
  button.setAttribute("data-open", "");
  // A page that was requested before must not arrive after the answer, nor must its cookie.
  clearTimeout(nextLook);
  look.abort();
  say("sending");
  try {
    const body = new URLSearchParams(new FormData(button.form));
    body.set(button.name, button.value);
    takeOver(await fetchPage({ method: "POST", body }, new AbortController()));
  } catch {
    say("unanswered");
  }
  sending = false;
  if (place("answer")?.querySelector(".recorded")) button.removeAttribute("data-open");
  const next = pressedMeanwhile;
  pressedMeanwhile = null;
  if (next?.isConnected) cast(next);
  else lookAgain();
}

async function fetchPage(request, patience) {
  const giveUp = setTimeout(() => patience.abort(), ANSWER_WITHIN_MS);
  try {
    const answer = await fetch("/", { ...request, signal: patience.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("main[data-urna]")) throw new Error("a proxy answered, and not the ballot box");
    return page;
  } finally {
    clearTimeout(giveUp);
  }
}

function takeOver(page) {
  tellLocalTime(page);
  const [mine, theirs] = [document, page].map((each) => each.querySelector("main"));
  if (theirs.dataset.edition !== mine.dataset.edition) {
    // The vote is recorded: load the new page, which says so and has its own script.
    if (theirs.querySelector(".recorded")) return location.reload();
    return replace(mine, theirs, page);
  }
  for (const button of mine.querySelectorAll("button")) {
    const theirButton = theirs.querySelector(`button[value="${button.value}"]`);
    button.setAttribute("aria-pressed", theirButton.getAttribute("aria-pressed"));
  }
  for (const id of ["answer", "waiting", "replica"]) {
    place(id).replaceChildren(...page.getElementById(id).childNodes);
  }
  place("answer").scrollIntoView({ block: "nearest" });
}

// Shows a page that says why the vote was not taken.
function replace(mine, theirs, page) {
  mine.replaceWith(theirs);
  place("waiting").textContent = "";
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.body.className = page.body.className;
  theirs.tabIndex = -1;
  theirs.focus();
}

function say(id) {
  place("answer").replaceChildren(place(id).content.cloneNode(true));
}

function place(id) {
  return document.getElementById(id);
}

// Recorded votes may wait for a worker. The visitor sees when they no longer wait.
function lookAgain() {
  clearTimeout(nextLook);
  nextLook = setTimeout(async () => {
    look = new AbortController();
    const page = await fetchPage({}, look).catch(() => null);
    const [mine, theirs] = [document, page].map((each) => each?.querySelector("main").dataset.edition);
    // A notice, or a marked button to press again, stays until the visitor acts.
    if (!mine || sending || document.querySelector("[data-open]")) return;
    if (theirs && theirs !== mine) return location.reload();
    const waiting = theirs ? page.getElementById("waiting").textContent : place("waiting").textContent;
    if (waiting !== place("waiting").textContent) place("waiting").textContent = waiting;
    if (waiting) lookAgain();
  }, LOOK_AGAIN_AFTER_MS * (1 + Math.random()));
}

function tellLocalTime(page) {
  for (const time of page.querySelectorAll("time")) time.textContent = localTime(new Date(time.dateTime));
}
