// Keeps the page up to date: the server draws it, and this script fetches it again and again.

const REFRESH_EVERY_MS = 2_000;

// For a visitor, a server that takes longer than this is away.
const ANSWER_WITHIN_MS = 5_000;

setTimeout(refresh, REFRESH_EVERY_MS);

async function refresh() {
  if (!document.hidden) document.getElementById("lost").hidden = await drawn();
  setTimeout(refresh, REFRESH_EVERY_MS);
}

async function drawn() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // The server has another version of this page.
    const script = (of) => of.querySelector("script[src]").getAttribute("src");
    if (script(page) !== script(document)) location.reload();
    for (const id of ["summary", "hops", "replica"]) morph(document.getElementById(id), page.getElementById(id));
    return true;
  } catch {
    return false;
  }
}
