// Keeps a page in touch with its server. Each message of the server is the whole page, in
// the visitor's language.

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

// Calls `show` with each message of the same edition of the page, and `lost` while there is none.
function live(path, edition, show, lost) {
  let failures = 0;
  connect();

  function connect() {
    const address = new URL(`${path}/${document.documentElement.lang}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    let silence = setTimeout(reconnect, SILENT_AFTER_MS);
    socket.onmessage = (message) => {
      failures = 0;
      clearTimeout(silence);
      silence = setTimeout(reconnect, SILENT_AFTER_MS);
      const view = JSON.parse(message.data);
      if (view.edition === edition) return show(view);
      // Another poll, or another version of this page.
      part();
      setTimeout(reload, Math.random() * RELOAD_WITHIN_MS);
    };
    socket.onclose = reconnect;

    // A cut network closes no connection, so silence also counts as a lost one.
    function reconnect() {
      part();
      setTimeout(connect, Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++));
    }

    function part() {
      clearTimeout(silence);
      socket.onmessage = socket.onclose = null;
      socket.close();
      lost();
    }
  }

  // Reloads only if the server answers: perhaps nobody is near the projector to try again.
  async function reload() {
    const answer = await fetch(location.href).catch(() => null);
    if (answer?.ok) location.reload();
    else connect();
  }
}

