// Tells the server, at most every 20 s, that a person uses this page: what the page asks by itself does not keep a session.
(() => {
  const STEP_MS = 20000;
  let told = -Infinity;
  const tell = (event) => {
    if (!event.isTrusted || !window.did_handshake || performance.now() - told < STEP_MS) return;
    told = performance.now();
    emitEvent("activity");
  };
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
    window.addEventListener(kind, tell, { passive: true, capture: true });
  }
})();
