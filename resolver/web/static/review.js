/* Keys. One listener, one queue: each key carries the cluster and version that were on the screen when it was
   pressed. A key that decides does nothing unless they still are. Everything else is the server's. */
(() => {
  "use strict";
  const all = (s, root = document) => [...root.querySelectorAll(s)], one = (s, root = document) => root.querySelector(s);
  const app = () => document.getElementById("app"), dialog = () => document.getElementById("keys");
  const shown = () => `${app().dataset.cluster || ""}@${app().dataset.version || ""}`;
  let queue = [], busy = false, fast = 0, paintedAt = performance.now(), ignored = 0, last = null, failed = 0, cursor = null, pair = 0, mouse = 0, slow = 0, opened = null;

  const say = (text) => { const at = one("#say"); if (at) at.textContent = text; one("#live").textContent = text; };
  const plural = (n) => `${n} key${n === 1 ? "" : "s"}`;
  const alarm = (text) => { const at = one("#alarm"); at.textContent = text; at.hidden = !text; };

  /* ---- what the screen can do by itself ---- */
  const cells = () => all("#table tbody:not([hidden]) tr[data-row-field]").map((r) => all("td[data-field]:not(.more)", r).filter((c) => c.offsetParent));
  const mark = () => {
    all("td.cur").forEach((c) => c.classList.remove("cur"));
    const region = one("#table"); if (!region) return;
    region.removeAttribute("aria-activedescendant");
    if (!cursor) return;
    const cell = all("#table td[data-field]").find((c) => c.dataset.field === cursor.field && c.dataset.profile === cursor.profile);
    if (!cell) { cursor = null; return; }
    cell.classList.add("cur"); region.setAttribute("aria-activedescendant", cell.id); cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    one("#live").textContent = `${cell.dataset.field}: ${cell.textContent}`;
  };
  const move = (down, right) => {
    const grid = cells(); if (!grid.length) return;
    let row = grid.findIndex((r) => r.some((c) => c.classList.contains("cur"))), col = row < 0 ? 0 : grid[row].findIndex((c) => c.classList.contains("cur"));
    if (row < 0) row = 0; else { row = Math.max(0, Math.min(grid.length - 1, row + down)); col = Math.max(0, Math.min(grid[row].length - 1, col + right)); }
    const cell = grid[row][col]; cursor = { cluster: app().dataset.cluster, field: cell.dataset.field, profile: cell.dataset.profile }; mark();
  };
  const choosePair = (step, at) => {
    const tabs = all("[data-pair]"); if (!tabs.length) return;
    pair = at === undefined ? (pair + step + tabs.length) % tabs.length : at;
    tabs.forEach((t, n) => { t.setAttribute("aria-selected", String(n === pair)); t.tabIndex = n === pair ? 0 : -1; one("#" + t.getAttribute("aria-controls")).hidden = n !== pair; });
    one("#why-title").textContent = "Why " + tabs[pair].dataset.name;
  };
  const equal = () => {
    const body = one("#equal"), names = one("#empties"), button = one('[data-do="equal"]'); if (!button) return;
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open)); button.firstChild.textContent = open ? "Fold them " : "Show them ";
    if (body) body.hidden = !open; if (names) names.hidden = !open;
  };
  const rows = () => all("tr[data-row]");
  const opener = (row) => { const open = one("#open"), link = one("a", row); if (open && link) { open.href = link.getAttribute("href"); one("[data-name]", open).textContent = link.textContent; } };
  const pattern = (step) => {
    const list = rows(); if (!list.length) return;
    const at = list.findIndex((r) => r.classList.contains("cur")), to = Math.max(0, Math.min(list.length - 1, (at < 0 ? 0 : at + step)));
    list.forEach((r, n) => { r.classList.toggle("cur", n === to); r.toggleAttribute("aria-current", n === to); if (n === to) r.setAttribute("aria-current", "true"); });
    opener(list[to]); list[to].scrollIntoView({ block: "nearest" }); sessionStorage.setItem("row", list[to].dataset.row);
    one("#live").textContent = list[to].cells[0].textContent;
  };
  const keys = () => { opened = document.activeElement; dialog().showModal(); one("#keys-title").focus(); };
  const note = () => { const form = one("#note-form"); if (!form) return; form.hidden = false; one("#note").focus(); };
  const draft = (action, value = "", field = "", profile = "") => {
    const form = one("#draft"); if (!form) return false;
    form.elements.action.value = action; form.elements.value.value = value; form.elements.field.value = field; form.elements.profile.value = profile;
    form.requestSubmit(); return true;
  };
  const local = {
    l: () => { const list = one("#others summary"); if (list) list.click(); },
    "?": keys, w: () => choosePair(1), W: () => choosePair(-1), e: equal, c: note,
    "/": () => { const q = one("#q"); if (q) q.focus(); else location.assign("/"); },
    ArrowDown: () => (rows().length ? pattern(1) : move(1, 0)), ArrowUp: () => (rows().length ? pattern(-1) : move(-1, 0)),
    ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1),
  };
  const edits = {
    v: () => cursor && draft("source", "", cursor.field, cursor.profile), p: () => cursor && draft("main", "", "", cursor.profile),
    o: () => cursor && draft("keep", "", cursor.field, cursor.profile),
    x: () => draft("detach", "", "", cursor ? cursor.profile : ""), Backspace: () => one("#split") && draft("back"),
    r: () => draft("reset"),
  };
  if (app().dataset.screen === "cluster") for (let n = 0; n <= 9; n += 1) edits[n] = () => draft("group", String(n));

  /* ---- the queue ---- */
  const pump = () => {
    while (!busy && queue.length) run(queue.shift());
    if (!busy && ignored) { say(`${plural(ignored)} ignored. That cluster was already decided.`); ignored = 0; }
  };
  const run = (press) => {
    const { key } = press;
    if (key === "r" && failed && last) { failed = 0; alarm(""); last(); return; }
    const button = all(`[data-key="${CSS.escape(key)}"]`, app()).find((b) => !b.disabled);
    if (key === "Enter" && !button && rows().length) { const link = one("tr.cur a") || one("tr[data-row] a"); if (link) link.click(); return; }
    if (key === "z" && !button) { const undo = one("tr.cur button"); if (undo) undo.click(); return; }
    if (key === "Escape" && !button && one("#split")) { draft("leave"); return; }
    if (button) {
      if (button.hasAttribute("data-decides") || button.hasAttribute("data-edits")) {
        if (press.shown !== shown()) { ignored += 1; return; }
        const arm = Number(app().dataset.arm);
        if (button.hasAttribute("data-decides") && press.at - paintedAt < arm) { fast += 1; say(`Too fast: ${plural(fast)} ignored.`); return; }
        const look = button.form && button.form.elements.look_ms; if (look && button.id !== "confirm" && look.value === "0") look.value = String(Math.round(press.at - paintedAt));
      }
      last = () => { const again = all(`[data-key="${CSS.escape(key)}"]`, app()).find((b) => !b.disabled); if (again) again.click(); };
      button.click(); return;
    }
    if (local[key]) { local[key](); return; }
    if (edits[key] && one("#draft")) { if (press.shown.split("@")[0] !== app().dataset.cluster) { ignored += 1; return; } edits[key](); }
  };
  document.addEventListener("keydown", (e) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
    if (dialog().open) return;
    if (typing) {
      if (e.key === "Escape") { e.preventDefault(); e.target.blur(); if (e.target.id === "note") one("#note-form").hidden = !e.target.value; }
      if (e.target.id === "note" && e.key === "Enter" && !e.shiftKey) { e.preventDefault(); e.target.form.requestSubmit(); }
      return;
    }
    const letter = e.key.length === 1, off = app().dataset.letters === "alt";
    if (e.repeat || e.ctrlKey || e.metaKey || e.altKey !== (letter && off)) return;
    if (e.key === "Enter" && e.target.closest("button, a") && !e.target.matches("body")) { if (e.target.closest("#app")) return; }
    let key = letter ? (off && /^(Key|Digit)/.test(e.code) ? e.code.slice(-1) : e.key).toLowerCase() : e.key;
    if (key === "w" && e.shiftKey) key = "W";
    if (!local[key] && !edits[key] && !"rz".includes(key) && key !== "Enter" && key !== "Escape" && !one(`[data-key="${CSS.escape(key)}"]`, app())) return;
    e.preventDefault();
    queue.push({ key, shown: shown(), at: performance.now() }); pump();
  });
  dialogReady();
  function dialogReady() { dialog().addEventListener("close", () => { if (opened && opened.isConnected) opened.focus(); }); }

  document.addEventListener("click", (e) => {
    const pairButton = e.target.closest("[data-pair]"), todo = e.target.closest("[data-do]");
    if (pairButton) choosePair(0, all("[data-pair]").indexOf(pairButton));
    if (todo) { const does = { keys, equal, more: () => one("#table").classList.toggle("all") }[todo.dataset.do]; if (does) { e.preventDefault(); does(); } }
    const cell = e.target.closest("#table td[data-field]");
    if (cell) { cursor = { cluster: app().dataset.cluster, field: cell.dataset.field, profile: cell.dataset.profile }; mark(); }
    const decides = e.target.closest("[data-decides]");
    if (decides && e.detail) { mouse += 1; if (mouse === 10) say(`${decides.dataset.key} does this too.`); } else if (decides) mouse = 0;
  });

  /* ---- the swap ---- */
  document.addEventListener("htmx:beforeRequest", () => { busy = true; document.documentElement.dataset.waiting = "yes"; slow = setTimeout(() => { document.documentElement.dataset.busy = "yes"; }, 150); });
  const calm = () => { busy = false; clearTimeout(slow); ["busy", "waiting"].forEach((n) => delete document.documentElement.dataset[n]); };
  const fresh = () => {
    calm(); failed = 0; fast = 0; alarm(""); paintedAt = performance.now();
    if (cursor && cursor.cluster !== app().dataset.cluster) cursor = null;
    pair = 0; mark(); rowAgain();
    const card = one("#card"), head = one("h1");
    const asks = one("#ask-to");
    if (asks) asks.focus(); else if (card) card.focus({ preventScroll: true }); else if (head) head.focus({ preventScroll: true });
    one("#live").textContent = app().dataset.say || (head ? head.textContent : "");
    document.title = app().dataset.cluster ? `Cluster ${app().dataset.cluster.slice(0, 12)} · Merge review` : document.title;
  };
  const rowAgain = () => {
    const key = sessionStorage.getItem("row"), list = rows(), at = list.find((r) => r.dataset.row === key);
    if (at) { list.forEach((r) => { r.classList.toggle("cur", r === at); r.removeAttribute("aria-current"); }); opener(at); at.setAttribute("aria-current", "true"); }
  };
  document.addEventListener("htmx:afterSettle", (e) => { if (e.detail.elt && e.detail.elt.id === "app") { fresh(); pump(); } });
  document.addEventListener("htmx:afterRequest", (e) => { if (!e.detail.successful && !app().contains(e.detail.elt)) calm(); });
  const broken = () => {
    calm(); failed = queue.length + 1; queue = [];
    alarm(`Not saved. The server did not answer. Your last ${plural(failed)} ${failed === 1 ? "was" : "were"} dropped. Press r to try again.`);
  };
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach((name) => document.addEventListener(name, broken));
  rowAgain();
})();
