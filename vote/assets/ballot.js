// Votes without loading the page again. Every answer is the whole page, as the
// server would show it without this script. The script copies its texts into this page.

// Longer than the server waits for its queue.
const ANSWER_WITHIN_MS = 15_000;

// While the vote waits to be counted, the page looks again: first after this time, because the
// server looks at its queue as often, and then ever more slowly, up to the longest pause. A
// random time of up to the same length is added to each pause, so that a room full of phones
// does not ask at the same moment.
const LOOK_AGAIN_AFTER_MS = 2_000;
const LOOK_AGAIN_WITHIN_MS = 16_000;

let sending = false;
let pressedMeanwhile = null;
let nextLook;
let pause = LOOK_AGAIN_AFTER_MS;
let look = new AbortController();

tellLocalTime(document);
if (somethingWaits()) lookAgain();

document.addEventListener("visibilitychange", () => {
  if (!sending && somethingWaits()) lookAgain();
});

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
  if (place("told")?.querySelector(".recorded")) button.removeAttribute("data-open");
  const next = pressedMeanwhile;
  pressedMeanwhile = null;
  pause = LOOK_AGAIN_AFTER_MS;
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
  for (const id of ["told", "waits", "tick", "waiting", "replica"]) {
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
  place("told").replaceChildren(place(id).content.cloneNode(true));
  for (const former of ["waits", "tick"]) place(former).textContent = "";
}

function place(id) {
  return document.getElementById(id);
}

// The visitor sees when their vote is counted, and when votes no longer wait for a worker.
function lookAgain() {
  clearTimeout(nextLook);
  // Nobody sees a hidden page. It looks again as soon as it is seen.
  if (document.hidden) return;
  nextLook = setTimeout(async () => {
    look = new AbortController();
    const page = await fetchPage({}, look).catch(() => null);
    const [mine, theirs] = [document, page].map((each) => each?.querySelector("main").dataset.edition);
    // A notice, or a marked button to press again, stays until the visitor acts.
    if (!mine || sending || document.querySelector("[data-open]")) return;
    if (theirs && theirs !== mine) return location.reload();
    if (theirs) update(page);
    if (somethingWaits()) lookAgain();
  }, pause * (1 + Math.random()));
  pause = Math.min(pause * 1.5, LOOK_AGAIN_WITHIN_MS);
}

// A screen reader reads out every text that is put in place, so only changed texts are.
function update(page) {
  tellLocalTime(page);
  for (const id of ["relabelled", "waits", "tick", "waiting"]) {
    const [mine, theirs] = [place(id), page.getElementById(id)];
    if (mine.textContent !== theirs.textContent) mine.replaceChildren(...theirs.childNodes);
  }
}

function somethingWaits() {
  return ["waits", "waiting"].some((id) => place(id)?.textContent.trim());
}

function tellLocalTime(page) {
  for (const time of page.querySelectorAll("time")) time.textContent = localTime(new Date(time.dateTime));
}
