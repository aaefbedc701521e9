// Tells the server, at most every 20 s, that a person uses this page: what the page asks by itself does not keep a session.
(() => {
  const STEP_MS = 20000;
  let told = -Infinity;
  let place = null;
  const tell = (event) => {
    if (event.type === "pointermove") {
      const before = place; // a page that moves under a mouse that lies still is nobody's hand
      place = `${event.screenX} ${event.screenY}`;
      if (before === null || place === before) return;
    }
    if (!event.isTrusted || !window.did_handshake || performance.now() - told < STEP_MS) return;
    told = performance.now();
    emitEvent("activity");
  };
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
    window.addEventListener(kind, tell, { passive: true, capture: true });
  }
})();
