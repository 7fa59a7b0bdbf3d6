// Builds the page from the data in it. Text gets into the page only as text nodes, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const page = document.getElementById("page");
  const several = data.verdicts.length > 1;
  const topics = new Set(data.fields.map((row) => row.topic));
  const names = data.verdicts.map((verdict) => shortNames(verdict.a, verdict.b));
  let chosen = null;
  let drawn = [];
  const always = []; // plots of the page that stay whatever is chosen

  // ---- Words and numbers

  function element(tag, options = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  function shortNames(a, b) {
    const [left, right] = [a.split("/"), b.split("/")];
    while (left.length > 1 && right.length > 1 && left[0] === right[0]) { left.shift(); right.shift(); }
    while (left.length > 1 && right.length > 1 && left.at(-1) === right.at(-1)) { left.pop(); right.pop(); }
    const short = [left, right].map((parts) => clipped(parts.join("/") || "/", 40));
    return short[0] === short[1] ? ["a", "b"] : short;
  }

  function clipped(text, most) {
    return text.length <= most ? text : `${text.slice(0, most / 2 - 1)}…${text.slice(-most / 2)}`;
  }

  function number(value, digits = 4) {
    if (value === null || value === undefined) return "–";
    if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
    return String(Number(value.toPrecision(digits)));
  }

  function seconds(value) {
    return value === null || value === undefined ? "–" : `${value.toFixed(3)} s`;
  }

  function plural(count, word) {
    return `${number(count)} ${word}${count === 1 ? "" : "s"}`;
  }

  function withUnit(text, unit) {
    return unit ? `${text} ${unit}` : text;
  }

  function mark(match, words) {
    const [sign, word] = match ? ["✓", "match"] : ["✗", "differs"];
    return element("span", { className: `mark ${match ? "good" : "bad"}` }, `${sign} ${words || word}`);
  }

  // ---- Tables; a column is {title, number, cell(row), value(row), head}

  function table(caption, columns, rows, options = {}) {
    const body = element("tbody");
    const heads = columns.map((column, index) => {
      const classes = column.number ? "number" : null;
      if (!options.sortable) return element("th", { scope: "col", className: classes }, column.title);
      const sort = () => sortBy(body, heads, index, column);
      const button = element("button", { type: "button", onclick: sort }, column.title);
      return element("th", { scope: "col", className: classes, "aria-sort": "none" }, button);
    });
    for (const row of rows) {
      const cells = columns.map((column) => {
        const content = column.cell(row);
        const empty = !column.plain && (content === "0" || content === "–");
        const classes = [column.number && "number", column.words && "words", column.wide && "wide", empty && "zero"];
        const options = { className: classes.filter(Boolean).join(" ") || null };
        return column.head
          ? element("th", { scope: "row", ...options }, content)
          : element("td", options, content);
      });
      const line = element("tr", {}, ...cells);
      line.row = row;
      options.each?.(line, row);
      body.append(line);
    }
    const made = element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...heads)), body);
    return element("div", { className: `scroll ${options.tall ? "tall" : ""}`, tabindex: options.tall ? "0" : null, role: options.tall ? "region" : null, "aria-label": options.tall ? caption : null }, made);
  }

  function sortBy(body, heads, index, column) {
    const down = heads[index].getAttribute("aria-sort") === "descending" || (!column.number && heads[index].getAttribute("aria-sort") === "none");
    heads.forEach((head, at) => head.setAttribute("aria-sort", at !== index ? "none" : down ? "ascending" : "descending"));
    const value = (line) => {
      const found = column.value(line.row);
      return found === null || found === undefined ? (column.number ? -Infinity : "") : found;
    };
    const compare = column.number
      ? (x, y) => (value(x) === value(y) ? 0 : value(x) < value(y) ? -1 : 1)
      : (x, y) => String(value(x)).localeCompare(String(value(y)));
    const lines = [...body.rows].sort((x, y) => (down ? compare(x, y) : compare(y, x)));
    body.append(...lines);
  }

  function section(id, title, ...children) {
    const heading = element("h2", { id: `${id}-title` }, title);
    const made = element("section", { id, "aria-labelledby": `${id}-title` }, heading, ...children);
    page.append(made);
    return made;
  }

  // ---- The verdict

  function verdictPanel() {
    const only = data.verdicts.length === 1 ? data.verdicts[0] : null;
    const judged = data.verdicts.filter((verdict) => !verdict.itself);
    const matching = judged.filter((verdict) => verdict.match).length;
    const broken = Object.entries(data.run?.contract_mismatches || {});
    const word = { match: "✓ Match", differs: "✗ Different", "no verdict": "✗ No verdict" }[data.verdict];
    const head = broken.length
      ? "the contracts differ, so nothing was run"
      : only?.objections.length ? "of what is on disk"
      : only ? only.headline.replace(/^[A-Z]+: /, "") : `${matching} of ${plural(judged.length, "implementation")} do what the reference does`;
    const panel = element("header", { className: `verdict ${data.match ? "good" : "bad"}` },
      element("p", { className: "about" }, `Lockstep · ${data.title}`),
      element("h1", {}, element("span", {}, word), `: ${head}`));
    for (const [name, found] of broken) {
      panel.append(element("p", { className: "sentence" }, `${name}: ${found.join("; ")}`));
    }
    for (const verdict of data.verdicts) {
      for (const why of verdict.objections) panel.append(element("p", { className: "sentence" }, why));
    }
    if (only) panel.append(element("p", { className: "sentence" }, only.objections.length ? `of what ran: ${only.sentence}` : only.sentence));
    if (!broken.length) panel.append(facts(only));
    if (data.reasons.length) {
      panel.append(
        element("p", { className: "reasons-title" }, "Why ", element("span", { className: "soft" }, only ? `(a is ${names[0][0]}, b is ${names[0][1]})` : "(a is the reference)")),
        element("ul", { className: "reasons" }, ...data.reasons.map((reason) => {
          const more = reason.more ? ` and ${reason.more} more` : "";
          const where = several ? `${reason.comparison}, ` : "";
          return element("li", {}, where, element("span", { className: "path" }, reason.fields.join(", ")), `${more}: ${reason.sentence}`);
        })));
    }
    page.append(panel);
  }

  function facts(only) {
    const list = element("dl", { className: "facts" });
    const add = (term, value) => list.append(element("div", {}, element("dt", {}, term), element("dd", {}, value)));
    const sum = (name) => data.keys.reduce((all, key) => all + key[name], 0);
    if (only) add("Grade", only.grade);
    add("Messages compared", number(data.verdicts.reduce((all, verdict) => all + verdict.samples, 0)));
    const differing = sum("differing"), alone = sum("missing") + sum("extra");
    if (differing) add("With wrong values", number(differing));
    if (alone) add("On one side only", number(alone));
    const wrong = data.fields.filter((row) => !row.match).length;
    if (data.fields.length) add("Fields beyond tolerance", `${number(wrong)} of ${number(data.fields.length + data.more_fields)}`);
    const firsts = data.fields.filter((row) => !row.match && row.first_s !== null).map((row) => row.first_s);
    if (firsts.length) add("First difference", `at ${seconds(firsts.reduce((x, y) => Math.min(x, y)))}`);
    const worst = data.fields.find((row) => !row.match && row.max_error !== null);
    if (only && worst && !worst.judged) add("Largest error of the worst field", `${withUnit(number(worst.max_error, 3), data.plots[worst.index]?.error_unit)}`);
    const speed = speedUps();
    if (speed.length) add("Speed-up", speed.join(", "));
    return list;
  }

  function speedUps() {
    const runs = data.run?.runs || [];
    const reference = runs.find((run) => run.name === data.run.reference);
    return runs.filter((run) => run !== reference && run.median_ns && reference?.median_ns)
      .map((run) => `${(reference.median_ns / run.median_ns).toPrecision(2)} ×${runs.length > 2 ? ` ${run.name}` : ""}`);
  }

  function implementations() {
    if (!several) return;
    section("implementations", "Implementations", table("Each implementation against the reference.", [
      { title: "Implementation", head: true, cell: (row) => row.name },
      { title: "Verdict", cell: (row) => mark(row.match, row.verdict === "differs" ? null : row.verdict) },
      { title: "Grade", cell: (row) => row.grade },
      { title: "In a sentence", words: true, cell: (row) => row.sentence },
    ], data.verdicts));
  }

  // ---- Topics

  const comparisonColumn = { title: "Implementation", cell: (row) => data.verdicts[row.comparison].name, value: (row) => data.verdicts[row.comparison].name };

  function keysTable() {
    const [a, b] = several ? ["the reference", "the implementation"] : names[0] || ["a", "b"];
    const count = (title, name) => ({ title, number: true, cell: (row) => number(row[name]), value: (row) => row[name] });
    const any = (name) => data.keys.some((row) => row[name]);
    const columns = [
      { title: "Topic", head: true, cell: (row) => element("span", { className: "path" }, row.topic), value: (row) => row.topic },
      several ? comparisonColumn : null,
      { title: "Verdict", cell: (row) => mark(row.match, row.grade), value: (row) => row.grade },
      count("Aligned", "aligned"),
      count("Differing", "differing"),
      count("Identical bytes", "identical"),
      any("missing") ? count(`Only in ${a}`, "missing") : null,
      any("extra") ? count(`Only in ${b}`, "extra") : null,
      any("reordered") ? count("Out of order", "reordered") : null,
      { title: "First difference", number: true, cell: (row) => (row.first ? `tick ${row.first.tick}, ${seconds(row.first.s)}${row.hidden ? `; beyond rounding: tick ${row.hidden.tick}, ${seconds(row.hidden.s)}` : ""}` : "–"), value: (row) => row.first?.s },
      { title: "Type", cell: (row) => element("span", { className: "type" }, row.type), value: (row) => row.type },
      any("problem") ? { title: "Problem", words: true, cell: (row) => row.problem || "–", value: (row) => row.problem } : null,
    ].filter(Boolean);
    const more = data.more_keys ? ` ${number(data.more_keys)} more are not listed.` : "";
    const ignored = new Set(data.keys.flatMap((row) => row.ignored));
    const left = ignored.size ? ` Not compared: ${clipped([...ignored].join(", "), 300)}.` : "";
    section("topics", "Topics", table(`What came out on each topic.${left}${more}`, columns, data.keys, { sortable: true, tall: data.keys.length > 8 }));
  }

  // ---- Fields

  function fieldsTable() {
    const arrays = data.fields.some((row) => row.wrong !== row.wrong_ticks);
    const explained = data.fields.some((row) => row.explanation !== undefined);
    const columns = [
      { title: "Field", head: true, cell: fieldButton, value: (row) => row.field },
      topics.size > 1 ? { title: "Topic", cell: (row) => element("span", { className: "path" }, row.topic), value: (row) => row.topic } : null,
      several ? comparisonColumn : null,
      { title: "Verdict", cell: fieldMark, value: (row) => (row.match ? (row.differs ? 1 : 0) : 2), number: false },
      { title: "Wrong messages", number: true, cell: (row) => number(row.wrong_ticks), value: (row) => row.wrong_ticks },
      arrays ? { title: "Wrong values", number: true, cell: (row) => (row.compared ? `${number(row.wrong)} of ${number(row.compared)}` : "0"), value: (row) => row.wrong } : null,
      { title: "Largest difference", number: true, cell: largest, value: (row) => (row.max_error === null ? Infinity : row.max_error) },
      { title: "Tolerance", words: true, cell: (row) => (row.judged ? `${row.tolerance}: ${row.judged}` : row.tolerance), value: (row) => row.tolerance },
      { title: "First wrong tick", number: true, plain: true, cell: (row) => (row.first_tick === null ? "–" : String(row.first_tick)), value: (row) => row.first_tick },
      explained ? { title: "Explanation", wide: true, cell: (row) => explanation(row) || "–", value: (row) => explanation(row) } : null,
    ].filter(Boolean);
    const differing = data.fields.filter((row) => row.differs).length;
    const filter = element("input", { type: "search", id: "filter", autocomplete: "off", spellcheck: "false", placeholder: "part of a name" });
    const only = element("input", { type: "checkbox", id: "only" });
    only.checked = differing > 0;
    const shown = element("output", { for: "filter only", className: "soft" });
    const more = data.more_fields ? ` ${number(data.more_fields)} more are not listed.` : "";
    const made = table(`Choose a field to see how it differs.${more}`, columns, data.fields, {
      sortable: true, tall: true,
      each: (line, row) => {
        row.line = line;
        line.className = "choice";
        line.addEventListener("click", () => choose(row));
      },
    });
    const apply = () => {
      const text = filter.value.trim().toLowerCase();
      let count = 0;
      for (const row of data.fields) {
        const words = `${row.topic} ${row.field} ${row.type} ${data.verdicts[row.comparison].name}`.toLowerCase();
        const visible = words.includes(text) && (row.differs || !only.checked);
        row.line.hidden = !visible;
        count += visible ? 1 : 0;
      }
      shown.textContent = `${number(count)} of ${plural(data.fields.length, "field")}`;
    };
    filter.addEventListener("input", apply);
    only.addEventListener("change", apply);
    section("fields", "Fields",
      element("div", { className: "tools" },
        element("label", { for: "filter" }, "Filter ", filter),
        element("label", { for: "only" }, only, "only fields that are not equal"), shown),
      made);
    apply();
  }

  // ---- All fields over time, and from one that differs to the next

  const BINS = 240;
  const FAINTEST = 1e-3; // of the largest error of a field

  function overview() {
    const rows = data.fields.filter((row) => !row.match && data.plots[row.index]?.error?.y.length && data.plots[row.index].in_order);
    if (rows.length < 2) return;
    const times = rows.flatMap((row) => { const { s } = data.plots[row.index].error; return [s[0], s.at(-1)]; });
    const [start, end] = [Math.min(...times), Math.max(...times)];
    const longest = Math.max(...rows.map((row) => data.plots[row.index].error.y.length));
    const bins = Math.max(1, Math.min(BINS, Math.floor(longest / 2))); // two messages each, or there were gaps
    const width = (end - start) / bins || 1;
    const labels = rows.map((row) => `${topics.size > 1 ? `${row.topic} ` : ""}${row.field}${several ? ` (${data.verdicts[row.comparison].name})` : ""}`);
    const errors = rows.map((row) => worstOfBins(data.plots[row.index], start, width, bins));
    const made = section("overview", "All fields over time",
      element("p", { className: "soft" }, "Darker is closer to the largest error of its field; white is within tolerance. Choose a field by a click; n and p go to the next and the previous field that differs."));
    const box = element("div", { className: "plot", role: "img", "aria-label": "Errors of all fields over time." });
    made.append(box);
    addEventListener("load", () => box.on("plotly_click", ({ points }) => choose(rows[points[0].y])));
    always.push([box, () => {
      const z = errors.map((cells) => cells.map((cell) => (cell > 0 ? Math.log10(Math.max(cell, FAINTEST)) : null)));
      return {
        traces: [{
          type: "heatmap", x: Array.from({ length: bins }, (_, bin) => start + (bin + 0.5) * width), y: rows.map((_, at) => at), z, customdata: errors,
          zmin: Math.log10(FAINTEST), zmax: 0, showscale: false, ygap: 1, colorscale: [[0, faint("b", 0.15)], [1, colour("b")]],
          text: errors.map((cells, at) => cells.map(() => plain(clipped(labels[at], 80)))),
          name: "error",
          hovertemplate: "%{text}<br>%{x:.3f} s: %{customdata:.2g} of its largest error<extra></extra>",
        }],
        layout: layout({
          height: Math.min(900, 90 + 18 * rows.length), margin: { l: 10, r: 14, t: 10, b: 40 }, xaxis: axis("time [s]", { showgrid: false, range: [start, end] }),
          yaxis: axis("", { showgrid: false, autorange: "reversed", tickvals: rows.map((_, at) => at), ticktext: labels.map((label) => plain(clipped(label, 40))) }),
        }),
      };
    }]);
  }

  // The largest error in each part of time that is beyond tolerance, as a share of the field's largest; no number counts as 1.
  function worstOfBins(plots, start, width, bins) {
    const { s, y } = plots.error;
    const peak = peakOf(plots) || 1;
    const worst = new Array(bins).fill(0);
    y.forEach((error, at) => {
      const limit = plots.limit?.[at];
      if (error !== null && limit !== null && limit !== undefined && Math.abs(error) <= limit) return;
      const bin = Math.min(bins - 1, Math.floor((s[at] - start) / width));
      worst[bin] = Math.max(worst[bin], error === null ? 1 : Math.abs(error) / peak);
    });
    for (const time of plots.no_number.s) worst[Math.max(0, Math.min(bins - 1, Math.floor((time - start) / width)))] = 1;
    return worst;
  }

  function chooseNext(step) {
    const rows = data.fields.filter((row) => row.differs && !row.line.hidden);
    if (!rows.length) return;
    const at = rows.indexOf(chosen);
    const next = rows[(at + step + rows.length) % rows.length];
    choose(next);
    next.line.scrollIntoView({ block: "nearest" });
  }

  function distributionsTable() {
    if (!data.distributions.length) return;
    const [a, b] = several ? ["reference", "implementation"] : names[0];
    const both = (title, name, at) => ({ title, number: true, cell: (row) => number(row[name][at]), value: (row) => row[name][at] });
    section("distributions", "Distributions", table("Fields of which the distributions were compared, since messages were not aligned.", [
      { title: "Field", head: true, cell: (row) => element("span", { className: "path" }, row.field), value: (row) => row.field },
      { title: "Topic", cell: (row) => element("span", { className: "path" }, row.topic), value: (row) => row.topic },
      several ? comparisonColumn : null,
      { title: "Verdict", cell: (row) => mark(row.match, row.match ? "alike" : "differs"), value: (row) => (row.match ? 0 : 1) },
      both(`Values in ${a}`, "counts", 0), both(`Values in ${b}`, "counts", 1),
      both(`Mean in ${a}`, "means", 0), both(`Mean in ${b}`, "means", 1),
      { title: "Distributions", cell: (row) => (row.histogram ? outlines(row.histogram, a, b) : "") },
      { title: "Effect", number: true, cell: (row) => (row.effect === null ? row.size : `${number(row.effect, 2)} (${row.size})`), value: (row) => row.effect },
      { title: "Kolmogorov–Smirnov", number: true, cell: (row) => number(row.ks, 3), value: (row) => row.ks },
      { title: "p", number: true, plain: true, cell: (row) => number(row.p, 2), value: (row) => row.p },
      { title: "Tolerance", words: true, cell: (row) => row.tolerance, value: (row) => row.tolerance },
    ].filter(Boolean), data.distributions, { sortable: true, tall: true }));
  }

  // Both sides as shares in the same bins, each drawn as an outline.
  function outlines({ edges, counts }, a, b) {
    const [width, height, svg] = [120, 32, "http://www.w3.org/2000/svg"];
    const picture = document.createElementNS(svg, "svg");
    const label = `From ${number(edges[0])} to ${number(edges[1])}: ${a} and ${b}.`;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label })) picture.setAttribute(name, value);
    const shares = counts.map((side) => { const all = side.reduce((sum, count) => sum + count, 0) || 1; return side.map((count) => count / all); });
    const most = Math.max(...shares.flat()) || 1;
    shares.forEach((side, at) => {
      const step = width / side.length;
      const points = side.flatMap((share, bin) => [[bin * step, share], [(bin + 1) * step, share]]);
      const outline = document.createElementNS(svg, "polyline");
      outline.setAttribute("points", points.map(([x, share]) => `${x.toFixed(1)},${(height - 1 - (height - 3) * share / most).toFixed(1)}`).join(" "));
      outline.setAttribute("class", `outline side-${"ab"[at]}`);
      picture.append(outline);
    });
    return element("span", { title: label }, picture);
  }

  function fieldButton(row) {
    const topic = topics.size > 1 ? ` of ${row.topic}` : "";
    return element("button", { type: "button", className: "field-button path", "aria-label": `${row.field}${topic}: show how it differs` }, row.field);
  }

  function fieldMark(row) {
    if (!row.match) return mark(false, "wrong");
    return row.differs ? mark(true, "within tolerance") : element("span", { className: "mark soft" }, "equal");
  }

  function largest(row) {
    return row.max_error === null ? "not finite" : number(row.max_error, 3);
  }

  function largestOf(row) {
    return row.max_error === null ? "NaN or inf" : withUnit(largest(row), data.plots[row.index]?.error_unit);
  }

  // What is within tolerance is no error.
  function errorWord(row) {
    return row.match ? "difference" : "error";
  }

  function isText(row) {
    return /^w?string/.test(row.type);
  }

  function explanation(row) {
    if (row.explanation === undefined) return "";
    if (row.explanation === null) return "no simple explanation";
    const share = row.explanation.explains;
    return row.explanation.sentence + (share === null || share >= 0.9995 ? "" : ` (accounts for ${(100 * share).toFixed(1)} %)`);
  }

  // ---- One field

  let detail = null;

  function choose(row) {
    if (chosen) {
      chosen.line.classList.remove("chosen");
      chosen.line.querySelector("button").removeAttribute("aria-current");
    }
    chosen = row;
    row.line.classList.add("chosen");
    row.line.querySelector("button").setAttribute("aria-current", "true");
    showDetail(row);
  }

  function finding(row) {
    const parts = [];
    if (row.judged) parts.push(`${row.judged} over ${number(row.compared)} values`);
    if (row.match && !row.judged) parts.push(`all ${number(row.compared)} values are within the tolerance (${row.tolerance})`);
    else if (row.wrong || !row.judged) parts.push(`${number(row.wrong)} of ${number(row.compared)} values in ${plural(row.wrong_ticks, "message")} are beyond the tolerance (${row.tolerance})`);
    if (row.other_lengths) parts.push(`${plural(row.other_lengths, "message")} with another length`);
    if (row.first_tick !== null) parts.push(`first at tick ${row.first_tick}, ${seconds(row.first_s)}`);
    if (row.max_tick !== null && !isText(row)) parts.push(`${row.match ? `at most ${largestOf(row)} apart` : `largest error ${largestOf(row)}`} at tick ${row.max_tick}, ${seconds(row.max_s)}`);
    return `${parts.join("; ")}.`;
  }

  function showDetail(row) {
    const plots = data.plots[row.index];
    const left = element("div");
    const right = element("div", { className: "side" });
    const why = explanation(row);
    const path = `${row.topic} · ${row.type}${several ? ` · ${data.verdicts[row.comparison].name}` : ""}`;
    detail.replaceChildren(
      element("h2", { id: "detail-title", className: "path" }, row.field),
      element("p", { className: "soft path" }, path),
      element("p", { className: "finding", "aria-live": "polite" }, finding(row)),
      why ? element("p", { className: "explanation" }, element("strong", {}, "Explanation: "), why) : "",
      element("div", { className: "columns" }, left, right));
    if (plots) right.append(element("h3", {}, "Statistics"), statistics(row, plots));
    const diff = data.diffs.find((found) => found.topic === row.topic && found.comparison === row.comparison);
    if (diff) right.append(...textDiff(diff, row));
    drawn = [];
    if (!plots) {
      left.append(notDrawn(row));
    } else {
      showPlots(left, row, plots);
    }
  }

  function notDrawn(row) {
    const pictured = data.images.some((found) => found.a && found.topic === row.topic && found.comparison === row.comparison);
    if (pictured) return element("p", {}, element("a", { href: "#images" }, "Images that differ are shown below."));
    return element("p", { className: "soft" }, row.differs ? "Not drawn: only the worst fields are." : "Both sides are equal, so there is nothing to draw.");
  }

  function statistics(row, plots) {
    const unit = plots.error_unit, found = plots.statistics;
    const lines = [
      [`Mean |${errorWord(row)}|`, withUnit(number(found.mean), unit)],
      [`RMS ${errorWord(row)}`, withUnit(number(found.rmse), unit)],
      [`Bias (mean ${errorWord(row)})`, withUnit(number(found.bias), unit)],
      [`Largest |${errorWord(row)}|`, largestOf(row)],
      ["Tolerance", row.tolerance],
      ["Messages drawn", plots.rows < plots.of ? `the first ${number(plots.rows)} of ${number(plots.of)}` : number(plots.rows)],
    ];
    if (isText(row)) lines.splice(0, 4, ["Share that differs", `${number(100 * found.mean, 3)} %`]);
    if (plots.width > 1) lines.push(["Elements", number(plots.width)]);
    const part = plots.rows < plots.of ? `Over the first ${number(plots.rows)} messages.` : "Over all aligned messages.";
    return table(part, [
      { title: "Statistic", head: true, cell: (line) => line[0] },
      { title: "Value", number: true, cell: (line) => line[1] },
    ], lines);
  }

  function textDiff(diff, row) {
    const plain = (text) => text.replace(/\[[\d,: ]*\]/g, "");
    const own = plain(row.field);
    const of = (line) => plain(line.slice(1).split(":")[0]);
    const concerns = (line) => /^[-+]/.test(line) && (of(line) === own || of(line).startsWith(`${own}.`));
    const box = element("pre", { className: "diff", tabindex: "0", "aria-label": `text diff of ${diff.topic}` });
    const hunks = [];
    for (const line of diff.lines) {
      if (!hunks.length || line.startsWith("@@")) hunks.push([]);
      hunks.at(-1).push(line);
    }
    const some = hunks.some((hunk) => hunk.slice(1).some(concerns));
    const only = element("input", { type: "checkbox", id: "only-field" });
    only.checked = some;
    const fill = () => {
      box.replaceChildren();
      hunks.forEach((hunk, index) => {
        const kept = !only.checked ? hunk : index === 0 && !hunk[0].startsWith("@@") ? hunk : hunk.some(concerns) ? [hunk[0], ...hunk.slice(1).filter(concerns)] : [];
        for (const line of kept) {
          const kind = /^(---|\+\+\+|@@|…)/.test(line) ? "head" : line[0] === "-" ? "minus" : line[0] === "+" ? "plus" : "";
          box.append(element("span", { className: `${kind} ${concerns(line) && !only.checked ? "here" : ""}` }, line));
        }
      });
    };
    only.addEventListener("change", fill);
    fill();
    return [element("h3", {}, "Text diff"), some ? element("p", { className: "tools" }, element("label", { for: "only-field" }, only, "only this field")) : "", box];
  }

  // ---- Plots

  function plot(parent, className, caption, describe) {
    const box = element("div", { className: `plot ${className}`, role: "img", "aria-label": caption });
    parent.append(element("figure", {}, element("figcaption", {}, caption), box));
    drawn.push([box, describe]);
  }

  function showPlots(left, row, plots) {
    const word = errorWord(row);
    const of = plots.element === null ? row.field : `${row.field}, element ${plots.element} (where the ${word} is largest)`;
    const top = plots.a ? `${of}: both sides, and below the ${word}` : `Where ${row.field} differs`;
    const band = plots.limit ? " with its tolerance" : "";
    const large = peakOf(plots), first = Math.abs(plots.first?.y ?? 0);
    const logarithmic = element("input", { type: "checkbox", id: "logarithmic", onchange: () => draw() });
    logarithmic.checked = first > 0 && large > 300 * first; // or else the first difference could not be seen
    if (plots.a && large > 0) left.append(element("p", { className: "tools scale" }, element("label", { for: "logarithmic" }, logarithmic, `${word} on a logarithmic scale`)));
    plot(left, "main", `${top}${band}${plots.width > 1 && plots.a ? " of the worst element of each message" : ""}.`, () => overlay(row, plots, plots.a && logarithmic.checked));
    const pair = element("div", { className: "pair" });
    left.append(pair);
    if (plots.spreads) plot(pair, "small", "How values are distributed.", () => histogram(row, plots.spreads, names[row.comparison], plots.unit, "value"));
    if (plots.texts.length) pair.append(textTable(row, plots.texts));
    if (plots.error_spread && plots.a) plot(pair, "small", `How ${word}s are distributed.`, () => histogram(row, plots.error_spread, [word], plots.error_unit, word));
    if (plots.map) plot(left, "map", `Size of ${word}s by index in the array over time.`, () => errorMap(row, plots));
    if (window.Plotly) draw();
  }

  function textTable(row, texts) {
    const [a, b] = names[row.comparison];
    return table("The texts whose counts differ most.", [
      { title: "Text", head: true, cell: (line) => element("span", { className: "path" }, line[0] || "(empty)") },
      { title: a, number: true, cell: (line) => number(line[1]) },
      { title: b, number: true, cell: (line) => number(line[2]) },
    ], texts);
  }

  function draw() {
    const buttons = [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]];
    for (const [box, describe] of [...drawn, ...always]) {
      const large = !box.classList.contains("small");
      const options = { displaylogo: false, responsive: true, displayModeBar: large ? "hover" : false, modeBarButtons: buttons };
      const { traces, layout } = describe();
      Plotly.react(box, traces, layout, options);
    }
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function faint(name, share) {
    const code = colour(name);
    const parts = [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16));
    return `rgba(${parts.join(",")},${share})`;
  }

  // Plotly takes text for markup, so that text of unknown origin must be escaped.
  function plain(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  function axis(title, more = {}) {
    return {
      title: { text: plain(title), standoff: 6, font: { size: 12 } }, gridcolor: faint("soft", 0.18), linecolor: colour("line"),
      zeroline: false, automargin: true, tickfont: { size: 11 }, exponentformat: "power", ...more,
    };
  }

  function layout(more) {
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("text"), family: "system-ui, sans-serif", size: 12 },
      margin: { l: 58, r: 14, t: 28, b: 40 }, hovermode: "closest", hoverlabel: { bgcolor: colour("panel"), font: { color: colour("text") }, bordercolor: colour("line") },
      separators: ".,", legend: { orientation: "h", x: 0, y: 1.03, yanchor: "bottom", font: { size: 12 } }, modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("soft"), activecolor: colour("text") }, ...more,
    };
  }

  function along(plots, points) {
    return plots.in_order ? points.s : points.tick;
  }

  function line(plots, points, name, style, yaxis = "y") {
    return {
      type: "scatter", mode: points.y.length <= 60 ? "lines+markers" : "lines", name: plain(name), x: along(plots, points), y: points.y, yaxis,
      customdata: points.tick, line: style, marker: { size: 5 }, connectgaps: false,
      hovertemplate: "%{y}<br>tick %{customdata}, %{x}<extra></extra>",
    };
  }

  function decades(sizes) {
    const some = sizes.filter((size) => size > 0).map(Math.log10);
    return some.reduce((x, y) => Math.max(x, y), -400) - some.reduce((x, y) => Math.min(x, y), 400);
  }

  function peakOf(plots) {
    return plots.error.y.reduce((most, y) => Math.max(most, Math.abs(y ?? 0)), 0);
  }

  function overlay(row, plots, logarithmic) {
    const [a, b] = names[row.comparison];
    const traces = [];
    const whole = !plots.a;
    if (plots.a) {
      traces.push(line(plots, plots.a, a, { color: colour("a"), width: 3 }));
      traces.push(line(plots, plots.b, b, { color: colour("b"), width: 1.5, dash: "4px,3px" }));
    }
    if (plots.limit) {
      const x = along(plots, plots.error);
      const edge = (sign, more) => ({
        type: "scatter", mode: "lines", x, y: plots.limit.map((limit) => (limit === null ? null : sign * limit)), yaxis: "y2",
        line: { color: colour("band"), width: logarithmic ? 2 : 1, dash: "dot" }, hoverinfo: "skip", legendgroup: "tolerance", ...more,
      });
      if (!logarithmic) traces.push(edge(-1, { showlegend: false }));
      traces.push(edge(1, { name: `tolerance ${row.tolerance}`, fill: logarithmic ? "none" : "tonexty", fillcolor: faint("band", 0.18) }));
    }
    const peaks = peakOf(plots);
    const sized = (y) => (logarithmic ? (y ? Math.abs(y) : null) : y);
    const errors = { ...plots.error, y: plots.error.y.map(sized) };
    traces.push(line(plots, errors, errorWord(row), { color: colour("error"), width: 1.2, shape: whole ? "hv" : "linear" }, "y2"));
    if (plots.no_number.tick.length) {
      traces.push({
        type: "scatter", mode: "markers", name: "NaN or inf on one side", x: along(plots, plots.no_number), y: plots.no_number.y.map(() => (logarithmic ? peaks : 0)), yaxis: "y2",
        marker: { symbol: "x", size: 9, color: colour("b") }, hovertemplate: "no number<br>%{x}<extra></extra>",
      });
    }
    if (logarithmic) traces.sort((x, y) => (x.legendgroup ? 1 : 0) - (y.legendgroup ? 1 : 0)); // the tolerance on top
    const shapes = [], annotations = [];
    if (plots.first) {
      const x = plots.in_order ? plots.first.s : plots.first.tick;
      const ends = along(plots, plots.error);
      const late = x > (ends[0] + ends.at(-1)) / 2;
      shapes.push({ type: "line", xref: "x", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line: { color: colour("mark"), width: 1.5, dash: "dash" } });
      annotations.push({ xref: "x", yref: "paper", x, y: whole ? 1 : 0.49, text: `first: tick ${plots.first.tick}`, showarrow: false, xanchor: late ? "right" : "left", yanchor: whole ? "bottom" : "middle", xshift: late ? -4 : 4, font: { color: colour("mark"), size: 12 }, bgcolor: faint("back", 0.7) });
      if (plots.first.y !== null) {
        traces.push({ type: "scatter", mode: "markers", name: "first difference", showlegend: false, x: [x], y: [sized(plots.first.y)], yaxis: "y2", marker: { symbol: "diamond-open", size: 11, color: colour("mark"), line: { width: 2 } }, hovertemplate: "first difference<br>%{y}<extra></extra>" });
      }
    }
    const limits = (plots.limit || []).filter((limit) => limit !== null && limit <= 8 * peaks);
    const reach = limits.reduce((most, limit) => Math.max(most, limit), peaks) * 1.12 || 1;
    const unit = plots.error_unit ? ` [${plots.error_unit}]` : "";
    const domain = whole ? [0, 1] : [0, 0.45];
    const low = plots.error.y.some((y) => y < 0) || limits.length ? -reach : -0.05 * reach;
    return {
      traces,
      layout: layout({
        shapes, annotations,
        xaxis: axis(plots.in_order ? "time [s]" : "tick (times are not in order)", { anchor: "y2" }),
        yaxis: axis(plots.unit ? `value [${plots.unit}]` : "value", { domain: [0.53, 1], visible: !whole }),
        yaxis2: logarithmic
          ? axis(`|${errorWord(row)}|${unit}`, { domain, type: "log", dtick: Math.max(1, Math.ceil(decades(errors.y) / 5)) })
          : axis(`${errorWord(row)}${unit}`, { domain, range: [low, reach], zeroline: true, zerolinecolor: faint("soft", 0.5) }),
      }),
    };
  }

  function histogram(row, spread, labels, unit, what) {
    const looks = labels.length > 1 ? [["a", 3, "solid"], ["b", 1.5, "4px,3px"]] : [["error", 1.5, "solid"]];
    const all = spread.counts.flat().filter((count) => count > 0);
    const [few, many] = [all.reduce((x, y) => Math.min(x, y), Infinity), all.reduce((x, y) => Math.max(x, y), 1)];
    const logarithmic = many > 200 * few; // or else rare values could not be seen
    const traces = labels.map((name, at) => {
      const [tone, width, dash] = looks[at];
      const counts = spread.counts[at].map((count) => (logarithmic ? Math.max(count, 0.5) : count));
      return {
        type: "scatter", mode: "lines", name: plain(name), x: spread.edges, y: [...counts, counts.at(-1)], fill: "tozeroy", fillcolor: faint(tone, 0.15),
        line: { shape: "hv", color: colour(tone), width, dash }, customdata: spread.counts[at], hovertemplate: "from %{x}: %{customdata}<extra></extra>",
      };
    });
    return { traces, layout: layout({ showlegend: labels.length > 1, xaxis: axis(unit ? `${what} [${unit}]` : what), yaxis: logarithmic ? axis("count", { type: "log", range: [Math.log10(0.5), Math.log10(2 * many)], dtick: Math.ceil(Math.log10(many) / 4) }) : axis("count", { rangemode: "tozero", exponentformat: "none", separatethousands: true }) }) };
  }

  function errorMap(row, plots) {
    const size = `|${errorWord(row)}|`;
    const map = plots.map;
    const x = plots.in_order ? map.s : map.tick;
    let small = Infinity, large = 0, infinite = false;
    for (const cells of map.cells) for (const cell of cells) {
      if (cell > 0) { small = Math.min(small, cell); large = Math.max(large, cell); }
      if (cell < 0) infinite = true;
    }
    const logarithmic = large > 1000 * small;
    const z = map.cells.map((cells) => cells.map((cell) => (cell > 0 ? (logarithmic ? Math.log10(cell) : cell) : null)));
    const bar = { thickness: 12, outlinewidth: 0, title: { text: plots.error_unit ? `${size} [${plots.error_unit}]` : size, side: "right" }, exponentformat: "power" };
    if (logarithmic) {
      const steps = Math.max(1, Math.ceil((Math.log10(large) - Math.log10(small)) / 6));
      bar.tickvals = [];
      for (let power = Math.ceil(Math.log10(small)); power <= Math.log10(large); power += steps) bar.tickvals.push(power);
      bar.ticktext = bar.tickvals.map((power) => `10<sup>${power}</sup>`);
    }
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const traces = [{
      type: "heatmap", x, y: map.index, z, customdata: map.cells, colorscale: "Viridis", reversescale: !dark, colorbar: bar, name: size,
      zmin: logarithmic ? undefined : 0, zmax: logarithmic ? undefined : large || 1,
      hovertemplate: `${size} %{customdata}<br>index %{y}, %{x}<extra></extra>`,
    }];
    if (infinite) {
      const gaps = map.cells.map((cells) => cells.map((cell) => (cell < 0 ? 1 : null)));
      traces.push({ type: "heatmap", x, y: map.index, z: gaps, colorscale: [[0, colour("b")], [1, colour("b")]], showscale: false, name: "NaN or inf", hovertemplate: "NaN or inf<br>index %{y}, %{x}<extra></extra>" });
    }
    return { traces, layout: layout({ margin: { l: 58, r: 14, t: 10, b: 40 }, xaxis: axis(plots.in_order ? "time [s]" : "tick", { showgrid: false }), yaxis: axis("index", { showgrid: false, range: [map.index[0] - 0.5, plots.width - 0.5] }) }) };
  }

  // ---- Images, runs and what was compared

  function images() {
    if (!data.images.length) return;
    const made = section("images", "Images that differ");
    for (const found of data.images) {
      const [a, b] = names[found.comparison];
      made.append(element("h3", { className: "path" }, `${found.topic}, tick ${found.tick}, ${seconds(found.time_ns / 1e9)}: ${found.which}`), element("p", {}, found.sentence));
      if (!found.a) continue;
      const picture = (source, text) => element("figure", {}, element("img", { src: source, alt: text }), element("figcaption", {}, text));
      made.append(element("div", { className: "images" }, picture(found.a, a), picture(found.b, b), picture(found.wrong, "wrong pixels marked"), overEachOther(found, a, b)));
    }
  }

  // Both images over each other: the slider uncovers the one below, or they take turns.
  function overEachOther(found, a, b) {
    const below = element("img", { src: found.b, alt: b });
    const above = element("img", { src: found.a, alt: a });
    const slider = element("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": `left of it ${a}, right of it ${b}` });
    const blink = element("input", { type: "checkbox" });
    const caption = element("span", {}, "");
    let timer = null, isA = true;
    const show = () => {
      const share = blink.checked ? (isA ? 100 : 0) : Number(slider.value);
      above.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
      caption.textContent = blink.checked ? (isA ? a : b) : `left ${a}, right ${b}`;
    };
    slider.addEventListener("input", show);
    blink.addEventListener("change", () => {
      clearInterval(timer);
      slider.disabled = blink.checked;
      if (blink.checked) timer = setInterval(() => { isA = !isA; show(); }, 500);
      show();
    });
    show();
    return element("figure", { className: "over" }, element("div", { className: "stack" }, below, above), slider, element("label", {}, blink, "blink "), element("figcaption", {}, caption));
  }

  function clouds() {
    if (!data.clouds.length) return;
    const made = section("clouds", "Point clouds that differ most");
    for (const found of data.clouds) {
      made.append(element("h3", { className: "path" }, `${found.topic}, tick ${found.tick}, ${seconds(found.time_ns / 1e9)}`), element("p", {}, found.sentence));
      const pair = element("div", { className: "pair" });
      made.append(pair);
      for (const [view, across] of [["from above", [0, 1]], ["from the side", [0, 2]]]) {
        const box = element("div", { className: "plot", role: "img", "aria-label": `${found.topic} ${view}` });
        pair.append(element("figure", {}, element("figcaption", {}, `${view}, coloured by ${found.of}`), box));
        always.push([box, () => cloud(found, across)]);
      }
    }
  }

  function cloud(found, [right, up]) {
    const b = names[found.comparison][1];
    const equal = found.errors.map((error) => error === 0);
    const pick = (axis, wanted) => found.points[axis].filter((_, at) => equal[at] === wanted);
    const off = found.errors.filter((_, at) => !equal[at]);
    const trace = (x, y, name, marker, more = {}) => ({ type: "scattergl", mode: "markers", x, y, name: plain(name), marker, hovertemplate: `%{x}, %{y}<extra>${plain(name)}</extra>`, ...more });
    const traces = [trace(pick(right, true), pick(up, true), "equal", { size: 3, color: faint("soft", 0.6) })];
    if (off.length) {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      traces.push(trace(pick(right, false), pick(up, false), found.of, {
        size: 5, color: off.map((error) => error ?? 0), colorscale: "Viridis", reversescale: !dark, cmin: 0, colorbar: { thickness: 12, title: { text: plain(found.of), side: "right" } },
      }, { customdata: off, hovertemplate: `%{x}, %{y}<br>off by %{customdata}<extra></extra>` }));
    }
    if (found.missing[0].length) traces.push(trace(found.missing[right], found.missing[up], `missing in ${b}`, { size: 8, symbol: "x", color: colour("b") }));
    if (found.extra[0].length) traces.push(trace(found.extra[right], found.extra[up], `only in ${b}`, { size: 8, symbol: "cross", color: colour("text") }));
    return { traces, layout: layout({ xaxis: axis("xyz"[right]), yaxis: axis("xyz"[up], { scaleanchor: "x" }) }) };
  }

  function planes() {
    if (!data.planes.length) return;
    const made = section("planes", "Trajectories that differ");
    for (const found of data.planes) {
      const box = element("div", { className: "plot", role: "img", "aria-label": found.title });
      made.append(element("h3", { className: "path" }, found.title), element("figure", {}, element("figcaption", {}, found.sentence), box));
      always.push([box, () => plane(found)]);
    }
  }

  function plane(found) {
    const trace = (x, y, name, style, more = {}) => ({ type: "scatter", mode: "lines", x, y, name: plain(name), line: style, ...more });
    const [a, b] = names[found.comparison];
    const furthest = [0, 1].map((axis) => [found.a[axis][found.worst], found.b[axis][found.worst]]);
    const traces = [
      trace(...found.a, a, { color: colour("a"), width: 3 }), trace(...found.b, b, { color: colour("b"), width: 1.5, dash: "dash" }),
      trace(...furthest, "furthest apart", { color: colour("text"), width: 1 }, { mode: "lines+markers" }),
    ];
    return { traces, layout: layout({ xaxis: axis(`${found.axes[0]} [m]`), yaxis: axis(`${found.axes[1]} [m]`, { scaleanchor: "x" }) }) };
  }

  function runs() {
    if (!data.run || !data.run.runs.length) return;
    const total = (counts) => Object.values(counts || {}).reduce((all, count) => all + count, 0);
    const us = (value) => (value === null || value === undefined ? "–" : `${(value / 1000).toFixed(1)} µs`);
    const megabytes = (value) => (value ? `${(value / 1e6).toFixed(0)} MB` : "–");
    const bytes = (value) => (value ? `${value.toPrecision(3)} bytes` : "–");
    const reference = data.run.runs.find((run) => run.name === data.run.reference);
    const ratio = (run) => (run === reference || !run.median_ns || !reference?.median_ns ? "–" : `${(reference.median_ns / run.median_ns).toPrecision(3)} ×`);
    const noise = data.run.noise.map((found) => `${found.grade} in ${plural(found.samples, "message")}`);
    section("run", "Run",
      table("Messages sent and received, and how long one callback took with its publishing, with the processor time of the whole process and its most memory. A run that loses a message on the way to the recorder fails, and there is no report; what a black box drops of its inputs shows as differences.", [
        { title: "Implementation", head: true, cell: (run) => run.name + (run === reference ? " (reference)" : "") + (run.black_box ? " (black box)" : "") },
        { title: "Sent", number: true, cell: (run) => number(total(run.sent)) },
        { title: "Received", number: true, cell: (run) => number(total(run.recorded)) },
        { title: "Lost before the recorder", number: true, cell: (run) => number(total(run.lost)) },
        { title: "Median", number: true, cell: (run) => us(run.median_ns) },
        { title: "99th percentile", number: true, cell: (run) => us(run.p99_ns) },
        { title: "Speed-up", number: true, cell: ratio },
        { title: "CPU per message", number: true, cell: (run) => us(run.cpu_ns) },
        { title: "Memory at most", number: true, cell: (run) => megabytes(run.resources?.peak_bytes) },
        { title: "Memory grows per message", number: true, cell: (run) => bytes(run.resources?.growth_bytes) },
        { title: "Duration", number: true, cell: (run) => (run.wall_s ? `${run.wall_s.toFixed(2)} s` : "–") },
      ], data.run.runs),
      table("Messages by topic: sent to each input, received from each output.", [
        { title: "Topic", head: true, cell: (line) => element("span", { className: "path" }, line.topic) },
        { title: "Direction", cell: (line) => line.way },
        ...data.run.runs.map((run) => ({ title: run.name, number: true, cell: (line) => number((line.way === "sent" ? run.sent : run.recorded)?.[line.topic]) })),
      ], byTopic(data.run.runs)),
      noise.length ? element("p", { className: "soft" }, `${data.run.reference} against itself, run again on the same inputs: ${noise.join(", ")}.`) : "",
      ...data.run.against_itself.map((found) => element("p", { className: "soft" }, `${found.name} against itself, run again on the same inputs: ${found.grade} in ${plural(found.samples, "message")}.`)));
  }

  function byTopic(all) {
    const of = (name) => [...new Set(all.flatMap((run) => Object.keys(run[name] || {})))];
    return [...of("sent").map((topic) => ({ topic, way: "sent" })), ...of("recorded").map((topic) => ({ topic, way: "received" }))];
  }

  function about() {
    const files = data.bags.flatMap((bag) => bag.files.map((file, at) => ({ ...file, bag: at ? "" : bag.name, path: bag.path })));
    const versions = Object.entries(data.versions).map(([name, version]) => `${name} ${version}`).join(" · ");
    const rules = data.verdicts.length ? data.verdicts[0].tolerances : [];
    const align = [...new Set(data.verdicts.flatMap((verdict) => verdict.align))].join(" and ");
    section("about", "What was compared",
      element("p", {}, `Messages were aligned by ${align || "nothing"}. `, rules.length ? "" : "No tolerances: values must be equal."),
      rules.length ? table("Tolerances by field; without one, values must be equal.", [
        { title: "Pattern", head: true, cell: (rule) => element("span", { className: "path" }, rule[0]) },
        { title: "Tolerance", cell: (rule) => rule[1] },
      ], rules) : "",
      files.length ? table("The files, by which this report can be told apart from any other.", [
        { title: "Bag", head: true, cell: (file) => clipped(file.bag, 60) },
        { title: "File", cell: (file) => element("span", { className: "path" }, `${file.path}${file.path.endsWith(file.name) ? "" : `/${file.name}`}`) },
        { title: "Bytes", number: true, cell: (file) => number(file.bytes) },
        { title: "SHA-256", cell: (file) => element("span", { className: "hash path" }, file.sha256 || "not computed") },
      ], files) : "",
      element("p", { className: "soft" }, versions));
  }

  // ---- Everything

  data.fields.forEach((row, index) => { row.index = index; });
  verdictPanel();
  implementations();
  keysTable();
  if (data.fields.length) {
    overview();
    fieldsTable();
    detail = element("section", { id: "detail", "aria-labelledby": "detail-title" });
    page.append(detail);
    const first = data.fields.find((row) => row.differs);
    if (first) choose(first);
    else detail.hidden = true;
  }
  distributionsTable();
  images();
  clouds();
  planes();
  runs();
  about();
  document.addEventListener("DOMContentLoaded", () => { if (drawn.length || always.length) draw(); });
  for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", draw);
  const fit = () => [...drawn, ...always].forEach(([box]) => Plotly.Plots.resize(box));
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !detail) return;
    if (event.key === "n") chooseNext(1);
    if (event.key === "p") chooseNext(-1);
  });
  addEventListener("beforeprint", fit);
  addEventListener("afterprint", fit);
})();
