// Keeps the page what the server last said: the server draws it, this script fetches it.

const REFRESH_EVERY_MS = 2_000;

// A server that takes longer is away, as far as a reader is concerned.
const ANSWER_WITHIN_MS = 5_000;

const place = (page, id) => page.getElementById(id);

setTimeout(refresh, REFRESH_EVERY_MS);

async function refresh() {
  place(document, "lost").hidden = await drawn();
  setTimeout(refresh, REFRESH_EVERY_MS);
}

async function drawn() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Only what differs: a summary that is written again would be read out again.
    for (const id of ["summary", "hops", "replica"]) {
      const [old, now] = [place(document, id), place(page, id)];
      if (old.outerHTML !== now.outerHTML) {
        old.className = now.className;
        old.replaceChildren(...now.childNodes);
      }
    }
    return true;
  } catch {
    return false;
  }
}
