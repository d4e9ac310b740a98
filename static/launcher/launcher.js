/* What the pages do besides htmx: ticking durations, answering, trying again, copying. No page needs it to work. */
"use strict";

(() => {
  const RETRY_MS = 2000;
  // In a form, an argument's field hides the form's own method of that name.
  const { closest, matches, querySelectorAll } = Element.prototype;

  // Durations

  const spoken = (seconds) => {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    const whole = Math.floor(seconds);
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    if (hours) return `${hours} h ${minutes} min`;
    return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
  };

  // The server says how long it has been; from there this clock goes on, so that the two need not agree on the time.
  const startedAt = new WeakMap();
  const tick = () => {
    document.querySelectorAll("[data-launcher-seconds]").forEach((element) => {
      if (!startedAt.has(element)) startedAt.set(element, performance.now() - 1000 * Number(element.dataset.launcherSeconds));
      element.textContent = spoken((performance.now() - startedAt.get(element)) / 1000);
    });
  };
  setInterval(tick, 500);

  // A head that is swapped takes the focus with it. htmx gives it to the same button, where there still is one.
  let hadFocus = false;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id === "launcher-run-head") hadFocus = event.detail.target.contains(document.activeElement);
  });
  document.addEventListener("htmx:afterSettle", () => {
    const head = document.getElementById("launcher-run-head");
    if (hadFocus && !head.contains(document.activeElement)) head.focus({ preventScroll: true });
    hadFocus = false;
  });

  // Answers. What is being typed stays for as long as its question does, and the focus never jumps to another question
  // under somebody's fingers: only who has just answered, and touched nothing since, goes on typing at the next one.

  const output = document.getElementById("launcher-output");
  const answerSaid = document.getElementById("launcher-answer-said");
  const promptArea = () => document.getElementById("launcher-prompt");
  let isGoingOn = false;
  let isPromptToFocus = false;
  let sentForm = null;
  const focusPrompt = () => (promptArea().querySelector("form") ? promptArea() : output).focus({ preventScroll: true });

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const area = event.detail.target;
    if (area.id !== "launcher-prompt") return;
    // A poll that was under way while an answer was sent may bring again what is here.
    if (event.detail.fragment.firstElementChild.dataset.launcherPrompt === area.dataset.launcherPrompt) return event.preventDefault();
    const field = area.querySelector("[name=answer]");
    // What is on its way just now may have been taken: its own answer will say so.
    if (field && field.value && field.form !== sentForm) answerSaid.textContent = answerSaid.dataset.gone;
    isPromptToFocus = area.contains(document.activeElement);
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (isPromptToFocus) focusPrompt();
    isPromptToFocus = false;
    const field = isGoingOn && promptArea().querySelector("[name=answer]");
    if (!field) return;
    isGoingOn = false;
    field.focus();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (matches.call(event.detail.elt, ".launcher-answer")) sentForm = event.detail.elt;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.requestConfig.elt;
    if (!matches.call(form, ".launcher-answer")) return;
    sentForm = null;
    if (!event.detail.successful) answerSaid.textContent = form.isConnected ? answerSaid.dataset.unsent : answerSaid.dataset.gone;
    if (form.isConnected) {
      // Not taken, so it can be sent again.
      form.querySelectorAll("[type=submit]").forEach((button) => (button.disabled = false));
      if (document.activeElement === document.body) form.querySelector("[name=answer]").focus({ preventScroll: true });
    } else {
      isGoingOn = !answerSaid.textContent;
      if (isGoingOn) output.focus({ preventScroll: true });
      else focusPrompt();
    }
    window.launcherViewer?.poll();
  });
  for (const name of ["keydown", "pointerdown", "wheel"]) {
    document.addEventListener(name, () => (isGoingOn = false), { passive: true });
  }
  document.addEventListener("input", (event) => {
    if (closest.call(event.target, ".launcher-answer")) answerSaid.textContent = "";
  });

  document.addEventListener("htmx:afterSettle", () => {
    tick();
    showCopyButtons();
  });

  // A server that restarts or is busy: whatever polls tries again, and says so. What polls for output is in viewer.js.

  const connection = document.getElementById("launcher-connection");
  let said = "";
  const say = (what) => {
    if (!connection || said === what) return;
    said = what;
    connection.textContent = what ? connection.dataset[what] : "";
  };
  const retry = (event) => {
    const element = event.detail.elt;
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (!element || !/launcher:retry/.test(element.getAttribute("hx-trigger") || "")) return;
    if (status >= 400 && status < 500) return say("gone"); // it would be refused again
    say("silent");
    setTimeout(() => window.htmx.trigger(element, "launcher:retry"), RETRY_MS);
  };
  document.addEventListener("htmx:sendError", retry);
  document.addEventListener("htmx:timeout", retry);
  document.addEventListener("htmx:responseError", retry);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (said === "silent" && event.detail.successful) say("");
  });

  // A list that nobody looks at is not kept up to date.

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.id === "launcher-states") event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    const states = document.getElementById("launcher-states");
    if (!document.hidden && states && states.hasAttribute("hx-get")) window.htmx.trigger(states, "launcher:retry");
  });

  // The line's preview is no upload: of a chosen file it only needs the name.

  document.addEventListener("htmx:configRequest", (event) => {
    const parameters = event.detail.formData;
    if (!parameters) return;
    for (const name of new Set(parameters.keys())) {
      const values = parameters.getAll(name);
      if (!values.some((value) => value instanceof File)) continue;
      parameters.delete(name);
      values.forEach((value) => parameters.append(name, value instanceof File ? value.name : value));
    }
  });

  // Two clicks are one run.

  document.addEventListener("submit", (event) => {
    if (!matches.call(event.target, "#content-main form[method=post]")) return;
    const buttons = querySelectorAll.call(event.target, "[type=submit]");
    setTimeout(() => buttons.forEach((button) => (button.disabled = true)));
    // The page may come back from the browser's memory by the back button.
    window.addEventListener("pageshow", () => buttons.forEach((button) => (button.disabled = false)), { once: true });
  });

  // A browser that goes back or reloads restores what was typed, but not the line that said so.

  window.addEventListener("pageshow", (event) => {
    const line = document.getElementById("launcher-line");
    const [navigation] = performance.getEntriesByType("navigation");
    const isRestored = event.persisted || !navigation || navigation.type !== "navigate";
    if (line && window.htmx && isRestored) window.htmx.trigger(line, "launcher:refresh");
  });

  // Copying

  const showCopyButtons = () => {
    if (!navigator.clipboard) return;
    document.querySelectorAll("[data-launcher-copy]").forEach((button) => {
      button.hidden = false;
    });
  };
  document.addEventListener("click", async (event) => {
    const button = closest.call(event.target, "[data-launcher-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.querySelector(button.dataset.launcherCopy).textContent.trim());
    button.dataset.launcherLabel ||= button.textContent;
    button.textContent = "✓";
    setTimeout(() => {
      button.textContent = button.dataset.launcherLabel;
    }, 1200);
  });
  showCopyButtons();
  tick();
})();
