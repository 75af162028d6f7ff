// Makes an element like a newly drawn one. It replaces only what differs: the rest keeps its focus,
// its selection and its animation, and is not read out again. A child with an id stays itself
// wherever it moves.
function morph(old, now) {
  if (old.isEqualNode(now)) return;
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (hasWords(old) || hasWords(now)) return old.replaceChildren(...now.childNodes);
  const were = [...old.children];
  const kept = [...now.children].map((one, at) => {
    const was = one.id ? were.find((former) => former.id === one.id) : were[at];
    if (!was || was.id !== one.id || was.tagName !== one.tagName) return one;
    morph(was, one);
    return was;
  });
  for (const [at, one] of kept.entries()) {
    if (old.children[at] !== one) old.insertBefore(one, old.children[at] ?? null);
  }
  while (old.children.length > kept.length) old.lastElementChild.remove();
}

function hasWords(element) {
  return [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
}

