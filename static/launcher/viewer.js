/* A run's output: the rows on the page, new ones as they come, windows on the rest, and going from place to place.
   The page holds one piece of the output without gaps, at most MOST_ROWS rows. While it reaches the end it is attached:
   the element #launcher-tail is there, and what is new is asked for. Otherwise a link to later lines stands at its end, and
   only news of the run are asked for. What the reader sees never moves by itself, unless it follows.
   reader.js adds what a reader can do with the rows; search.js, stream.js and progress.js use `window.launcherViewer`. */
"use strict";

(() => {
  const output = document.getElementById("launcher-output");
  if (!output) return;

  const MOST_ROWS = 3000;
  const KEPT_ABOVE = 300; // rows above what is seen that stay when a page that is not followed gets too long
  const NEAR_PX = 1500; // so near its end, the next window is fetched
  const RETRY_MS = 2000;
  const NEWS_MS = 1000;
  const LATE_MS = 100; // after an answer that came too late to be used
  const LONGEST_ASK_MS = 20000;
  const OLD_ASK_MS = 3000; // after a sleep, what was asked before it may never be answered
  const SAY_MS = 3000;
  const SAID_ROWS = 3;
  const SAID_CHARACTERS = 200;

  const box = document.getElementById("launcher-viewer");
  const said = document.getElementById("launcher-said");
  const connection = document.getElementById("launcher-connection");
  const newButton = document.getElementById("launcher-new");
  const texts = output.dataset;
  const rows = output.getElementsByClassName("launcher-row");

  // What the page knows. `pending` are the rows at its end that may still change.
  const state = {
    cursor: "",
    digest: "",
    seen: texts.seen,
    asked: texts.asked,
    wait: NEWS_MS,
    last: Number(texts.last),
    isLive: "live" in texts,
    isAttached: false,
  };
  let pending = [];

  const tell = (name, detail = {}) => output.dispatchEvent(new CustomEvent(`launcher:${name}`, { bubbles: true, detail }));
  const counted = (number, one, many) => (number === 1 ? one : many.replace("%d", number.toLocaleString(document.documentElement.lang || undefined)));

  // Rows

  const keyOf = (row) => row.dataset.key || row.dataset.number || "";
  const numberOf = (row) => Number(row.dataset.number || 0);
  const rowOf = (line) => document.getElementById(`L${line}`);
  const lastNumber = () => {
    for (let index = rows.length - 1; index >= 0; index -= 1) if (rows[index].dataset.number) return numberOf(rows[index]);
    return 0;
  };

  // Scripts may add to a row, so what it looked like when it came is kept, for as long as it may be drawn anew.
  const looks = new WeakMap();
  const lookOf = (row) => `${row.className} ${row.innerHTML}`;

  const redraw = (row, fresh) => {
    row.className = fresh.className;
    for (const { name, value } of fresh.attributes) row.setAttribute(name, value);
    const isLink = (child) => child.classList.contains("launcher-number");
    [...row.children].filter((child) => !isLink(child)).forEach((child) => child.remove());
    row.append(...[...fresh.children].filter((child) => !isLink(child)));
  };

  const colour = (row) => {
    row.querySelectorAll("[data-fg], [data-bg]").forEach((span) => {
      if (span.dataset.fg) span.style.color = span.dataset.fg;
      if (span.dataset.bg) span.style.backgroundColor = span.dataset.bg;
    });
  };
  const dress = (some, where) => {
    some.forEach(colour);
    const digits = String(Math.max(state.last, lastNumber())).length;
    output.style.setProperty("--launcher-digits", String(Math.max(3, digits)));
    if (some.length || where === "all") tell("rows", { rows: some, where });
  };

  // Put rows at the end, in place of the pending ones: one that is there already stays, and with it what is selected.
  const put = (settled, unsettled) => {
    const known = new Map();
    for (const row of pending) if (keyOf(row)) known.set(keyOf(row), row);
    const notices = pending.filter((row) => !keyOf(row));
    const changed = [];
    let next = pending[0] || tailElement();
    const putOne = (fresh) => {
      const row = keyOf(fresh) && known.get(keyOf(fresh));
      if (!row) {
        output.insertBefore(fresh, next);
        changed.push(fresh);
        return fresh;
      }
      known.delete(keyOf(fresh));
      if (looks.get(row) !== lookOf(fresh)) {
        looks.set(row, lookOf(fresh));
        redraw(row, fresh);
        changed.push(row);
      } else {
        for (const name of ["data-offset", "data-at"]) if (fresh.hasAttribute(name)) row.setAttribute(name, fresh.getAttribute(name));
      }
      next = row.nextElementSibling;
      return row;
    };
    for (const fresh of settled) putOne(fresh);
    pending = unsettled.map((fresh) => {
      const look = lookOf(fresh);
      const row = putOne(fresh);
      looks.set(row, look);
      return row;
    });
    for (const row of [...known.values(), ...notices]) row.remove();
    return changed;
  };

  // Fragments

  const parse = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    const { content } = template;
    const news = [...content.querySelectorAll("[hx-swap-oob]")];
    news.forEach((element) => element.remove());
    return { content, tail: content.getElementById("launcher-tail"), news: news.map((element) => element.outerHTML).join("") };
  };
  const rowsIn = (content) => [...content.querySelectorAll(".launcher-row")];

  const learn = (tail) => {
    const { seen, asked, wait, last, started } = tail.dataset;
    if (seen !== undefined) Object.assign(state, { seen, asked });
    if (wait !== undefined) state.wait = Number(wait);
    if (last !== undefined) state.last = Number(last);
    if (started !== undefined) texts.started = started;
    setLive("live" in tail.dataset);
  };
  const setLive = (isLive) => {
    const wasLive = state.isLive;
    state.isLive = isLive;
    output.toggleAttribute("data-live", isLive);
    if (wasLive && !isLive) tell("ended");
  };
  const showNews = (news) => {
    if (!news) return;
    // Out of band, by htmx; nothing else is swapped.
    if (window.htmx && window.htmx.swap) window.htmx.swap(output, news, { swapStyle: "none", swapDelay: 0, settleDelay: 20 });
    tell("news");
  };

  const tailElement = () => (state.isAttached ? document.getElementById("launcher-tail") : null);
  // The tail of a window that reaches the end: its rows go before it, where they need not be moved once they are settled.
  const attach = (tail) => {
    state.isAttached = true;
    state.cursor = tail.dataset.cursor;
    state.digest = tail.dataset.digest;
    pending = rowsIn(tail);
    pending.forEach((row) => looks.set(row, lookOf(row)));
    tail.before(...pending);
    tail.replaceChildren();
    learn(tail);
  };
  const detach = () => {
    if (!state.isAttached) return;
    pending.forEach((row) => row.remove());
    pending = [];
    tailElement().remove();
    state.isAttached = false;
    state.cursor = state.digest = "";
  };
  const offsetOf = (cursor) => Number(cursor.split("-", 1)[0]);

  // A fragment of what follows the cursor. One that follows another place is a late answer, and is not used.
  const apply = (html) => accept(parse(html));
  const accept = ({ content, tail, news }) => {
    showNews(news);
    if (!tail || !state.isAttached || Number(tail.dataset.from) !== offsetOf(state.cursor)) return false;
    const gap = content.querySelector(".launcher-gap");
    if (gap && !isFollowing) {
      // Who reads further up finds the next lines below, whatever came after them.
      const after = offsetOf(state.cursor);
      learn(tail);
      steadily(() => {
        detach();
        addLater(after);
      });
      tell("replaced");
      showNew();
      return true;
    }
    const isSame = "launcherSame" in tail.dataset;
    const settled = rowsIn(content).filter((row) => !tail.contains(row));
    let changed = [];
    const isAttached = steadily(() => {
      if (gap) (pending[0] || tailElement()).before(watched(gap));
      if (!isSame) changed = put(settled, rowsIn(tail));
      state.cursor = tail.dataset.cursor;
      state.digest = tail.dataset.digest;
      learn(tail);
      dress(changed, "end");
      trim();
      return state.isAttached;
    });
    if (!isAttached) tell("replaced");
    showNew();
    saySoon();
    return true;
  };

  // The size of the page

  const isFolded = (row) => row.classList.contains("launcher-folded");
  const firstInView = () => {
    const top = output.getBoundingClientRect().top;
    const shown = output.querySelector(".launcher-folded") ? [...rows].filter((row) => !isFolded(row)) : rows;
    let [low, high] = [0, shown.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shown[middle].getBoundingClientRect().bottom > top + 1) high = middle;
      else low = middle + 1;
    }
    return shown[low] || null;
  };
  const indexOf = (row) => [...rows].indexOf(row);

  // Change the rows without moving what the reader looks at; or at the end, if that is followed.
  const steadily = (change, below = null) => {
    // Somebody has scrolled up just now, and the browser has not told it yet.
    if (isFollowing && output.scrollTop < scrolledTo - 2 && !isAtEnd()) follow(false);
    const anchor = isFollowing ? null : below || firstInView();
    const before = anchor && anchor.getBoundingClientRect().top;
    const result = change();
    if (isFollowing) toEnd();
    else if (anchor && anchor.isConnected) scrollTo(output.scrollTop + anchor.getBoundingClientRect().top - before);
    else scrolledTo = output.scrollTop;
    return result;
  };

  const trim = () => {
    const excess = rows.length - MOST_ROWS;
    if (excess <= 0) return;
    const first = isFollowing ? null : firstInView();
    const above = isFollowing ? excess : Math.min(excess, Math.max(0, (first ? indexOf(first) : 0) - KEPT_ABOVE));
    cutAbove(above);
    if (rows.length > MOST_ROWS) cutBelow(MOST_ROWS);
  };
  const remove = (from, to) => {
    const range = document.createRange();
    range.setStartBefore(from);
    range.setEndBefore(to);
    const hadFocus = range.intersectsNode(document.activeElement) && output.contains(document.activeElement);
    range.deleteContents();
    if (hadFocus && document.activeElement === document.body) output.focus({ preventScroll: true });
  };
  const cutAbove = (count) => {
    if (count <= 0) return;
    let index = count;
    while (index < rows.length && !rows[index].dataset.number) index += 1;
    if (index >= rows.length) return;
    remove(output.firstChild, rows[index]);
    const link = copyOf("launcher-earlier-template");
    link.dataset.end = rows[0].dataset.offset;
    link.href = pageAddress({ end: rows[0].dataset.offset });
    output.prepend(watched(link));
  };
  const cutBelow = (count) => {
    let index = Math.min(count, pending.length ? indexOf(pending[0]) : count);
    while (index > 0 && !rows[index].dataset.number) index -= 1;
    if (index <= 0) return;
    const after = rows[index].dataset.offset;
    detach();
    if (rows[index]) remove(rows[index], emptyElement());
    output.querySelector(":scope > .launcher-later")?.remove();
    addLater(after);
  };
  const emptyElement = () => output.querySelector(":scope > .launcher-empty");
  const addLater = (offset) => {
    const link = copyOf("launcher-later-template");
    link.dataset.after = offset;
    link.href = pageAddress({ after: offset });
    emptyElement().before(watched(link));
  };
  const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

  // Addresses

  const only = () => texts.only || "";
  const address = (base, parameters) => {
    const query = new URLSearchParams(parameters);
    if (only()) query.set("only", only());
    return `${base}?${query}`;
  };
  const linesAddress = (parameters) => address(texts.lines, parameters);
  const pageAddress = (parameters) => address("", parameters);

  // Asking. Through htmx, so that whatever the project adds to its requests is in these, too; what becomes of an answer is
  // decided here. Resolves to null where there is no answer.

  const ask = (source, url) =>
    new Promise((resolve) => {
      if (!window.htmx) return resolve(null);
      const timer = setTimeout(() => window.htmx.trigger(source, "htmx:abort"), LONGEST_ASK_MS);
      let answer = null;
      const finish = () => {
        clearTimeout(timer);
        resolve(answer);
      };
      const handler = (_element, { xhr }) => (answer = xhr);
      const asked = window.htmx.ajax("GET", url, { source, target: source, swap: "none", handler });
      asked.then(finish, finish);
    });

  // Returns the parsed answer; null where it is worth trying again; undefined where it is not.
  const read = (xhr) => {
    if (!xhr || xhr.status === 0 || xhr.status >= 500 || [408, 425, 429].includes(xhr.status)) {
      say("silent");
      return null;
    }
    if (xhr.status === 204 && xhr.getResponseHeader("HX-Refresh")) {
      location.reload();
      return undefined;
    }
    // A whole page is somebody else's answer, such as one to log in.
    if (xhr.status !== 200 || /<html[\s>]/i.test(xhr.responseText)) {
      say("gone");
      return undefined;
    }
    say("");
    return parse(xhr.responseText);
  };

  let told = "";
  const say = (what) => {
    if (told === what || told === "gone") return;
    told = what;
    connection.textContent = what ? connection.dataset[what] : "";
  };

  // New lines and news: one question at a time, the next one after as long as the server said. Nothing is asked while
  // nobody can see it.

  let isPolling = true;
  let timer = 0;
  let asking = null;
  let askedAt = 0;

  const schedule = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(tick, milliseconds);
  };
  const tick = () => {
    if (document.hidden || told === "gone" || !state.isLive) return;
    if (isPolling || !state.isAttached) askState();
  };
  const askState = (isNews = !state.isAttached) => {
    if (asking) return asking;
    clearTimeout(timer);
    askedAt = performance.now();
    const { cursor, digest, seen, asked, wait } = state;
    const what = isNews ? { news: "" } : { cursor, had: digest, wait };
    const kind = only();
    asking = ask(box, linesAddress({ ...what, seen, asked })).then((xhr) => {
      asking = null;
      const part = read(xhr);
      if (part === undefined) return setLive(false);
      if (part === null || !part.tail) {
        if (!state.isLive) say(""); // nothing more was awaited
        return schedule(RETRY_MS);
      }
      if (isNews) {
        showNews(part.news);
        const { seen, asked, last } = part.tail.dataset;
        Object.assign(state, { seen, asked, last: Math.max(state.last, Number(last)) });
        // Where the end is on the page, it is the last lines that tell that nothing more comes.
        if (!state.isAttached) setLive("live" in part.tail.dataset);
        showNew();
        schedule(NEWS_MS);
      } else {
        const { seen, asked } = part.tail.dataset;
        showNews(part.news);
        const isUsed = kind === only() && accept({ ...part, news: "" });
        Object.assign(state, { seen, asked });
        schedule(isUsed ? state.wait : LATE_MS);
      }
      return undefined;
    });
    return asking;
  };
  const poll = async () => {
    if (asking) await asking;
    return askState();
  };
  const news = async () => {
    if (asking) await asking;
    return askState(true);
  };
  const setPolling = (value) => {
    isPolling = value;
    schedule(value ? 0 : NEWS_MS);
  };
  const wake = () => {
    if (document.hidden) return;
    if (asking && performance.now() - askedAt > OLD_ASK_MS) window.htmx.trigger(box, "htmx:abort");
    schedule(0);
  };
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => event.persisted && wake());
  output.addEventListener("launcher:retry", wake);

  // Windows: the next one when its link comes near, or is clicked.

  const fetchWindow = async (url, isWanted = () => true) => {
    for (;;) {
      const part = read(await ask(output, url));
      if (part !== null || !isWanted()) return part;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (!isWanted()) return undefined;
    }
  };
  // htmx asks one thing at a time for an element.
  let going = Promise.resolve();
  const inTurn = (work) => (going = going.then(work, work));

  const watcher = new IntersectionObserver(
    (entries) => entries.forEach((entry) => entry.isIntersecting && load(entry.target)),
    { root: output, rootMargin: `${NEAR_PX}px 0px` },
  );
  const watched = (link) => {
    watcher.observe(link);
    return link;
  };
  const load = (link) => {
    watcher.unobserve(link);
    if (link.hasAttribute("aria-busy")) return;
    link.setAttribute("aria-busy", "true");
    inTurn(async () => {
      if (!link.isConnected) return;
      const isEarlier = link.matches(".launcher-earlier");
      const { end, floor, after } = link.dataset;
      const part = await fetchWindow(linesAddress(isEarlier ? { end, floor } : { after }), () => link.isConnected);
      if (!part || !link.isConnected) return;
      if (isEarlier) insertEarlier(link, part);
      else insertLater(link, part);
    });
  };
  const insertEarlier = (link, { content }) => {
    const came = rowsIn(content);
    content.querySelectorAll(".launcher-earlier").forEach(watched);
    // Rows are put in above what follows the link, so that is what stays where it is, if it is in view.
    const isInView = (row) => row && row.getBoundingClientRect().top < output.getBoundingClientRect().bottom;
    const below = link.nextElementSibling;
    const first = firstInView();
    const isBelow = first && !(first.compareDocumentPosition(link) & Node.DOCUMENT_POSITION_FOLLOWING);
    const anchor = isBelow || !isInView(below) ? first : below;
    const wasAttached = state.isAttached;
    steadily(() => {
      link.replaceWith(content);
      dress(came, "start");
      trim();
    }, anchor);
    if (wasAttached && !state.isAttached) tell("replaced");
    showNew();
  };
  const insertLater = (link, { content, tail }) => {
    const came = rowsIn(content);
    content.querySelectorAll(".launcher-later").forEach(watched);
    steadily(() => {
      link.replaceWith(content);
      if (tail) attach(tail);
      dress(came, "end");
      trim();
    });
    if (!tail) return;
    tell("replaced");
    showNew();
    schedule(0);
  };
  output.addEventListener("click", (event) => {
    const link = event.target.closest(".launcher-earlier, .launcher-later");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    load(link);
  });

  // Put another window in place of all that is on the page.
  const replace = ({ content, tail }) => {
    detach();
    remove(output.firstChild, emptyElement());
    content.querySelectorAll(".launcher-earlier, .launcher-later").forEach(watched);
    output.prepend(content);
    if (tail) attach(tail);
    dress([...rows], "all");
    output.scrollTop = 0;
    scrolledTo = output.scrollTop;
    saidLine = Math.max(state.last, lastNumber());
    tell("replaced");
    if (state.isLive) schedule(tail ? state.wait : 0);
  };

  // Following

  let isFollowing = true;
  let scrolledTo = 0;
  let seenLine = state.last; // the last line that a reader who does not follow has had before them

  const scrollTo = (top) => {
    output.scrollTop = top;
    scrolledTo = output.scrollTop;
  };
  const toEnd = () => scrollTo(output.scrollHeight);
  const isAtEnd = () => output.scrollHeight - output.scrollTop - output.clientHeight < 8;
  const follow = (value) => {
    if (value) seenLine = state.last;
    if (isFollowing === value) return;
    isFollowing = value;
    if (!value) seenLine = Math.max(state.last, lastNumber());
    showNew();
    tell("follow", { isFollowing });
  };
  const setFollowing = (value) => {
    if (!value) follow(false);
    else if (!state.isAttached) return goToEnd();
    else {
      follow(true);
      toEnd();
    }
    return Promise.resolve();
  };
  const showNew = () => {
    const isAway = !isFollowing && !(state.isAttached && isAtEnd());
    const count = Math.max(0, Math.max(state.last, lastNumber()) - seenLine);
    const text = count && !only() ? counted(count, texts.newOne, texts.newMany) : texts.toEnd;
    newButton.hidden = !isAway || (!state.isLive && state.isAttached && !count);
    if (newButton.textContent !== `↓ ${text}`) newButton.textContent = `↓ ${text}`;
  };
  newButton.addEventListener("click", () => {
    output.focus({ preventScroll: true }); // the button goes away
    setFollowing(true);
  });
  output.addEventListener(
    "scroll",
    () => {
      const top = output.scrollTop;
      if (top < scrolledTo - 2) follow(false);
      else if (top > scrolledTo && state.isAttached && isAtEnd() && !hasSelection()) follow(true);
      scrolledTo = top;
      showNew();
    },
    { passive: true },
  );
  // Already the attempt counts: under a quick command the next lines would take the reader down again.
  output.addEventListener("wheel", (event) => event.deltaY < 0 && output.scrollTop > 0 && follow(false), { passive: true });
  const hasSelection = () => {
    const selection = document.getSelection();
    return Boolean(selection && !selection.isCollapsed && selection.rangeCount && selection.getRangeAt(0).intersectsNode(output) && output.contains(selection.anchorNode));
  };
  document.addEventListener("selectionchange", () => hasSelection() && follow(false));
  new ResizeObserver(() => isFollowing && toEnd()).observe(output);

  // Going to places

  let journey = 0;
  const goTo = async (line, { block = "center" } = {}) => {
    const mine = (journey += 1);
    follow(false);
    if (!rowOf(line)) {
      const part = await inTurn(() => (mine === journey ? fetchWindow(linesAddress({ line }), () => mine === journey) : null));
      if (!part || mine !== journey) return null;
      replace(part);
    }
    const row = rowOf(line);
    // Where there is no such line, because it was left out or is not in this selection, what comes after it is shown.
    const nearest = row || [...rows].find((other) => numberOf(other) > line);
    if (nearest) {
      tell("reveal", { row: nearest });
      show(nearest, block);
    } else if (state.isAttached) toEnd();
    showNew();
    return row;
  };
  const show = (row, block = "center") => {
    const [inner, outer] = [row.getBoundingClientRect(), output.getBoundingClientRect()];
    const room = block === "center" ? Math.max(0, (output.clientHeight - inner.height) / 2) : 0;
    scrollTo(output.scrollTop + inner.top - outer.top - room);
    const frame = box.getBoundingClientRect();
    const now = row.getBoundingClientRect();
    // Only where the output itself is out of sight, the page moves.
    if (now.top < 0 || now.bottom > innerHeight) box.scrollIntoView({ block: frame.height > innerHeight || frame.top < 0 ? "start" : "nearest" });
  };
  const goToStart = async () => {
    if (output.querySelector(":scope > .launcher-earlier") || !rows.length) {
      const mine = (journey += 1);
      follow(false);
      const part = await inTurn(() => (mine === journey ? fetchWindow(linesAddress({ line: 1 }), () => mine === journey) : null));
      if (!part || mine !== journey) return;
      replace(part);
    }
    follow(false);
    scrollTo(0);
    showNew();
  };
  const goToEnd = async () => {
    const mine = (journey += 1);
    if (!state.isAttached) {
      const part = await inTurn(() => (mine === journey ? fetchWindow(linesAddress({}), () => mine === journey) : null));
      if (!part || mine !== journey) return;
      replace(part);
    }
    follow(true);
    toEnd();
    showNew();
  };
  const currentLine = () => {
    const marked = output.querySelector(".launcher-row-marked[data-number]");
    if (marked && !isFolded(marked)) {
      const [inner, outer] = [marked.getBoundingClientRect(), output.getBoundingClientRect()];
      if (inner.bottom > outer.top && inner.top < outer.bottom) return numberOf(marked);
    }
    let row = firstInView();
    while (row && !row.dataset.number) row = row.nextElementSibling;
    return row ? numberOf(row) : null;
  };
  const setErrorsOnly = async (value) => {
    if (value === (only() === "errors")) return;
    const mine = (journey += 1);
    const [wasFollowing, line] = [isFollowing && state.isAttached, currentLine()];
    if (value) texts.only = "errors";
    else delete texts.only;
    const isWanted = () => mine === journey;
    const part = await inTurn(() => fetchWindow(linesAddress(wasFollowing || !line ? {} : { line }), isWanted));
    if (!part || mine !== journey) return;
    replace(part);
    if (wasFollowing) toEnd();
    else {
      const row = [...rows].find((row) => numberOf(row) >= line);
      if (row) scrollTo(output.scrollTop + row.getBoundingClientRect().top - output.getBoundingClientRect().top);
      else toEnd();
    }
    showNew();
  };

  // Saying what came, for who can't see it: a few lines at most, and how many more.

  let saidLine = state.last;
  let sayTimer = 0;
  const announce = (text) => {
    said.textContent = text;
  };
  const saySoon = () => {
    if (!sayTimer) sayTimer = setTimeout(sayNew, SAY_MS);
  };
  const sayNew = () => {
    sayTimer = 0;
    const last = lastNumber();
    const count = only() ? [...rows].filter((row) => numberOf(row) > saidLine).length : last - saidLine;
    if (count <= 0) return;
    const some = [];
    if (isFollowing) {
      for (let index = rows.length - 1; index >= 0 && some.length < SAID_ROWS && numberOf(rows[index]) !== saidLine; index -= 1) {
        if (numberOf(rows[index]) > saidLine) some.unshift(textOf(rows[index]).slice(0, SAID_CHARACTERS));
      }
    }
    const rest = count - some.length;
    const more = some.length ? counted(rest, texts.moreOne, texts.moreMany) : counted(rest, texts.newOne, texts.newMany);
    announce([...some, ...(rest > 0 ? [more] : [])].join("\n"));
    saidLine = last;
  };
  const textOf = (row) => (row.querySelector("code") ? row.querySelector("code").textContent : "");

  window.launcherViewer = {
    element: output,
    apply,
    tail: () =>
      state.isAttached
        ? { cursor: state.cursor, digest: state.digest, seen: state.seen, asked: state.asked, only: only(), isLive: state.isLive }
        : null,
    poll,
    news,
    setPolling,
    goTo,
    goToStart,
    goToEnd,
    isFollowing: () => isFollowing,
    setFollowing,
    isErrorsOnly: () => only() === "errors",
    setErrorsOnly,
    currentLine,
    lastLine: () => Math.max(state.last, lastNumber()),
    rows: () => rows,
    steadily,
    // What the page need not ask for: parts of its head, with what it then has seen.
    showNews: (html, seen, asked) => {
      showNews(html);
      Object.assign(state, { seen, asked });
    },
    pageAddress,
    announce,
    say,
  };

  // What the page came with

  const tail = document.getElementById("launcher-tail");
  if (tail) attach(tail);
  else follow(false);
  output.querySelectorAll(":scope > .launcher-earlier, :scope > .launcher-later").forEach(watched);
  dress([...rows], "all");
  if (isFollowing) toEnd();
  showNew();
  if (state.isLive) schedule(tail ? state.wait : NEWS_MS);
})();
