"use strict";
// Names and sentences come from bags and folders: they only ever become text.

(() => {
  const page = document.getElementById("page");
  const filter = document.getElementById("filter");
  const PERIOD_MS = 2000;
  let data = null;
  let shown = "";
  const chosen = new Set();

  function element(tag, properties, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name.startsWith("data-") || name.startsWith("aria-")) made.setAttribute(name, value);
      else made[name] = value;
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const address = (path, file) => `/run/${(path === "." ? "" : `${path}/`).split("/").map(encodeURIComponent).join("/")}${file}`;
  const us = (value) => (value === null || value === undefined ? "–" : (value / 1000).toPrecision(3));
  const mb = (value) => (value === null || value === undefined ? "–" : (value / 1e6).toFixed(0));
  const pair = (values, text) => `${text(values[0])} → ${text(values[1])}`;
  const word = (verdict, link, title) => element(link ? "a" : "span", {
    className: `word ${verdict.replace(" ", "-")}`, ...(link ? { href: link } : {}), ...(title ? { title } : {}),
  }, verdict);
  const when = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString() : "–");
  const fits = (texts) => filter.value.toLowerCase().split(/\s+/).every((part) => texts.join(" ").toLowerCase().includes(part));

  function table(titles, rows, className) {
    return element("div", { className: "scroll" }, element("table", { className },
      element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
      element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell, index) => {
        const made = element("td", titles[index] ? { "data-title": titles[index] } : {}, cell);
        if (typeof cell === "string" && /^[\d–]/.test(cell)) made.className = "number";
        return made;
      }))))));
  }

  function runRows(run) {
    const label = run.path + (run.component ? ` · ${run.component}` : "");
    const choose = run.report ? element("input", { type: "checkbox", checked: chosen.has(run.path), onchange: (event) => {
      if (event.target.checked) chosen.add(run.path); else chosen.delete(run.path);
      render(true);
    }, "aria-label": `choose ${run.path}` }) : "";
    const link = run.report ? address(run.path, "report.html") : null;
    const name = link ? element("a", { href: link }, label) : label;
    if (!run.implementations || !run.implementations.length) {
      const state = run.verdict === "running" && run.total
        ? element("span", {}, word(run.verdict), " ", element("progress", { value: run.done, max: run.total }), ` ${run.sentence}, ${run.done} of ${run.total}`)
        : element("span", {}, word(run.verdict), ` ${run.sentence}`);
      return [[choose, name, state, "", "", "", "", when(run.at)]];
    }
    return run.implementations.map((one, index) => [
      index ? "" : choose,
      index ? "" : name,
      element("span", {}, word(one.verdict, link), ` ${one.name} vs ${run.reference}: ${one.grade}`),
      `${one.wrong} of ${one.samples}`,
      pair(one.median_ns, us), pair(one.cpu_ns, us), pair(one.peak_bytes, mb),
      index ? "" : when(run.at),
    ]);
  }

  function runs() {
    const found = data.runs.filter((run) => fits([run.path, run.component, run.verdict, ...(run.implementations || []).flatMap((one) => [one.name, one.verdict])]));
    document.getElementById("counts").textContent = `${found.length} of ${data.runs.length} runs` + (data.left_out ? `, ${data.left_out} older ones left out` : "");
    if (!found.length) return element("p", { className: "soft" }, "No runs here yet: lockstep verify writes them.");
    return table(["", "Run", "Verdict", "Differing", "Median µs", "CPU µs", "MB", "When"], found.flatMap(runRows), "runs");
  }

  function suite(found) {
    const cases = found.cases.filter((one) => fits([one.case, one.verdict, found.path]));
    const columns = [...new Set(cases.map((one) => one.bag))].sort();
    const nodes = [...new Set(cases.map((one) => `${one.node} ${one.implementation}`))].sort();
    const cell = (node, bag) => {
      const mine = cases.filter((one) => `${one.node} ${one.implementation}` === node && one.bag === bag);
      return element("span", {}, ...mine.flatMap((one) => [word(one.verdict, one.folder ? address(one.folder, "report.html") : null, `${one.case}: ${one.sentence}`), " "]));
    };
    const count = (verdict) => cases.filter((one) => one.verdict === verdict).length;
    const counts = [...new Set(cases.map((one) => one.verdict))].sort().map((verdict) => `${count(verdict)} ${verdict}`).join(", ");
    return element("section", {},
      element("h2", {}, `${found.path} `, found.finished ? "" : word("running")),
      element("p", { className: "soft" }, found.sentence || `${cases.length} cases: ${counts}`),
      table(["", ...columns.map((bag) => bag || "the file's bag")], nodes.map((node) => [node, ...columns.map((bag) => cell(node, bag))]), "matrix"));
  }

  function sides() {
    const close = element("button", { onclick: () => { chosen.clear(); render(true); } }, "Close");
    const frames = [...chosen].slice(-2).map((path) => element("iframe", { src: address(path, "report.html"), title: path, sandbox: "allow-scripts" }));
    return element("section", {}, element("h2", {}, [...chosen].slice(-2).join("  |  "), " ", close), element("div", { className: "side" }, ...frames));
  }

  function render(always) {
    const text = JSON.stringify(data) + filter.value;
    if (!data || (!always && text === shown)) return;
    shown = text;
    document.getElementById("title").textContent = data.folder;
    document.title = `${data.folder} – Lockstep`;
    page.replaceChildren(...(chosen.size === 2 ? [sides()] : [runs(), ...data.suites.map(suite)]));
  }

  async function ask() {
    if (!document.hidden) {
      try {
        data = await (await fetch("/runs.json")).json();
        render(false);
      } catch (error) {
        document.getElementById("counts").textContent = "lockstep view has ended";
      }
    }
    setTimeout(ask, PERIOD_MS);
  }

  filter.addEventListener("input", () => render(false));
  ask();
})();
