/* What a command's form does besides htmx: rows to add and move, what is changed, finding one of many. No form needs it to work. */
"use strict";

(() => {
  const form = document.getElementById("launcher-form");
  if (!form) return;
  // In a form, an argument's field hides the form's own property of that name, so its methods are taken from the prototype.
  const query = (selector, root = form) => [...Element.prototype.querySelectorAll.call(root, selector)];
  const first = (selector, root = form) => Element.prototype.querySelector.call(root, selector);
  const CONTROLS = "input, textarea, select";
  const MOST_ROWS = 100;

  const controlsOf = (field) =>
    query(CONTROLS, field).filter((control) => control.closest("[data-launcher-field]") === field && control.type !== "hidden");

  // What is changed

  const isTouched = (control) => {
    if (control.type === "checkbox" || control.type === "radio") return control.checked && (control.type === "checkbox" || control.value !== "");
    if (control.multiple && control.options) return control.selectedOptions.length > 0;
    return control.value !== "" || (control.validity && control.validity.badInput);
  };
  const showChanged = (field) => {
    const isChanged = controlsOf(field).some(isTouched);
    field.classList.toggle("launcher-changed", isChanged);
    const button = first("[data-launcher-reset]", field);
    if (button) button.hidden = !isChanged;
  };
  const fieldOf = (element) => element.closest("[data-launcher-field]");

  const clear = (control) => {
    if (control.type === "checkbox") control.checked = false;
    else if (control.type === "radio") control.checked = control.value === "";
    else if (control.multiple && control.options) [...control.options].forEach((option) => (option.selected = false));
    else control.value = "";
    if (control.matches("[data-launcher-searched]") && window.django && window.django.jQuery) window.django.jQuery(control).trigger("change.select2");
  };
  const tell = (element, type = "change") => element.dispatchEvent(new Event(type, { bubbles: true }));

  const reset = (field) => {
    query("[data-launcher-rows]", field).forEach((rows) => query("[data-launcher-row]", rows).slice(1).forEach((row) => row.remove()));
    const controls = controlsOf(field);
    controls.forEach(clear);
    query("ul.errorlist", field).forEach((list) => list.remove());
    const control = controls.find((each) => each.offsetParent) || controls[0];
    if (control) {
      control.focus({ preventScroll: true });
      tell(control);
    }
  };

  // Rows

  const number = (rows) => {
    const list = first("[data-launcher-list]", rows);
    query("input[name$='__empty']", list).forEach((box, index) => (box.value = String(index)));
    const all = query("[data-launcher-row]", list);
    all.forEach((row, index) => {
      const up = first("[data-launcher-move='-1']", row);
      const down = first("[data-launcher-move='1']", row);
      if (up) up.disabled = index === 0;
      if (down) down.disabled = index === all.length - 1;
    });
  };
  const addRow = (rows, after = null) => {
    const list = first("[data-launcher-list]", rows);
    const made = first("template", rows).content.cloneNode(true).firstElementChild;
    if (after) after.after(made);
    else list.append(made);
    enhance(made);
    number(rows);
    return made;
  };
  const textOf = (row) => first("input:not([type=checkbox]), textarea, select", row);

  const pasteLines = (rows, row, lines) => {
    const field = fieldOf(rows);
    const many = first("textarea[name$='__lines']", rows);
    if (lines.length > MOST_ROWS && many) {
      many.closest("details").open = true;
      many.value = [many.value, ...lines].filter(Boolean).join("\n");
      tell(many, "input");
      return;
    }
    let current = row;
    lines.forEach((line, index) => {
      if (index) current = addRow(rows, current);
      textOf(current).value = line;
    });
    textOf(current).focus();
    showChanged(field);
    tell(textOf(current), "input");
  };

  document.addEventListener("paste", (event) => {
    const control = event.target;
    if (!(control instanceof HTMLInputElement) || !form.contains(control) || !["text", "number", "password"].includes(control.type)) return;
    const text = event.clipboardData ? event.clipboardData.getData("text") : "";
    const lines = text.replace(/\r\n?/g, "\n").split("\n");
    if (lines.length < 2 || !fieldOf(control)) return;
    event.preventDefault();
    if (lines.length === 2 && lines[1] === "") {
      // A line or a cell copied whole: the break at its end is none of the value's.
      document.execCommand("insertText", false, lines[0]);
      return;
    }
    const row = control.closest("[data-launcher-row]");
    const rows = control.closest("[data-launcher-rows]");
    if (rows && row && query(CONTROLS, row).filter((each) => each.type !== "checkbox").length === 1) {
      pasteLines(rows, row, lines.filter((line) => line !== ""));
      return;
    }
    // One line would lose the breaks, and a number would become another: the input becomes one of several lines.
    const area = document.createElement("textarea");
    [...control.attributes].forEach(({ name, value }) => name !== "type" && name !== "value" && area.setAttribute(name, value));
    area.className = `vLargeTextField launcher-code${control.type === "password" ? " launcher-masked" : ""}`;
    area.rows = Math.min(lines.length + 1, 12);
    const { selectionStart, selectionEnd, value } = control;
    // A number's input does not tell what is selected in it.
    area.value = selectionStart === null ? lines.join("\n") : value.slice(0, selectionStart) + lines.join("\n") + value.slice(selectionEnd);
    control.replaceWith(area);
    area.focus();
    tell(area, "input");
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !form.contains(button)) return;
    if (button.matches("[data-launcher-reset]")) return reset(fieldOf(button));
    if (button.matches("[data-launcher-step]")) {
      const input = first("input[type=number]", button.parentElement);
      input.value = String(Math.max(0, Number(input.value || 0) + Number(button.dataset.launcherStep)));
      if (input.value === "0") input.value = "";
      return tell(input, "input");
    }
    const rows = button.closest("[data-launcher-rows]");
    if (!rows) return;
    if (button.matches("[data-launcher-add]")) textOf(addRow(rows)).focus();
    const row = button.closest("[data-launcher-row]");
    if (button.matches("[data-launcher-remove]")) {
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      textOf(next || addRow(rows)).focus();
    }
    if (button.matches("[data-launcher-move]")) {
      const isUp = button.dataset.launcherMove === "-1";
      const other = isUp ? row.previousElementSibling : row.nextElementSibling;
      if (other) other[isUp ? "before" : "after"](row);
      number(rows); // first: a button that it disables would take the focus along
      (button.disabled ? textOf(row) : button).focus();
    }
    number(rows);
    showChanged(fieldOf(rows));
    tell(rows);
  });

  // Typing

  form.addEventListener("input", (event) => {
    const control = event.target;
    const alternative = control.closest("[data-launcher-alternative]");
    if (alternative && control.type !== "radio" && isTouched(control)) first("input[type=radio]", alternative).checked = true;
    const cell = control.closest("[data-launcher-row], .launcher-cell, .launcher-text");
    const empty = cell && control.type !== "checkbox" && first("input[name$='__empty']", cell);
    if (empty && control.value !== "") empty.checked = false;
  });
  form.addEventListener("change", (event) => {
    const control = event.target;
    const group = control.closest("[data-launcher-alternatives]");
    if (group && control.type === "radio" && control.value === "") query(CONTROLS, group).filter((each) => each.type !== "radio").forEach(clear);
    if (control.matches("[data-launcher-subcommand]")) showSubcommand(control);
  });
  // A date half typed is no input yet: it is only seen when its field is left.
  ["input", "change", "focusout"].forEach((type) => form.addEventListener(type, (event) => {
    let field = fieldOf(event.target);
    while (field) {
      showChanged(field);
      field = field.parentElement && fieldOf(field.parentElement);
    }
  }));

  // A sub-command brings its own fields

  const showSubcommand = (select) => {
    const target = first(":scope > [data-launcher-sub]", fieldOf(select));
    const place = `#${CSS.escape(target.id)}`;
    target.setAttribute("aria-busy", "true");
    window.htmx.ajax("POST", form.dataset.launcherFields, { source: select, target, swap: "outerHTML", select: place });
  };

  // A list of many choices is searched with the admin's own script

  const search = (root) => {
    const jQuery = window.django && window.django.jQuery;
    if (!jQuery || !jQuery.fn.select2) return;
    const found = root.matches && root.matches("[data-launcher-searched]") ? [root] : query("[data-launcher-searched]", root);
    found.forEach((select) => {
      if (select.classList.contains("select2-hidden-accessible")) return;
      const options = { theme: "admin-autocomplete", width: "100%", dropdownAutoWidth: true };
      jQuery(select).select2(options).on("select2:select select2:unselect", () => {
        tell(select, "input");
        tell(select);
      });
    });
  };

  const enhance = (root) => {
    query("[data-launcher-add], .launcher-row-buttons, [data-launcher-step]", root).forEach((element) => (element.hidden = false));
    query("[data-launcher-rows]", root).forEach(number);
    query("[data-launcher-field]", root).forEach(showChanged);
    search(root);
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.matches && form.contains(event.detail.elt) && event.detail.elt.id !== "launcher-line") {
      enhance(form);
      window.htmx.trigger("#launcher-line", "launcher:refresh");
    }
  });

  // What a browser can't read as a number or a date it would not send at all

  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    query("ul.launcher-bad-input").forEach((list) => list.remove());
    const bad = query(CONTROLS).filter((control) => control.validity && control.validity.badInput);
    if (!bad.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    bad.forEach((control) => {
      const list = document.createElement("ul");
      list.className = "errorlist launcher-bad-input";
      list.setAttribute("role", "alert");
      const item = document.createElement("li");
      item.textContent = control.validationMessage || form.dataset.launcherBadInput;
      list.append(item);
      control.before(list);
      const details = control.closest("details");
      if (details) details.open = true;
    });
    bad[0].focus();
  }, true);

  // A browser that goes back restores no row that was added, and not every text: what was typed is kept beside the
  // page's entry in its history, less secrets and files, and the server draws the form from it again.

  const KEEP_MS = 300;
  const isKept = (name) => {
    if (/^csrf|^launcher_(uploads|preset|confirm)/.test(name)) return false;
    if (name === "launcher_extra") return !("launcherSecrets" in form.dataset);
    return !query(CONTROLS).some((control) => control.name === name && (control.type === "password" || control.closest("[data-launcher-secret]")));
  };
  const keep = () => {
    const pairs = [...new FormData(form)].filter(([name, value]) => !(value instanceof File) && isKept(name));
    try {
      history.replaceState({ ...history.state, launcherForm: pairs }, "");
    } catch {
      // Too much for a history: then it is typed again.
    }
  };
  let keeping = 0;
  ["input", "change"].forEach((type) => form.addEventListener(type, () => {
    clearTimeout(keeping);
    keeping = setTimeout(keep, KEEP_MS);
  }));
  form.addEventListener("submit", keep);

  const restore = async (pairs) => {
    const data = new FormData();
    pairs.forEach(([name, value]) => data.append(name, value));
    data.append("csrfmiddlewaretoken", first("input[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(form.dataset.launcherFields, { method: "POST", body: data, headers: { "HX-Request": "true" } });
    if (answer.status !== 200) return;
    document.getElementById("launcher-sections").innerHTML = await answer.text();
    const extra = pairs.find(([name]) => name === "launcher_extra");
    if (extra && extra[1]) {
      const area = first("textarea[name=launcher_extra]");
      area.value = extra[1];
      area.closest("details").open = true;
    }
    enhance(form);
    if (window.htmx) window.htmx.trigger("#launcher-line", "launcher:refresh");
  };
  const [navigation] = performance.getEntriesByType("navigation");
  const kept = navigation && navigation.type === "back_forward" && history.state && history.state.launcherForm;
  if (kept) {
    form.inert = true; // nobody shall run it before it says again what was typed
    window.addEventListener("pageshow", async () => {
      try {
        await restore(kept);
      } finally {
        form.inert = false;
      }
    }, { once: true });
  }

  // Finding one of many

  const filter = document.getElementById("launcher-filter");
  if (filter) {
    filter.hidden = false;
    const text = document.getElementById("launcher-filter-text");
    const changedOnly = document.getElementById("launcher-filter-changed");
    const none = document.getElementById("launcher-filter-none");
    const closed = new WeakSet();
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const isOn = words.length > 0 || changedOnly.checked;
      let count = 0;
      query("[data-launcher-field]").forEach((field) => {
        const isFound = words.every((word) => field.dataset.launcherWords.includes(word)) && (!changedOnly.checked || field.classList.contains("launcher-changed"));
        const isKept = isFound || query("[data-launcher-field]", field).some((inner) => !inner.hidden);
        field.hidden = isOn && !isKept;
        if (!field.hidden) count += 1;
      });
      query("[data-launcher-section]").forEach((section) => {
        const details = first(":scope > details", section);
        section.hidden = isOn && !query("[data-launcher-field]", section).some((field) => !field.hidden);
        if (!details) return;
        if (isOn && !details.open && !section.hidden) {
          closed.add(details);
          details.open = true;
        } else if (!isOn && closed.has(details)) {
          closed.delete(details);
          details.open = false;
        }
      });
      none.textContent = isOn && !count ? none.dataset.none : "";
    };
    text.addEventListener("input", apply);
    changedOnly.addEventListener("change", apply);
    text.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  }

  enhance(form);
})();
