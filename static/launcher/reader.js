/* What a reader does with the output: marks lines, copies, folds, looks when a line was written, wraps, presses keys.
   viewer.js has the rows and goes from place to place. */
"use strict";

(() => {
  const viewer = window.launcherViewer;
  if (!viewer) return;

  const output = viewer.element;
  const box = document.getElementById("launcher-viewer");
  const texts = output.dataset;
  const byId = (id) => document.getElementById(id);
  const numberOf = (row) => Number(row.dataset.number || 0);
  const fill = (text, ...values) => values.reduce((filled, value) => filled.replace(/%[ds]/, value), text);

  // What was chosen stays chosen, on all runs, where the browser lets it.
  const kept = (storage, name) => {
    try {
      return window[storage].getItem(name);
    } catch {
      return null;
    }
  };
  const keep = (storage, name, value) => {
    try {
      window[storage].setItem(name, value);
    } catch {
      // It is not kept, then.
    }
  };

  // Buttons

  const [followButton, errorsButton, wrapButton, keysButton] = ["follow", "errors", "wrap", "keys-button"].map((name) => byId(`launcher-${name}`));
  const press = (button, isPressed) => button.setAttribute("aria-pressed", String(isPressed));

  followButton.hidden = !("live" in texts);
  followButton.addEventListener("click", () => viewer.setFollowing(!viewer.isFollowing()));
  const showFollowing = () => press(followButton, viewer.isFollowing());
  output.addEventListener("launcher:follow", showFollowing);
  showFollowing();

  const setWrapping = (isOn) => {
    press(wrapButton, isOn);
    viewer.steadily(() => (texts.wrap = isOn ? "on" : "off"));
    keep("localStorage", "launcher-wrap", texts.wrap);
  };
  wrapButton.hidden = false;
  wrapButton.addEventListener("click", () => setWrapping(texts.wrap === "off"));
  if (kept("localStorage", "launcher-wrap") === "off") setWrapping(false);

  const plainly = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  const instead = (id, act) =>
    byId(id).addEventListener("click", (event) => {
      if (!plainly(event)) return;
      event.preventDefault();
      act();
    });
  instead("launcher-to-start", () => viewer.goToStart());
  instead("launcher-to-end", () => viewer.goToEnd());

  const toggleErrors = async () => {
    const isOn = !viewer.isErrorsOnly();
    press(errorsButton, isOn);
    await viewer.setErrorsOnly(isOn);
    keepInAddress();
  };
  instead("launcher-errors", toggleErrors);
  for (const link of box.querySelectorAll("a[role=button]")) {
    // A link that looks like a button is pressed like one.
    link.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      link.click();
    });
  }

  // Times. Written into an attribute, which the style sheet shows: what is copied has none.

  const timesField = byId("launcher-times");
  const TIMES = ["", "start", "clock"];
  const two = (number) => String(number).padStart(2, "0");
  const clock = (() => {
    const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    const day = { year: "numeric", month: "2-digit", day: "2-digit" };
    const make = (zone) => [new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }), new Intl.DateTimeFormat("sv-SE", { ...day, timeZone: zone })];
    try {
      return make(texts.zone);
    } catch {
      return make(undefined); // a zone that this browser does not know
    }
  })();
  const since = (seconds) => {
    const sign = seconds < 0 ? "−" : "+";
    const tenths = Math.round(Math.abs(seconds) * 10);
    const [whole, rest] = [Math.floor(tenths / 10), tenths % 10];
    const [hours, minutes, left] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    if (hours) return `${sign}${hours}:${two(minutes)}:${two(left)}.${rest}`;
    return minutes ? `${sign}${minutes}:${two(left)}.${rest}` : `${sign}${left}.${rest}`;
  };
  const timeOf = (row) => {
    const at = Number(row.dataset.at);
    if (!row.dataset.at) return "";
    const started = Number(texts.started || at);
    if (timesField.value === "start") return since(at - started);
    const [time, day] = clock;
    const tenth = Math.floor((at * 10) % 10);
    const said = `${time.format(at * 1000)}.${tenth}`;
    const date = day.format(at * 1000);
    return date === day.format(started * 1000) ? said : `${date} ${said}`;
  };
  let longest = 0;
  const showTimes = (some) => {
    if (!timesField.value) return;
    for (const row of some) {
      const text = timeOf(row);
      row.dataset.time = text;
      longest = Math.max(longest, text.length);
    }
    output.style.setProperty("--launcher-time", String(longest));
  };
  const setTimes = (value) => {
    timesField.value = value;
    longest = 0;
    viewer.steadily(() => {
      if (value) texts.times = value;
      else delete texts.times;
      showTimes(viewer.rows());
    });
    keep("localStorage", "launcher-times", value);
  };
  byId("launcher-times-label").hidden = false;
  timesField.addEventListener("change", () => setTimes(timesField.value));
  const keptTimes = kept("localStorage", "launcher-times");
  timesField.value = TIMES.includes(keptTimes) ? keptTimes : "";

  // Marked lines. They are in the address, so a link leads there; another address leads there, too.

  const place = byId("launcher-place");
  const copyLink = byId("launcher-link-here");
  let marked = null;

  const isMarked = (row) => {
    const line = numberOf(row) || Number((row.dataset.key || "0").split(".")[0]);
    return marked !== null && line >= marked[0] && line <= marked[1];
  };
  const showMarks = (some) => {
    for (const row of some) row.classList.toggle("launcher-row-marked", isMarked(row));
  };
  const hashOf = ([from, to]) => (from === to ? `#L${from}` : `#L${from}-L${to}`);
  const keepInAddress = () => {
    const query = new URLSearchParams(location.search);
    for (const name of ["line", "end", "after", "only"]) query.delete(name);
    if (viewer.isErrorsOnly()) query.set("only", "errors");
    const search = String(query) && `?${query}`;
    history.replaceState(history.state, "", `${location.pathname}${search}${marked ? hashOf(marked) : ""}`);
  };
  const mark = (lines) => {
    marked = lines;
    showMarks(viewer.rows());
    place.textContent = !lines ? "" : lines[0] === lines[1] ? fill(texts.lineOne, lines[0]) : fill(texts.lineMany, ...lines);
  };
  const select = async (from, to = from, { scroll = true } = {}) => {
    mark([Math.min(from, to), Math.max(from, to)]);
    keepInAddress();
    return scroll ? go(marked[0]) : null;
  };
  // In errors only, a line of which nothing came by stderr is not there; it was asked for by its number, so it is shown.
  const go = async (line) => {
    let row = await viewer.goTo(line);
    if (!row && viewer.isErrorsOnly() && line <= viewer.lastLine()) {
      press(errorsButton, false);
      await viewer.setErrorsOnly(false);
      keepInAddress();
      row = await viewer.goTo(line);
    }
    if (!row) tellMissing(line);
    return row;
  };
  const tellMissing = (line) => {
    const isToCome = "live" in texts && line > viewer.lastLine();
    place.textContent = fill(isToCome ? texts.noLineYet : texts.noLine, line);
  };

  const inHash = () => {
    const found = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(location.hash);
    if (!found || !Number(found[1])) return null;
    const [from, to] = [Number(found[1]), Number(found[2] || found[1])];
    return [Math.min(from, to), Math.max(from, to)];
  };
  window.addEventListener("hashchange", () => {
    const lines = inHash();
    mark(lines);
    if (lines) go(lines[0]);
  });

  output.addEventListener("click", (event) => {
    const link = event.target.closest(".launcher-number");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const line = numberOf(link.parentElement);
    viewer.setFollowing(false);
    if (event.shiftKey && marked) {
      const other = line >= marked[0] ? marked[0] : marked[1];
      document.getSelection().removeAllRanges(); // Shift selects text as well
      select(other, line, { scroll: false });
    } else select(line, line, { scroll: false });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-launcher-go-to]");
    if (!link || !plainly(event)) return;
    event.preventDefault();
    output.focus({ preventScroll: true });
    select(Number(link.dataset.launcherGoTo));
  });

  const linkHere = () => {
    const lines = marked || (viewer.currentLine() ? [viewer.currentLine(), viewer.currentLine()] : null);
    const only = viewer.isErrorsOnly() ? "&only=errors" : "";
    const where = lines ? `?line=${lines[0]}${only}${hashOf(lines)}` : only && "?only=errors";
    return `${location.origin}${location.pathname}${where}`;
  };
  const copy = async () => {
    await navigator.clipboard.writeText(linkHere());
    copyLink.dataset.label ||= copyLink.textContent;
    copyLink.textContent = "✓";
    viewer.announce(linkHere());
    setTimeout(() => (copyLink.textContent = copyLink.dataset.label), 1200);
  };
  copyLink.hidden = !navigator.clipboard;
  copyLink.addEventListener("click", copy);

  const goForm = byId("launcher-go");
  const goField = byId("launcher-go-line");
  goForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const line = Number(goField.value.replace(/\D/g, ""));
    if (!line) return;
    output.focus({ preventScroll: true });
    select(line);
  });

  // Copying: what was written, and nothing else. Parts of one line are one line; numbers, times and notices are no text.

  const textIn = (row, range) => {
    const code = row.querySelector("code");
    if (!code) return "";
    const part = document.createRange();
    part.selectNodeContents(code);
    if (range.comparePoint(part.startContainer, part.startOffset) < 0) part.setStart(range.startContainer, range.startOffset);
    if (range.comparePoint(part.endContainer, part.endOffset) > 0) part.setEnd(range.endContainer, range.endOffset);
    if (!code.contains(part.startContainer) || !code.contains(part.endContainer)) return "";
    return part.toString();
  };
  output.addEventListener("copy", (event) => {
    const selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    if (!output.contains(range.commonAncestorContainer)) return; // more than output
    const some = [...viewer.rows()].filter((row) => row.querySelector("code") && !row.classList.contains("launcher-folded") && range.intersectsNode(row.querySelector("code")));
    if (!some.length) return;
    const text = some.map((row, index) => (index && row.dataset.number ? "\n" : "") + textIn(row, range)).join("");
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  });

  // Groups: lines that a command writes as `::group::Title` and `::endgroup::`; in a shell they are plain lines. They are
  // found anew among the rows on the page whenever those change, so a group whose beginning is not there is none.

  const OPENING = /^::group::(.*)/;
  const CLOSING = /^::endgroup::/;
  const LEVEL = /^::(error|warning|notice)(?: [^:]*)?::/;
  const foldedKey = `launcher-folded:${location.pathname}`;
  const folded = new Set(JSON.parse(kept("sessionStorage", foldedKey) || "[]"));
  const groups = output.getElementsByClassName("launcher-group");
  const ends = output.getElementsByClassName("launcher-group-end");

  // Hide the marker at the beginning of a line, whose text is otherwise shown and copied as it is.
  const hideMarker = (code, length) => {
    const text = code.firstChild;
    if (!text || text.nodeType !== Node.TEXT_NODE || text.data.length < length) return;
    text.splitText(length);
    const hidden = document.createElement("span");
    hidden.className = "launcher-marker";
    text.replaceWith(hidden);
    hidden.append(text);
  };
  const recognise = (row) => {
    const code = row.dataset.number ? row.querySelector("code") : null;
    const text = code ? code.firstChild && code.textContent : "";
    if (!text || !text.startsWith("::")) return;
    const level = LEVEL.exec(text);
    if (level) {
      row.classList.add("launcher-level", `launcher-level-${level[1]}`);
      hideMarker(code, level[0].length);
    } else if (CLOSING.test(text)) row.classList.add("launcher-group-end");
    else if (OPENING.test(text) && !row.querySelector(".launcher-fold")) {
      const title = OPENING.exec(text)[1].trim() || "…";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "launcher-fold";
      button.setAttribute("aria-label", fill(texts.group, title));
      row.classList.add("launcher-group");
      row.querySelector("code").before(button);
      hideMarker(code, "::group::".length);
    }
  };
  const regroup = () => {
    if (!groups.length) {
      if (isGrouped) for (const row of viewer.rows()) ungroup(row);
      isGrouped = false;
      return;
    }
    isGrouped = true;
    const open = [];
    for (const row of viewer.rows()) {
      // An end without a beginning on the page belongs to a group that began before it.
      const isEnd = row.classList.contains("launcher-group-end") && open.length > 0;
      const isHidden = open.some((group) => group.isFolded);
      ungroup(row);
      row.classList.toggle("launcher-folded", isHidden);
      if (open.length) row.dataset.depth = String(Math.min(open.length, 6));
      open.forEach((group) => (group.count += 1));
      if (isEnd) finish(open.pop());
      if (row.classList.contains("launcher-group")) open.push({ row, isFolded: folded.has(numberOf(row)), count: 0 });
    }
    while (open.length) finish(open.pop());
  };
  const finish = ({ row, isFolded, count }) => {
    row.querySelector(".launcher-fold").setAttribute("aria-expanded", String(!isFolded));
    if (isFolded) row.dataset.lines = count === 1 ? texts.foldedOne : fill(texts.foldedMany, count);
    else delete row.dataset.lines;
  };
  const ungroup = (row) => {
    row.classList.remove("launcher-folded");
    delete row.dataset.depth;
  };
  let isGrouped = false;
  const setFolded = (row, isFolded) => {
    if (isFolded) folded.add(numberOf(row));
    else folded.delete(numberOf(row));
    keep("sessionStorage", foldedKey, JSON.stringify([...folded]));
    viewer.setFollowing(false);
    viewer.steadily(regroup, row);
  };
  output.addEventListener("click", (event) => {
    const button = event.target.closest(".launcher-fold");
    const title = event.target.closest(".launcher-group > code");
    if (!button && !(title && document.getSelection().isCollapsed)) return;
    const row = (button || title).parentElement;
    setFolded(row, !folded.has(numberOf(row)));
  });
  output.addEventListener("launcher:reveal", ({ detail: { row } }) => {
    if (!row || !row.classList.contains("launcher-folded")) return;
    // The groups around it are those that are open where it stands.
    const open = [];
    for (const other of viewer.rows()) {
      if (other === row) break;
      if (other.classList.contains("launcher-group-end")) open.pop();
      if (other.classList.contains("launcher-group")) open.push(other);
    }
    open.forEach((group) => folded.delete(numberOf(group)));
    keep("sessionStorage", foldedKey, JSON.stringify([...folded]));
    regroup();
  });

  output.addEventListener("launcher:rows", ({ detail: { rows } }) => dress(rows));
  const dress = (rows) => {
    rows.forEach(recognise);
    if (groups.length || ends.length || isGrouped) regroup();
    showTimes(rows);
    if (marked) showMarks(rows);
  };

  // Keys

  // Room. The output takes what the head of the page leaves of the window, if that is enough to read in, else a window of
  // its own further down; or, filling it, all of the window.

  const fillButton = byId("launcher-fill");
  const LEAST_ROOM_PX = 380;
  const MARGIN_PX = 20;
  const fit = () => {
    const dock = box.querySelector(".launcher-dock");
    const top = output.getBoundingClientRect().top + scrollY;
    const room = innerHeight - top - MARGIN_PX - (dock ? dock.offsetHeight : 0);
    if (room >= LEAST_ROOM_PX) output.style.setProperty("--launcher-room", `${Math.floor(room)}px`);
    else output.style.removeProperty("--launcher-room");
  };
  const setFilling = (isOn) => {
    press(fillButton, isOn);
    viewer.steadily(() => box.toggleAttribute("data-launcher-fills", isOn));
    // What is behind can't be reached by keyboard, either.
    for (let element = box; element !== document.body; element = element.parentElement) {
      for (const other of element.parentElement.children) {
        if (other !== element && !other.matches("[role=status], script")) other.inert = isOn;
      }
    }
  };
  const isFilling = () => box.hasAttribute("data-launcher-fills");
  fillButton.hidden = false;
  fillButton.addEventListener("click", () => setFilling(!isFilling()));
  window.addEventListener("resize", fit);
  // The head grows when a run starts, and when it has failed.
  new ResizeObserver(() => requestAnimationFrame(() => viewer.steadily(fit))).observe(byId("content-main"));

  const dialog = byId("launcher-keys");
  const keysOn = byId("launcher-keys-on");
  keysOn.checked = kept("localStorage", "launcher-keys") !== "off";
  keysOn.addEventListener("change", () => keep("localStorage", "launcher-keys", keysOn.checked ? "on" : "off"));
  keysButton.hidden = false;
  keysButton.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  const scrollLines = (count) => {
    output.scrollTop += count * parseFloat(getComputedStyle(output).lineHeight);
  };
  const focusField = (id) => {
    const field = byId(id);
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  };
  const ACTS = {
    "?": () => dialog.showModal(),
    j: () => scrollLines(1),
    k: () => scrollLines(-1),
    g: () => viewer.goToStart(),
    G: () => viewer.goToEnd(),
    l: () => focusField("launcher-go-line"),
    f: () => viewer.setFollowing(!viewer.isFollowing()),
    w: () => setWrapping(texts.wrap === "off"),
    t: () => setTimes(TIMES[(TIMES.indexOf(timesField.value) + 1) % TIMES.length]),
    e: toggleErrors,
    y: () => !copyLink.hidden && copy(),
    z: () => setFilling(!isFilling()),
    "/": () => focusField("launcher-search-field"),
  };
  const isField = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
    if (dialog.open) return;
    if (key === "Escape") {
      if (box.querySelector(".launcher-menu[open]")) return closeMenus();
      if (target === goField) output.focus({ preventScroll: true });
      else if (!isField(target) && marked) {
        mark(null);
        keepInAddress();
      } else if (!isField(target) && isFilling()) setFilling(false);
      return undefined;
    }
    if (isField(target)) return undefined;
    if (target === output && (key === "Home" || key === "End") && !event.shiftKey) {
      event.preventDefault();
      return key === "Home" ? viewer.goToStart() : viewer.goToEnd();
    }
    if (!keysOn.checked || key.length !== 1 || (event.repeat && !/^[jk]$/.test(key))) return undefined;
    if (ACTS[key]) {
      if (ACTS[key]() !== false) event.preventDefault();
    } else if (/^[a-zA-Z]$/.test(key)) tellKey(key);
    return undefined;
  });
  const tellKey = (key) => document.dispatchEvent(new CustomEvent("launcher:key", { detail: { key } }));

  // A menu closes when something else is used.
  const closeMenus = () => {
    for (const menu of box.querySelectorAll(".launcher-menu[open]")) {
      const hadFocus = menu.contains(document.activeElement);
      menu.open = false;
      if (hadFocus) menu.querySelector("summary").focus();
    }
  };
  document.addEventListener("click", (event) => {
    for (const menu of box.querySelectorAll(".launcher-menu[open]")) if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  });

  Object.assign(viewer, { select });

  viewer.steadily(fit);

  // What the page came with: rows, and perhaps a line to go to.
  dress([...viewer.rows()]);
  if (timesField.value) setTimes(timesField.value);
  const asked = new URLSearchParams(location.search);
  const isPlain = !["line", "end", "after", "only"].some((name) => asked.has(name));
  if (inHash()) {
    mark(inHash());
    viewer.goTo(marked[0]).then((row) => row || viewer.isErrorsOnly() || tellMissing(marked[0]));
  } else if (Number(asked.get("line"))) viewer.goTo(Number(asked.get("line")));
  else if (isPlain && texts.launcherOpenAt) viewer.goTo(Number(texts.launcherOpenAt));
  else if (viewer.isFollowing()) viewer.setFollowing(true);
})();
