"use strict";
// Names and sentences come from bags and folders: they only ever become text.

(() => {
  const page = document.getElementById("page");
  const filter = document.getElementById("filter");
  const PERIOD_MS = 2000;
  let data = null;
  let shown = "";
  const chosen = new Set();
  let overTime = null; // what the part of the address after # asks for, as it was answered

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
      return element("span", {}, ...mine.flatMap((one) => [
        word(one.verdict, one.folder ? address(one.folder, "report.html") : null, `${one.case}: ${one.sentence}`), " ",
        found.path === "." ? "" : element("a", { className: "trend", href: anchor("trends", { suite: found.path, case: one.case }), "aria-label": `over time: ${one.case}`, title: "over time" }, "∿"), " ",
      ]));
    };
    const count = (verdict) => cases.filter((one) => one.verdict === verdict).length;
    const counts = [...new Set(cases.map((one) => one.verdict))].sort().map((verdict) => `${count(verdict)} ${verdict}`).join(", ");
    return element("section", {},
      element("h2", {}, `${found.path} `, found.finished ? "" : word("running")),
      found.path === "." ? "" : element("a", { className: "soft changes", href: anchor("changes", { suite: found.path }) }, "what changed since the commit before"),
      element("p", { className: "soft" }, found.sentence || `${cases.length} cases: ${counts}`),
      table(["", ...columns.map((bag) => bag || "the file's bag")], nodes.map((node) => [node, ...columns.map((bag) => cell(node, bag))]), "matrix"));
  }

  const anchor = (what, values) => `#${what}?${new URLSearchParams(values)}`;
  const commitName = (name) => (/^[0-9a-f]{40}\+?$/.test(name) ? name.slice(0, 10) + (name.endsWith("+") ? " and edits" : "") : name);
  const UNITS = { ns: [1e3, "µs"], bytes: [1e6, "MB"] };
  function amount(value, unit) {
    if (value === null || value === undefined) return "–";
    const [scale, name] = UNITS[unit] || [1, unit];
    return `${Number((value / scale).toPrecision(3))} ${name}`.trim();
  }
  const interval = (found, form) => `${form(found.value)} (${form(found.low)} to ${form(found.high)})`;
  const times = (found) => (found ? ` × ${interval(found, (value) => Number(value.toPrecision(3)))}` : "");

  function drawn(tag, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function chart(trend, commits) {
    const [width, height, margin] = [600, 120, 10];
    const known = trend.values.map((value, index) => [index, value]).filter(([, value]) => value);
    const highs = known.map(([, one]) => (one.high === null ? one.value : one.high));
    const lows = known.map(([, one]) => (one.high === null ? one.value : one.low));
    const [low, high] = [Math.min(...lows), Math.max(...highs)];
    const x = (index) => margin + (index + 0.5) * (width - 2 * margin) / commits.length;
    const y = (value) => height - margin - (high > low ? (value - low) / (high - low) : 0.5) * (height - 2 * margin);
    const told = `${trend.name}, ${commits.length} commits, from ${amount(low, trend.unit)} to ${amount(high, trend.unit)}`;
    return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told, class: "chart" },
      ...trend.changes.map((change) => drawn("line", { class: "change", x1: x(change.at - 0.5), x2: x(change.at - 0.5), y1: 0, y2: height })),
      ...known.filter(([, one]) => one.high !== null).map(([index, one]) => drawn("line", { class: "spread", x1: x(index), x2: x(index), y1: y(one.low), y2: y(one.high) })),
      drawn("polyline", { class: "level", points: known.map(([index, one]) => `${x(index)},${y(one.value)}`).join(" ") }),
      ...known.map(([index, one]) => {
        const title = drawn("title", {});
        title.textContent = `${commitName(commits[index].name)}: ${amount(one.value, trend.unit)}`;
        return drawn("circle", { class: commits[index].verdict.replace(" ", "-"), cx: x(index), cy: y(one.value), r: 3 }, title);
      }));
  }

  function trendOf(trend, commits) {
    const last = [...trend.values].reverse().find((value) => value);
    const changes = trend.changes.map((change) => element("li", {},
      `from commit ${commitName(commits[change.at].name)} on ${amount(change.before, trend.unit)} → ${amount(change.after, trend.unit)}${times(change.times)}`));
    return element("section", { className: "one" },
      element("h3", {}, `${trend.name}: ${last ? amount(last.value, trend.unit) : "–"}`),
      chart(trend, commits),
      changes.length ? element("ul", { className: "changed" }, ...changes) : element("p", { className: "soft" }, trend.is_measured ? "no change that repeated runs show" : "no change"));
  }

  function trends(found) {
    const bad = found.turned_bad;
    return element("section", { className: "trends" },
      element("h2", {}, found.case),
      bad ? element("p", { className: "turned" }, word("differs"), ` since commit ${commitName(found.commits[bad[1]].name)}; the last that matched is ${commitName(found.commits[bad[0]].name)}`) : "",
      ...found.trends.map((trend) => trendOf(trend, found.commits)),
      element("p", { className: "soft" }, `Times are of ${found.machine}: medians over the runs of a commit, with intervals of a bootstrap (95 %).`),
      table(["Commit", "When", "Runs", "Verdict"], [...found.commits].reverse().map((one) => [element("code", {}, commitName(one.name)), when(one.begun_s), `${one.runs}`, word(one.verdict)]), "runs"));
  }

  function changes(found) {
    const better = { A: "worse", B: "better" };
    const rows = [
      ...found.verdicts.map((one) => [one, "cases that match", `${one.matching_a} of ${one.cases}`, `${one.matching_b} of ${one.cases}`, ""]),
      ...found.fields.map((one) => [one, `${one.topic} ${one.field}: messages that differ`, `${one.differing_a}`, `${one.differing_b}`, ""]),
      ...found.measures.map((one) => {
        const unit = one.measure === "memory_bytes" ? "bytes" : "ns";
        return [one, found.measure_names[one.measure], amount(one.a, unit), amount(one.b, unit), times(one.ratio)];
      }),
    ].filter(([one]) => one.better in better);
    return element("section", { className: "between" },
      element("h2", {}, `${commitName(found.a)} → ${commitName(found.b)}`),
      rows.length ? table(["Node", "What", "Before", "Now", "Ratio", ""], rows.map(([one, ...cells]) => [one.node || "all", ...cells, word(better[one.better])]), "runs")
        : element("p", { className: "soft" }, `Nothing is better or worse in ${found.cases} cases.`),
      ...found.remarks.map((remark) => element("p", { className: "soft" }, remark)));
  }

  function shownOverTime() {
    const { what, answer } = overTime;
    const back = element("a", { href: "#" }, "Back to all runs");
    if (answer.error) return [back, element("p", { className: "problem" }, answer.error)];
    return [back, what === "trends" ? trends(answer) : changes(answer)];
  }

  async function follow() {
    const [what, values] = location.hash.slice(1).split("?");
    const known = what === "trends" || what === "changes";
    overTime = null;
    if (known) {
      page.replaceChildren(element("p", { className: "soft" }, "…"));
      const answer = await (await fetch(`/${what}.json?${values || ""}`)).json();
      if (location.hash.slice(1) !== `${what}?${values}`) return; // somebody went on meanwhile
      overTime = { what, answer };
    }
    render(true);
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
    if (overTime) return page.replaceChildren(...shownOverTime());
    if (location.hash.length > 1) return; // which is being asked for
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
  window.addEventListener("hashchange", follow);
  ask();
  if (location.hash.length > 1) follow();
})();
