/* Searching a run's output. The server searches, a moment at a time; this asks on, adds up, and goes from match to match.
   Without it, the form loads the page with a list of the lines that match. */
"use strict";

(() => {
  const form = document.getElementById("launcher-search");
  const viewer = window.launcherViewer;
  if (!form || !viewer) return;

  const TYPING_MS = 200;
  const RETRY_MS = 2000;
  const LIVE_MS = 1000; // between looks at what a run has written since
  const IDLE_MS = 5000;
  const REDRAW_MS = 80;
  const MOST_MERGED = 1000;
  const MOST_LINE_MATCHES = 200;
  const SHOWN_RANGES = 5000;

  const output = viewer.element;
  const field = document.getElementById("launcher-search-field");
  const [caseBox, regexBox] = [form.elements.case, form.elements.regex];
  const previousButton = document.getElementById("launcher-search-previous");
  const nextButton = document.getElementById("launcher-search-next");
  const counted = document.getElementById("launcher-search-count");
  const progress = document.getElementById("launcher-search-progress");
  const problem = document.getElementById("launcher-search-error");
  const download = document.getElementById("launcher-search-download");
  const downloadAddress = download.getAttribute("href");
  const says = form.dataset;
  const written = new Intl.NumberFormat(document.documentElement.lang || undefined);

  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  // What is searched for, and what was found by now. A part is what one answer told of: which lines it searched, how
  // many of them match, and the numbers of at most a thousand of those, in a row, `first` of them left out before.

  let search = null;

  const typed = () => ({ text: field.value, isRegex: regexBox.checked, isExact: caseBox.checked, isErrorsOnly: viewer.isErrorsOnly() });
  const parametersOf = (query) => {
    const parameters = new URLSearchParams();
    if (query.text) parameters.set("q", query.text);
    if (query.text && query.isExact) parameters.set("case", "1");
    if (query.text && query.isRegex) parameters.set("regex", "1");
    if (query.text && query.isErrorsOnly) parameters.set("only", "errors");
    return parameters;
  };

  const begin = () => {
    const query = typed();
    const key = parametersOf(query).toString();
    if (search ? search.key === key : !query.text) return redraw();
    end();
    keepInAddress(query);
    say("");
    const isOn = query.text !== "";
    previousButton.disabled = nextButton.disabled = !isOn;
    download.href = `${downloadAddress}?${key}`;
    if (isOn) {
      search = {
        key,
        query,
        stopper: new AbortController(),
        parts: [],
        pending: [],
        place: "0",
        isDone: false,
        isLive: false,
        current: null,
        steps: [],
        going: Promise.resolve(),
        said: says.searching,
        marks: new Map(),
        isMarking: false,
        changes: 0,
        wake: () => {},
      };
      run(search);
    }
    complain("");
    redraw();
  };

  const end = () => {
    if (!search) return;
    search.stopper.abort();
    search.wake();
    search = null;
    progress.hidden = true;
    counted.removeAttribute("aria-busy");
  };

  const clear = () => {
    field.value = "";
    begin();
  };

  // So that it can be shared, and a reload keeps it.
  const keepInAddress = (query) => {
    const address = new URL(location.href);
    for (const name of ["q", "case", "regex", "from"]) address.searchParams.delete(name);
    parametersOf(query).forEach((value, name) => name !== "only" && address.searchParams.set(name, value)); // that is the viewer's
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  };

  // Asking

  class Gone extends Error {}

  const ask = async (mine, parameters) => {
    const asked = parametersOf(mine.query);
    for (const [name, value] of Object.entries(parameters)) asked.set(name, value);
    for (;;) {
      try {
        const response = await fetch(`${says.url}?${asked}`, {
          headers: { "HX-Request": "true" },
          signal: mine.stopper.signal,
        });
        if (response.status === 204 && response.headers.get("HX-Refresh")) location.reload();
        if (response.status >= 400 && response.status < 500) throw new Gone();
        if (response.ok && response.status !== 204) {
          const answer = await response.json();
          if (!("error" in answer)) return answer;
          complain(answer.error);
          if (!answer.wait) throw new Gone(answer.error);
          await sleep(1000 * answer.wait);
          if (search === mine) complain("");
        } else {
          say(says.silent);
          await sleep(RETRY_MS);
        }
      } catch (error) {
        if (error instanceof Gone || mine.stopper.signal.aborted) throw error;
        say(says.silent);
        await sleep(RETRY_MS);
      }
      if (search !== mine) throw new Gone();
    }
  };

  const run = async (mine) => {
    const slow = setTimeout(() => search === mine && !mine.parts.length && say(says.searching), 300);
    counted.setAttribute("aria-busy", "true");
    try {
      for (;;) {
        const answer = await ask(mine, { from: mine.place, had: settled(mine) });
        if (search !== mine) return;
        add(mine, answer);
        show(mine, answer);
        goOn(mine);
        if (!answer.done) continue;
        redraw();
        if (!answer.live) return;
        await newLines(mine);
        if (search !== mine) return;
      }
    } catch (error) {
      if (search !== mine) return;
      mine.isDone = true;
      mine.steps = [];
      progress.hidden = true;
      if (!(error instanceof Gone)) throw error;
      say("");
      if (!error.message) complain(says.gone);
    } finally {
      clearTimeout(slow);
      if (search === mine) counted.removeAttribute("aria-busy");
    }
  };

  // Wait for new lines on the page; or for a while, since a reader elsewhere in the output gets none.
  const newLines = async (mine) => {
    const begun = mine.changes;
    await sleep(LIVE_MS);
    if (search !== mine || mine.changes !== begun) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, IDLE_MS);
      mine.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
  const noteChange = () => {
    if (!search) return;
    search.changes += 1;
    search.wake();
  };

  // Counting

  const isWhole = (part) => part.first === 0 && part.lines.length === part.count;
  const add = (mine, answer) => {
    const { from, next, count, lines, first } = answer;
    const last = mine.parts.at(-1);
    const after = last ? last.through : 0;
    const part = { from, until: next, after, through: Math.max(answer.through, after), count, lines, first };
    if (last && isWhole(last) && isWhole(part) && last.count + count <= MOST_MERGED) {
      last.until = next;
      last.through = part.through;
      last.lines.push(...lines);
      last.count += count;
    } else {
      mine.parts.push(part);
    }
    mine.place = next;
    mine.pending = answer.pending;
    mine.isDone = answer.done;
    mine.isLive = answer.live;
  };

  const settled = (mine) => mine.parts.reduce((sum, part) => sum + part.count, 0);
  const total = (mine) => settled(mine) + mine.pending.length;

  const show = (mine, answer) => {
    mine.said = answer.said;
    progress.hidden = answer.done;
    progress.value = answer.percent;
    if (answer.done) counted.removeAttribute("aria-busy");
    else counted.setAttribute("aria-busy", "true");
    sayWhere(mine);
  };

  const sayWhere = (mine) => {
    if (!mine.current) return say(mine.said);
    const { line, index, turn } = mine.current;
    const values = { index: written.format(index + 1), count: written.format(total(mine)), line: written.format(line) };
    say(says[turn || "at"].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole));
  };

  const say = (text) => {
    if (counted.textContent !== text) counted.textContent = text;
  };

  const complain = (text) => {
    if (problem.textContent !== text) problem.textContent = text;
    download.hidden = !search || text !== "";
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  };

  // Going from match to match. Numbers that are not known here are asked for: those `near` a line, of a part that was
  // searched already. The answer may cover the beginning of the part only; the rest then is a part of its own.

  const learn = async (mine, part, near) => {
    const until = parseInt(part.until, 10);
    const { next, count, lines, first, through } = await ask(mine, { from: part.from, until, near });
    if (search !== mine) throw new Gone();
    const rest = { ...part, from: next, after: through, count: part.count - count, lines: [], first: 0 };
    Object.assign(part, { count, lines, first });
    if (parseInt(next, 10) >= until || rest.count <= 0) return;
    Object.assign(part, { until: next, through });
    mine.parts.splice(mine.parts.indexOf(part) + 1, 0, rest);
  };

  const isListedToTheEnd = (part) => part.first + part.lines.length >= part.count;
  const knowsAfter = (part, line) => isListedToTheEnd(part) || ((part.first === 0 || part.lines[0] <= line) && part.lines.at(-1) > line);
  const knowsBefore = (part, line) =>
    (part.first === 0 || part.lines[0] < line) && (isListedToTheEnd(part) || (part.lines.length > 0 && part.lines.at(-1) >= line));

  const matchAfter = async (mine, line) => {
    let before = 0;
    for (let number = 0; number < mine.parts.length; number += 1) {
      const part = mine.parts[number];
      if (part.count && part.through > line) {
        if (!knowsAfter(part, line)) await learn(mine, part, line);
        const index = part.lines.findIndex((one) => one > line);
        if (index >= 0) return { line: part.lines[index], index: before + part.first + index };
      }
      before += part.count;
    }
    const index = mine.pending.findIndex((one) => one > line);
    return index < 0 ? null : { line: mine.pending[index], index: before + index };
  };

  const matchBefore = async (mine, line) => {
    const index = mine.pending.findLastIndex((one) => one < line);
    if (index >= 0) return { line: mine.pending[index], index: settled(mine) + index };
    for (let number = mine.parts.length - 1; number >= 0; number -= 1) {
      const part = mine.parts[number];
      if (!part.count || part.after >= line) continue;
      if (!knowsBefore(part, line)) {
        const known = mine.parts.length;
        await learn(mine, part, line - 1);
        if (mine.parts.length > known) {
          number += 2; // what is behind it first
          continue;
        }
      }
      const index = part.lines.findLastIndex((one) => one < line);
      if (index >= 0) return { line: part.lines[index], index: countBefore(mine, part) + part.first + index };
    }
    return null;
  };

  const countBefore = (mine, part) => mine.parts.slice(0, mine.parts.indexOf(part)).reduce((sum, one) => sum + one.count, 0);

  const step = async (mine) => {
    while (search === mine && mine.steps.length) {
      const isForward = mine.steps[0] > 0;
      const here = mine.current ? mine.current.line : (viewer.currentLine() ?? 1) - (isForward ? 1 : 0);
      const isSearched = mine.isDone || (mine.parts.length && mine.parts.at(-1).through >= here);
      let turn = "";
      let found = null;
      if (isForward) found = await matchAfter(mine, here);
      else if (isSearched) found = await matchBefore(mine, here);
      if (!found) {
        if (!mine.isDone) return; // the next answer goes on
        turn = isForward ? "fromStart" : "fromEnd";
        found = isForward ? await matchAfter(mine, 0) : await matchBefore(mine, Number.MAX_SAFE_INTEGER);
      }
      if (search !== mine) return;
      mine.steps.shift();
      if (!found) {
        mine.steps = [];
        return;
      }
      mine.current = { ...found, turn };
      sayWhere(mine);
      await viewer.goTo(found.line);
      draw();
      showMatch();
    }
  };
  const goOn = (mine) => {
    // One after the other, however quickly the key is pressed.
    mine.going = mine.going.then(() => step(mine)).catch((error) => {
      mine.steps = [];
      if (!(error instanceof Gone) && !mine.stopper.signal.aborted) throw error;
    });
    return mine.going;
  };
  const go = (direction) => {
    begin();
    if (!search) return;
    search.steps.push(direction);
    goOn(search);
  };

  // Marking what matches among the rows shown. Ranges of the CSS Custom Highlight API change nothing in the page, so
  // that what is selected stays selected. Where the browser has none, the lines are marked as a whole.
  //
  // Words are looked for here. Regular expressions are not: JavaScript's differ from Python's, and one that takes for
  // ever can be ended on the server, but not here. So the server is asked where they match in the lines shown.

  const canHighlight = "highlights" in CSS && typeof Highlight === "function";
  const allMatches = canHighlight ? new Highlight() : null;
  const currentMatch = canHighlight ? new Highlight() : null;
  if (canHighlight) {
    currentMatch.priority = 1;
    CSS.highlights.set("launcher-match", allMatches);
    CSS.highlights.set("launcher-match-current", currentMatch);
  }

  const shownRows = () => {
    const rows = [...viewer.rows()].filter((row) => row.offsetParent !== null); // none that is folded
    const box = output.getBoundingClientRect();
    const [top, bottom] = [box.top - box.height, box.bottom + box.height];
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom < top) low = middle + 1;
      else high = middle;
    }
    while (low > 0 && rows[low] && !rows[low].dataset.number) low -= 1; // a long line from its beginning
    let to = low;
    while (to < rows.length && rows[to].getBoundingClientRect().top <= bottom) to += 1;
    return rows.slice(low, to);
  };

  // The lines among some rows, by number: a long one has several rows.
  const linesOf = (rows) => {
    const lines = new Map();
    for (const row of rows) {
      const line = parseInt(row.dataset.number || row.dataset.key, 10);
      if (row.dataset.number) lines.set(line, [row]);
      else lines.get(line)?.push(row); // of a line without its beginning, places can't be told
    }
    return lines;
  };

  const textOf = (rows) => {
    const nodes = [];
    let text = "";
    for (const row of rows) {
      const walker = document.createTreeWalker(row.querySelector("code") || row, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        nodes.push({ node: walker.currentNode, start: text.length });
        text += walker.currentNode.data;
      }
    }
    return { nodes, text };
  };

  // As on the server: what has none of these signs is a word.
  const isPattern = ({ isRegex, text }) => isRegex && /[\\.^$*+?{}[\]|()]/.test(text);

  const fold = (text) => text.toLowerCase().replaceAll("ς", "σ");
  const placesOf = (mine, line, text) => {
    const { isExact } = mine.query;
    if (isPattern(mine.query)) return mine.marks.get(line)?.places ?? [];
    const [within, wanted] = isExact ? [text, mine.query.text] : [fold(text), fold(mine.query.text)];
    if (within.length !== text.length) return []; // a letter that has another length in lower case: places would be off
    const places = [];
    for (let start = within.indexOf(wanted); start >= 0 && places.length < MOST_LINE_MATCHES; start = within.indexOf(wanted, start + wanted.length)) {
      places.push([start, start + wanted.length]);
    }
    return places;
  };

  const rangeOf = (nodes, start, end) => {
    const at = (place) => {
      let number = nodes.length - 1;
      while (number > 0 && nodes[number].start >= place && place !== nodes[number].start) number -= 1;
      while (number > 0 && nodes[number].start > place) number -= 1;
      return nodes[number];
    };
    const [from, to] = [at(start), at(end)];
    const range = document.createRange();
    range.setStart(from.node, Math.min(start - from.start, from.node.length));
    range.setEnd(to.node, Math.min(end - to.start, to.node.length));
    return range;
  };

  const draw = () => {
    const mine = search;
    allMatches?.clear();
    currentMatch?.clear();
    output.querySelectorAll(".launcher-match, .launcher-match-current").forEach((row) => row.classList.remove("launcher-match", "launcher-match-current"));
    if (!mine) return;
    const lines = linesOf(shownRows());
    let count = 0;
    for (const [line, rows] of lines) {
      const isCurrent = mine.current !== null && mine.current.line === line;
      if (isCurrent) rows.forEach((row) => row.classList.add("launcher-match-current"));
      const { nodes, text } = textOf(rows);
      if (!nodes.length || count > SHOWN_RANGES) continue;
      const places = placesOf(mine, line, text).filter(([start, end]) => end <= text.length && start < end);
      if (!places.length) continue;
      if (!canHighlight) rows.forEach((row) => row.classList.add("launcher-match"));
      else for (const [start, end] of places) (isCurrent ? currentMatch : allMatches).add(rangeOf(nodes, start, end));
      count += places.length;
    }
    if (isPattern(mine.query)) askForMarks(mine, lines);
  };

  // Settled lines don't change, so they are asked about once; those at the end, whenever they have changed.
  const askForMarks = async (mine, lines) => {
    const missing = [...lines].filter(([line, rows]) => mine.marks.get(line)?.text !== textOf(rows).text).map(([line]) => line);
    if (mine.isMarking || !missing.length || !total(mine)) return;
    mine.isMarking = true;
    try {
      const [first, last] = [Math.min(...missing), Math.max(...missing)];
      const texts = new Map([...lines].map(([line, rows]) => [line, textOf(rows).text]));
      const { marks } = await ask(mine, { marks: `${first}-${last}` });
      for (const line of missing) mine.marks.set(line, { text: texts.get(line), places: marks[line] ?? [] });
    } catch (error) {
      if (!(error instanceof Gone) && !mine.stopper.signal.aborted) throw error;
      return;
    } finally {
      mine.isMarking = false;
    }
    if (search === mine) redraw();
  };

  let drawing = 0;
  const redraw = () => {
    if (drawing) return;
    drawing = setTimeout(() => {
      drawing = 0;
      draw();
    }, REDRAW_MS);
  };

  // A match far to the right of an unwrapped line, or far down in a long one.
  const showMatch = () => {
    const [range] = currentMatch ?? [];
    if (!range) return;
    const [box, place] = [output.getBoundingClientRect(), range.getBoundingClientRect()];
    if (place.left < box.left + 40 || place.right > box.right - 20) output.scrollLeft += place.left - box.left - box.width / 2;
    if (place.top < box.top || place.bottom > box.bottom) output.scrollTop += place.top - box.top - box.height / 3;
  };

  // What people do

  let typing = 0;
  const beginSoon = () => {
    clearTimeout(typing);
    typing = setTimeout(begin, TYPING_MS);
  };
  field.addEventListener("input", beginSoon);
  caseBox.addEventListener("change", begin);
  regexBox.addEventListener("change", begin);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(1);
  });
  previousButton.addEventListener("click", () => go(-1));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") { // who is quick has typed what no button knows of yet, and those are disabled
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && field.value) {
      event.preventDefault();
      clear();
    }
  });
  // Keys typed outside of fields, as far as the viewer has no use for them.
  document.addEventListener("launcher:key", (event) => {
    if (!search) return;
    if (event.detail.key === "n") go(1);
    else if (event.detail.key === "N") go(-1);
  });

  output.addEventListener("launcher:rows", () => {
    redraw();
    noteChange();
  });
  output.addEventListener("launcher:ended", noteChange);
  output.addEventListener("launcher:replaced", begin); // of the lines of stderr alone, others match
  output.addEventListener("scroll", () => search && redraw(), { passive: true });
  window.addEventListener("resize", redraw);

  previousButton.hidden = nextButton.hidden = false;
  previousButton.disabled = nextButton.disabled = true;
  begin();
})();
