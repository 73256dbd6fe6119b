// Small behaviours of the pages, each bound by a data attribute and none needed to use them.
// Listeners sit on the document, so that what htmx brings in later works without rebinding.
// No inline handlers, no eval: the pages run under `script-src 'self'`.
"use strict";

(() => {
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  // Theme: "light", "dark" or "system"; theme.js applied the stored one before the first paint.
  const systemDark = matchMedia("(prefers-color-scheme: dark)");

  function showTheme(wanted) {
    root.dataset.theme = wanted;
    root.dataset.bsTheme = wanted === "system" ? (systemDark.matches ? "dark" : "light") : wanted;
    for (const button of $$("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === wanted));
    }
    document.dispatchEvent(new CustomEvent("themechange", { detail: root.dataset.bsTheme }));
  }

  function chooseTheme(wanted) {
    try {
      localStorage.setItem("theme", wanted);
    } catch {
      // Without storage the choice holds for this page only.
    }
    showTheme(wanted);
  }

  systemDark.addEventListener("change", () => showTheme(root.dataset.theme));
  window.addEventListener("storage", (event) => {
    if (event.key === "theme") showTheme(event.newValue || "system");
  });

  // Sidebar at phone width: a drawer that gives the focus back when it closes.
  function setNav(open) {
    const toggle = $("[data-nav-toggle]");
    if (!toggle || toggle.getAttribute("aria-expanded") === String(open)) return;
    document.body.classList.toggle("nav-open", open);
    toggle.setAttribute("aria-expanded", String(open));
    $(".main-column > main")?.toggleAttribute("inert", open);
    if (open) $(".sidebar a")?.focus();
    else toggle.focus();
  }

  // Menus are <details class="menu">: only one open, closed by a click elsewhere or Escape.
  function closeMenus(except) {
    for (const menu of $$("details.menu[open]")) if (menu !== except) menu.open = false;
  }

  // Toasts. Good news leaves by itself; bad news stays until it is dismissed.
  const TOAST_MS = 6000;
  const LEVELS = { debug: "info", info: "info", success: "ok", warning: "warn", error: "bad" };

  function armToast(note) {
    if (note.dataset.level === "bad" || note.dataset.level === "warn") return;
    let timer = 0;
    const wait = () => { timer = setTimeout(() => note.remove(), TOAST_MS); };
    const hold = () => clearTimeout(timer);
    for (const type of ["mouseenter", "focusin"]) note.addEventListener(type, hold);
    for (const type of ["mouseleave", "focusout"]) note.addEventListener(type, wait);
    wait();
  }

  function toast(text, level = "info") {
    const tone = LEVELS[level] || level;
    const template = $("#toast-template");
    const stack = $(tone === "bad" ? "#toasts-urgent" : "#toasts");
    if (!template || !stack) return;
    const note = template.content.firstElementChild.cloneNode(true);
    note.dataset.level = tone;
    for (const icon of $$("[data-for]", note)) {
      if (icon.dataset.for !== tone) icon.remove();
    }
    $(".toast-text", note).textContent = text;
    stack.append(note);
    armToast(note);
  }

  // Copy buttons: data-copy="text" or data-copy-from="#element".
  async function copy(button) {
    const source = button.dataset.copyFrom && $(button.dataset.copyFrom);
    const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text.trim());
    } catch {
      // No clipboard on plain http: select the text, so that one key press copies it.
      if (source) getSelection().selectAllChildren(source);
      toast(button.dataset.copyFailed || "Press Ctrl+C to copy", "warning");
      return;
    }
    const label = $("[data-copy-label]", button);
    if (!label) return toast(button.dataset.copied || "Copied", "success");
    const before = label.dataset.before ?? label.textContent;
    label.dataset.before = before;
    label.textContent = button.dataset.copied || "Copied";
    setTimeout(() => { label.textContent = before; }, 2000);
  }

  // Confirmation: data-confirm on a button, a form or an htmx element (hx-confirm works too).
  function ask({ title, detail, action, danger }) {
    const dialog = $("#confirm-dialog");
    $("[data-confirm-title]", dialog).textContent = title;
    const text = $("[data-confirm-detail]", dialog);
    text.textContent = detail || "";
    text.hidden = !detail;
    const ok = $("[data-confirm-ok]", dialog);
    ok.textContent = action || ok.dataset.default;
    ok.classList.toggle("btn-danger", danger);
    ok.classList.toggle("btn-primary", !danger);
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok"), { once: true });
    });
  }

  const question = (element) => ({
    title: element.dataset.confirm,
    detail: element.dataset.confirmDetail,
    action: element.dataset.confirmAction,
    danger: element.dataset.confirmTone === "danger",
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const asker = [event.submitter, form].find((element) => element?.dataset.confirm);
    if (!asker || asker.hasAttribute("hx-post") || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask(question(asker)))) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
    delete form.dataset.confirmed;
  }, true);

  document.addEventListener("htmx:confirm", async (event) => {
    const { elt } = event.detail;
    const title = event.detail.question || elt.dataset.confirm;
    if (!title) return;
    event.preventDefault();
    if (await ask({ ...question(elt), title })) event.detail.issueRequest(true);
  });

  // Forms: data-guard warns before entered text is lost; every POST form is sent only once.
  const changed = new Set();

  function markChanged(event) {
    const form = event.target.form;
    if (form?.hasAttribute("data-guard")) changed.add(form);
  }
  document.addEventListener("input", markChanged);
  document.addEventListener("change", markChanged);
  document.addEventListener("reset", (event) => changed.delete(event.target));

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method")?.toLowerCase() !== "post") return;
    if (form.dataset.sending) return event.preventDefault();
    changed.delete(form);
    if (form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete]")) return;
    form.dataset.sending = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });

  window.addEventListener("beforeunload", (event) => {
    for (const form of changed) if (form.isConnected) event.preventDefault();
  });

  // A page restored by the Back button may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of $$("form[data-sending]")) delete form.dataset.sending;
    for (const button of $$("[aria-busy='true']")) button.removeAttribute("aria-busy");
  });

  // htmx: an answer that did not come must not look like success, and loses nothing entered.
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("form[data-guard]");
    if (form && !event.detail.successful) changed.add(form);
  });
  const failure = (key) => $("#toast-template")?.dataset[key];
  document.addEventListener("htmx:sendError", () => toast(failure("offline"), "error"));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    toast(failure(status === 403 ? "forbidden" : "failed"), "error");
  });
  // Server: HX-Trigger: {"toast": {"message": "...", "level": "success"}}
  document.addEventListener("toast", (event) => {
    toast(event.detail.message, event.detail.level);
  });

  // Times: <time datetime data-relative> reads "4 minutes ago", its title the absolute time.
  const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [30, "day"], [12, "month"]];
  const locale = root.lang || "en";
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

  function relative(at) {
    let amount = (at - Date.now()) / 1000;
    if (Math.abs(amount) < 10) return words.format(0, "second");
    for (const [size, unit] of STEPS) {
      if (Math.abs(amount) < size) return words.format(Math.round(amount), unit);
      amount /= size;
    }
    return words.format(Math.round(amount), "year");
  }

  function showTimes(from = document) {
    for (const element of $$("time[data-relative]", from)) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      element.title = full.format(at);
      element.textContent = relative(at);
    }
  }
  setInterval(showTimes, 30_000);

  // JSON: colours for keys, texts, numbers and literals, without ever parsing markup.
  const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
  const COLOUR_LIMIT = 200_000;

  function tokenClass([whole, text, colon]) {
    if (text) return colon ? "j-key" : "j-str";
    return /^[tfn]/.test(whole) ? "j-lit" : "j-num";
  }

  function colourJson(code) {
    const text = code.textContent;
    code.removeAttribute("data-json");
    if (text.length > COLOUR_LIMIT) return;
    const parts = document.createDocumentFragment();
    let end = 0;
    for (const match of text.matchAll(TOKEN)) {
      const span = document.createElement("span");
      span.className = tokenClass(match);
      span.textContent = match[0];
      parts.append(text.slice(end, match.index), span);
      end = match.index + match[0].length;
    }
    parts.append(text.slice(end));
    code.replaceChildren(parts);
  }

  // Ticking the head of a table ticks its rows; [data-selected-count] says how many.
  function selectRows(box) {
    const form = box.form ?? box.closest("table");
    const rows = $$("input[data-row-check]", form);
    if (box.matches("[data-check-all]")) for (const row of rows) row.checked = box.checked;
    const count = rows.filter((row) => row.checked).length;
    const head = $("input[data-check-all]", form);
    if (head) {
      head.checked = count > 0 && count === rows.length;
      head.indeterminate = count > 0 && count < rows.length;
    }
    for (const place of $$("[data-selected-count]", form)) place.textContent = count;
    for (const button of $$("[data-needs-selection]", form)) button.disabled = count === 0;
  }

  function enhance(from) {
    showTimes(from);
    for (const code of $$("code[data-json]", from)) colourJson(code);
    if (!window.TomSelect) return;
    for (const select of $$("select[data-search-select]:not(.tomselected)", from)) {
      new window.TomSelect(select, { maxOptions: 500, plugins: ["dropdown_input"] });
    }
  }

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    const menu = at("details.menu");
    closeMenus(menu);
    const theme = at("[data-theme-choice]");
    if (theme) chooseTheme(theme.dataset.themeChoice);
    if (at("[data-nav-toggle]")) setNav(!document.body.classList.contains("nav-open"));
    else if (at("[data-nav-close]")) setNav(false);
    const copier = at("[data-copy], [data-copy-from]");
    if (copier) copy(copier);
    at("[data-dismiss]")?.closest(".toast-note, .notice")?.remove();
    const opener = at("[data-dialog-open]");
    if (opener) $(`#${CSS.escape(opener.dataset.dialogOpen)}`)?.showModal();
    const closer = at("[data-dialog-close]");
    if (closer) closer.closest("dialog").close();
    if (event.target.matches("dialog.dialog")) event.target.close();
    const eye = at("[data-show-password]");
    if (eye) {
      const field = $(`#${CSS.escape(eye.dataset.showPassword)}`);
      const show = field.type === "password";
      field.type = show ? "text" : "password";
      eye.setAttribute("aria-pressed", String(show));
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-check-all], [data-row-check]")) selectRows(event.target);
    if (event.target.matches("select[data-autosubmit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = $("details.menu[open]");
      if (menu) {
        closeMenus();
        $("summary", menu).focus();
      } else setNav(false);
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = $("[data-search]") || $("input[type='search']");
    if (!search || $("dialog[open]")) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  document.addEventListener("htmx:load", (event) => enhance(event.detail.elt.parentElement || document));
  showTheme(root.dataset.theme || "system");
  enhance(document);
  for (const note of $$(".toast-note")) armToast(note);
})();
