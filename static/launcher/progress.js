/* How far a run is, and how it ended, in the tab's title. The page works without. */
"use strict";

(() => {
  const content = document.getElementById("content-main");
  const title = document.title;
  const SIGNS = { succeeded: "✓", failed: "✗", lost: "✗", timed_out: "✗", stopped: "■" };
  let hasGoneOn = false;

  const tell = () => {
    const state = content.querySelector("#launcher-run-head [data-launcher-status]");
    const progress = document.getElementById("launcher-progress");
    const sign = state && SIGNS[state.dataset.launcherStatus];
    if (state && !sign) hasGoneOn = true;
    const percent = progress && progress.dataset.launcherPercent;
    // Who opens the page of an ended run knows how it ended.
    const said = sign ? hasGoneOn && `${sign} ` : percent && `${percent} · `;
    const wanted = `${said || ""}${title}`;
    if (document.title !== wanted) document.title = wanted;
  };
  // Both are swapped as a whole, whoever fetches them.
  new MutationObserver(tell).observe(content, { childList: true });
  tell();
})();
