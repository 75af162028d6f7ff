// Keeps the page what the server last said: the server draws it, this script fetches it.

const REFRESH_EVERY_MS = 2_000;

// A server that takes longer is away, as far as a reader is concerned.
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
    // Another version of this page.
    const script = (of) => of.querySelector("script[src]").getAttribute("src");
    if (script(page) !== script(document)) location.reload();
    for (const id of ["summary", "hops", "replica"]) draw(document.getElementById(id), page.getElementById(id));
    return true;
  } catch {
    return false;
  }
}

// Only what differs: the rest keeps its focus and its selection, and is not read out again.
function draw(old, now) {
  if (old.isEqualNode(now)) return;
  old.className = now.className;
  const [was, is] = [[...old.children], [...now.children]];
  const alike = was.length > 0 && was.length === is.length && was.every((one, at) => one.tagName === is[at].tagName);
  if (alike && !hasWords(old)) was.forEach((one, at) => draw(one, is[at]));
  else old.replaceChildren(...now.childNodes);
}

function hasWords(element) {
  return [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
}
