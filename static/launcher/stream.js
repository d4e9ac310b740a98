/* A run's new lines as server-sent events, where the server offers them. Polling goes on until the first event has
   arrived, so nothing is lost where a proxy keeps events back, and is there again as soon as the stream is not. */
"use strict";

(() => {
  const viewer = window.launcherViewer;
  const url = viewer && viewer.element.dataset.launcherStream;
  if (!url || !window.EventSource) return;

  const FIRST_EVENT_MS = 4000; // the server says something at once
  const SILENT_MS = 40000; // and then every 15 s at least
  const SLEEP_MS = 10000;
  const WATCH_MS = 1000;
  const AGAIN_MS = 300; // after a stream that was there, such as one that has become old
  const FIRST_RETRY_MS = 1000;
  const LONGEST_RETRY_MS = 60000;
  const NEWS_MS = 2000;
  const MOST_MISMATCHES = 3;

  let source = null;
  let isHeard = false;
  let heardAt = 0;
  let wait = FIRST_RETRY_MS;
  let timer = 0;
  let mismatches = 0;

  const connect = () => {
    close();
    const tail = viewer.tail();
    if (!tail || !tail.isLive || tail.only || document.hidden) return;
    const mine = new EventSource(`${url}?cursor=${encodeURIComponent(tail.cursor)}`);
    source = mine;
    heardAt = Date.now();
    const on = (name, act) =>
      mine.addEventListener(name, (event) => {
        if (mine !== source) return;
        hear();
        act(event);
      });
    on("state", (event) => show(JSON.parse(event.data)));
    on("alive", () => {});
    on("lines", (event) => {
      // What a poll has brought meanwhile is not brought again: from where the page is now.
      if (viewer.apply(event.data)) {
        wait = FIRST_RETRY_MS;
        mismatches = 0;
      } else if (mine === source) {
        mismatches += 1;
        if (mismatches < MOST_MISMATCHES) return connectIn(0);
        isHeard = false;
        lose();
      }
      return undefined;
    });
    on("end", () => {
      close();
      const now = viewer.tail();
      if (now && now.isLive) viewer.setPolling(true);
    });
    on("gone", () => {
      // A poll says what has become of the run, or goes to the login page.
      isHeard = false;
      lose();
    });
    // The browser would try again by itself, for ever, but neither where the server was down for a moment nor from here.
    mine.addEventListener("error", () => mine === source && lose());
  };

  const close = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
    isHeard = false;
    viewer.element.toggleAttribute("data-launcher-streaming", false);
  };
  const connectIn = (milliseconds) => {
    close();
    timer = setTimeout(connect, milliseconds);
  };
  const hear = () => {
    heardAt = Date.now();
    if (isHeard) return;
    isHeard = true;
    viewer.element.toggleAttribute("data-launcher-streaming", true);
    viewer.setPolling(false);
    viewer.say("");
  };
  const lose = () => {
    if (isHeard) return connectIn(AGAIN_MS * (0.5 + Math.random()));
    viewer.setPolling(true);
    connectIn(wait * (0.75 + Math.random() / 2)); // not all pages at once
    wait = Math.min(wait * 2, LONGEST_RETRY_MS);
    return undefined;
  };

  // What the page shows of the run's state and question, compared with what the server says. How far the run is comes with
  // it; the rest depends on who looks, so it is asked for, by many pages not all at once, until it is the same.
  let state = null;
  let newsTimer = 0;
  const headOf = (seen) => seen.split("~", 1)[0];
  const show = ({ state: said, spread_ms: spread }) => {
    state = said;
    const tail = viewer.tail();
    if (!tail || isShown()) return;
    clearTimeout(newsTimer);
    if (said.html && headOf(tail.seen) === headOf(said.seen) && tail.asked === said.asked) {
      viewer.showNews(said.html, said.seen, said.asked);
    } else newsTimer = setTimeout(askNews, Math.random() * spread);
  };
  const isShown = () => {
    const tail = viewer.tail();
    return !tail || (tail.seen === state.seen && tail.asked === state.asked);
  };
  const askNews = async () => {
    await viewer.news();
    clearTimeout(newsTimer);
    if (!isShown()) newsTimer = setTimeout(askNews, NEWS_MS);
  };

  // A connection may be dead without a sign of it: after a sleep, or where a proxy keeps back what comes.
  let lookedAt = Date.now();
  setInterval(() => {
    const now = Date.now();
    const hasSlept = now - lookedAt > SLEEP_MS;
    lookedAt = now;
    if (!source) return;
    if (hasSlept) connectIn(0);
    else if (now - heardAt > (isHeard ? SILENT_MS : FIRST_EVENT_MS)) lose();
  }, WATCH_MS);

  // A browser has few connections for a server; a tab that nobody sees must not hold one.
  const wake = () => {
    wait = FIRST_RETRY_MS;
    connect();
  };
  const sleep = () => {
    close();
    viewer.setPolling(true); // which rests as well, until it is seen again
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? sleep() : wake()));
  window.addEventListener("online", wake);
  window.addEventListener("pagehide", sleep);
  window.addEventListener("pageshow", (event) => event.persisted && wake());
  viewer.element.addEventListener("launcher:replaced", () => {
    viewer.setPolling(true);
    connect();
  });
  connect();
})();
