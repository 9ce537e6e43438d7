// Draws Grafana's dashboard JSON with live data. What it does not know it names, and leaves to Grafana.
"use strict";
const COLORS = { green: "#73bf69", yellow: "#fade2a", orange: "#ff9830", red: "#f2495c", blue: "#5794f2", purple: "#b877d9", text: "#8e8e8e", gray: "#8e8e8e", transparent: "transparent",
  "dark-green": "#37872d", "dark-yellow": "#e0b400", "dark-orange": "#fa6400", "dark-red": "#c4162a", "dark-blue": "#1f60c4", "dark-purple": "#8f3bb8", "semi-dark-green": "#56a64b", "semi-dark-orange": "#ff780a",
  "semi-dark-red": "#e02f44", "semi-dark-blue": "#3274d9", "light-green": "#96d98d", "light-yellow": "#ffee52", "light-orange": "#ffb357", "light-red": "#ff7383", "light-blue": "#8ab8ff", "light-purple": "#ca95e5", "super-light-blue": "#c0d8ff" };
const PALETTE = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a", "#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62", "#584477"];
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const POINTS = 1000, SCRAPE = 5; // as Grafana: no step is shorter than the scrape interval
const CALCS = { lastNotNull: ["Last *", v => v.findLast(n => n !== null)], last: ["Last", v => v.at(-1)], max: ["Max", v => v.length ? Math.max(...v) : undefined], min: ["Min", v => v.length ? Math.min(...v) : undefined],
  mean: ["Mean", v => v.length ? v.reduce((a, b) => a + b, 0) / v.length : undefined], sum: ["Total", v => v.reduce((a, b) => a + b, 0)] };
// How each unit is written: [size, suffix] from large to small.
const SI = [[1e12, " T"], [1e9, " B"], [1e6, " Mil"], [1e3, " K"], [0, ""]];
const IEC = [[2 ** 40, " TiB"], [2 ** 30, " GiB"], [2 ** 20, " MiB"], [1024, " KiB"], [0, " B"]];
const rate = suffix => SI.map(([size, short]) => [size, short.replace("Mil", "M").replace(" K", "k").trimEnd() + suffix]);
const UNITS = { short: SI, none: [[0, ""]], locale: [[0, ""]], ops: rate(" ops/s"), reqps: rate(" req/s"), cps: rate(" c/s"), rps: rate(" reads/s"), wps: rate(" writes/s"), bytes: IEC, decbytes: rate("B"), Bps: rate("B/s"), binBps: IEC.map(([size, text]) => [size, text + "/s"]),
  s: [[604800, " weeks"], [86400, " days"], [3600, " hours"], [60, " mins"], [1, " s"], [1e-3, " ms"], [1e-6, " µs"], [0, " ns"]], percent: [[0, "%"]], percentunit: [[0, "%"]] };
const $ = id => document.getElementById(id);
const state = { board: null, grafana: "", values: {}, loaded: 0, timer: 0, charts: new Map() };
const element = (tag, properties = {}, ...children) => { const made = Object.assign(document.createElement(tag), properties); made.append(...children); return made; };

// ---- data ---------------------------------------------------------------------------------
function frame() { // the shown range: seconds since the epoch, aligned to the step as Grafana does
  const range = Number($("range").value);
  const step = Math.max(SCRAPE, STEPS.find(s => s >= range / POINTS));
  const end = Math.floor(Date.now() / 1000 / step) * step;
  return { start: end - range, end, step, range, rate: Math.max(step + SCRAPE, 4 * SCRAPE) };
}
function fill(text, at) {
  const known = { __rate_interval: `${at.rate}s`, __interval: `${at.step}s`, __auto: `${at.step}s`, __range: `${at.range}s`, __range_s: at.range };
  return text.replace(/\$\{?(\w+)(?::\w+)?\}?/g, (all, name) => known[name] ?? state.values[name] ?? all);
}
async function ask(source, query, parameters) {
  const url = `/data/${source}/${query}?${new URLSearchParams(parameters)}`, body = await (await fetch(url)).json();
  if (body.status !== "success") throw new Error(body.error || "no answer");
  return { url, result: body.data.result ?? body.data, kind: body.data.resultType };
}
function named(format, labels) {
  if (format && format !== "__auto") return format.replace(/{{\s*([\w.]+)\s*}}/g, (_, name) => labels[name] ?? "");
  const { __name__: metric = "", ...rest } = labels, inner = Object.entries(rest).map(([name, value]) => `${name}="${value}"`).join(", ");
  return inner ? `${metric}{${inner}}` : metric || "Value";
}
async function fetchTarget(target, at) {
  const loki = target.datasource.type === "loki", instant = loki ? target.queryType === "instant" : target.instant;
  const query = fill(target.expr, at), scale = loki ? 1e9 : 1, limit = loki ? { limit: 200 } : {};
  const times = instant ? { time: at.end * scale } : { start: at.start * scale, end: at.end * scale, step: at.step };
  const answer = await ask(loki ? "loki" : "prometheus", instant ? "query" : "query_range", { query, ...times, ...limit });
  const series = answer.result.map(one => answer.kind === "streams" ? one : {
    labels: one.metric, name: named(target.legendFormat, one.metric), ref: target.refId,
    values: (one.values ?? [one.value]).map(([time, value]) => [time, Number(value)]) });
  return { ...answer, series };
}

// ---- how values look ----------------------------------------------------------------------
function configured(panel, name, ref) { // the field configuration of one series, overrides applied
  const config = structuredClone(panel.fieldConfig?.defaults ?? {});
  for (const { matcher, properties } of panel.fieldConfig?.overrides ?? []) {
    const test = { byName: o => o === name, byRegexp: o => new RegExp(o.replace(/^\/|\/$/g, "")).test(name), byFrameRefID: o => o === ref }[matcher.id];
    if (!test?.(matcher.options)) continue;
    for (const { id, value } of properties) {
      const path = id.split("."), last = path.pop();
      path.reduce((at, key) => at[key] ??= {}, config)[last] = value;
    }
  }
  return config;
}
function mapped(value, config) {
  for (const { type, options } of config.mappings ?? []) {
    if (type === "value" && options[String(value)]) return options[String(value)];
    if (type === "range" && value >= (options.from ?? -Infinity) && value <= (options.to ?? Infinity)) return options.result;
    if (type === "special" && (value === undefined || Number.isNaN(value)) && /null|nan|empty/.test(options.match)) return options.result;
  }
  return null;
}
function written(value, config) {
  const text = mapped(value, config)?.text;
  if (text) return text;
  if (value === undefined || value === null || Number.isNaN(value)) return config.noValue ?? "No data";
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (config.unit === "dateTimeFromNow") return new Date(value).toLocaleString();
  const table = UNITS[config.unit], scaled = config.unit === "percentunit" ? value * 100 : value, size = Math.abs(scaled);
  const [divisor, suffix] = table?.find(([from]) => size >= from) ?? [0, config.unit ? ` ${config.unit}` : ""];
  const shown = scaled / (divisor || (config.unit === "s" && size ? 1e-9 : 1));
  const digits = config.decimals ?? (Number.isInteger(shown) ? 0 : Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(Math.abs(shown) || 1)))));
  return shown.toFixed(digits) + (size || config.unit !== "s" ? suffix : " s");
}
const color = name => COLORS[name] ?? name;
function threshold(value, config) {
  const steps = config.thresholds?.steps ?? [];
  return color((steps.findLast(step => step.value === null || value >= step.value) ?? { color: "text" }).color);
}
function shade(value, config, number) {
  const own = mapped(value, config)?.color;
  if (own) return color(own);
  if (config.color?.mode === "fixed" || config.color?.mode === "shades") return color(config.color.fixedColor ?? "gray");
  return config.color?.mode === "thresholds" ? threshold(value, config) : PALETTE[number % PALETTE.length];
}
const reduce = (calc, series) => CALCS[calc]?.[1](series.values.map(([, v]) => v).filter(v => !Number.isNaN(v)));

// ---- kinds of panel -----------------------------------------------------------------------
function stat(panel, body, answers) {
  const all = answers.flatMap(a => a.series), options = panel.options ?? {}, tiles = element("div", { className: "tiles" });
  if (!all.length) all.push({ name: "", ref: "", values: [] });
  for (const [number, one] of all.entries()) {
    const config = configured(panel, one.name, one.ref), value = reduce(options.reduceOptions?.calcs?.[0] ?? "lastNotNull", one);
    const filled = options.colorMode?.startsWith("background") && value !== undefined, tone = value === undefined ? "" : shade(value, config, number);
    const tile = element("div", { className: `tile value${filled ? " filled" : ""}` });
    tile.style[filled ? "background" : "color"] = options.colorMode === "none" ? "" : tone;
    Object.assign(tile.dataset, { name: one.name, value: value ?? "" });
    const both = options.textMode === "value_and_name" || options.textMode === "name" || (options.textMode !== "value" && all.length > 1);
    if (both && one.name) tile.append(element("span", { textContent: config.displayName ?? one.name }));
    if (options.textMode !== "name") tile.append(element("b", { textContent: written(value, config) }));
    tiles.append(tile);
  }
  body.append(tiles);
  return all.some(one => one.values.length) ? "ok" : "empty";
}
function legend(panel, all, configs, tones) {
  const options = panel.options?.legend ?? {}, calcs = (options.calcs ?? []).filter(c => CALCS[c]), box = element("div", { className: "legend" });
  if (options.showLegend === false || options.displayMode === "hidden") return box;
  const rows = all.map((one, i) => ({ one, i, values: calcs.map(c => reduce(c, one)) }));
  const by = calcs.findIndex(c => CALCS[c][0] === options.sortBy);
  if (by >= 0) rows.sort((a, b) => ((a.values[by] ?? -Infinity) - (b.values[by] ?? -Infinity)) * (options.sortDesc ? -1 : 1));
  const list = options.displayMode === "list", inside = list ? box : element("table");
  if (!list) inside.append(element("tr", {}, element("th"), ...calcs.map(c => element("th", { textContent: CALCS[c][0] }))));
  for (const { one, i, values } of rows) {
    const mark = element("i"), name = configs[i].displayName ?? one.name;
    mark.style.background = tones[i];
    const row = list ? element("span", {}, mark, `${name} ${values.map(v => written(v, configs[i])).join(" ")}`)
      : element("tr", {}, element("td", {}, mark, name), ...values.map(v => element("td", { textContent: written(v, configs[i]) })));
    row.classList.add("value");
    Object.assign(row.dataset, { name: one.name, value: reduce("lastNotNull", one) ?? "" });
    inside.append(row);
  }
  if (!list) box.append(inside);
  return box;
}
function timeseries(panel, body, answers, at) {
  const all = answers.flatMap(a => a.series);
  if (!all.length) { body.append(element("p", { className: "note", textContent: panel.fieldConfig?.defaults?.noValue ?? "No data" })); return "empty"; }
  const times = []; for (let t = at.start; t <= at.end; t += at.step) times.push(t);
  const configs = all.map(one => configured(panel, one.name, one.ref)), tones = all.map((one, i) => shade(reduce("lastNotNull", one), configs[i], i));
  const totals = new Array(times.length).fill(0);
  const data = all.map((one, i) => { const found = new Map(one.values), stacked = configs[i].custom?.stacking?.mode === "normal";
    return times.map((t, n) => { const v = found.get(t); if (v === undefined || Number.isNaN(v)) return null; return stacked ? totals[n] += v : v; }); });
  const custom = panel.fieldConfig?.defaults?.custom ?? {}, defaults = panel.fieldConfig?.defaults ?? {};
  const limits = custom.thresholdsStyle?.mode && custom.thresholdsStyle.mode !== "off" ? (defaults.thresholds?.steps ?? []).filter(s => s.value !== null) : [];
  const span = (u, low, high) => [defaults.min ?? Math.min(low ?? 0, custom.axisSoftMin ?? Infinity), defaults.max ?? (Math.max(high ?? 1, custom.axisSoftMax ?? -Infinity) || 1) * 1.05];
  const ink = getComputedStyle(document.body).getPropertyValue("--dim"), rule = getComputedStyle(document.body).getPropertyValue("--line");
  const chart = element("div", { className: "chart" }), box = legend(panel, all, configs, tones);
  body.append(chart, box);
  const wide = panel.options?.legend?.placement === "right", height = Math.max(60, body.clientHeight - (wide ? 0 : Math.min(box.offsetHeight, body.clientHeight * 0.4)) - 4);
  const draw = u => { for (const step of limits) { const y = u.valToPos(step.value, "y", true); if (y < u.bbox.top) continue;
    Object.assign(u.ctx, { strokeStyle: color(step.color), lineWidth: 1 }); u.ctx.setLineDash([6, 4]); u.ctx.beginPath(); u.ctx.moveTo(u.bbox.left, y); u.ctx.lineTo(u.bbox.left + u.bbox.width, y); u.ctx.stroke(); u.ctx.setLineDash([]); } };
  const tell = u => { const n = u.cursor.idx; chart.title = n == null ? "" : [new Date(times[n] * 1000).toLocaleTimeString(), ...all.map((one, i) => [data[i][n], i]).filter(([v]) => v !== null).sort((a, b) => b[0] - a[0]).slice(0, 15).map(([v, i]) => `${all[i].name}: ${written(v, configs[i])}`)].join("\n"); };
  const lines = all.map((one, i) => { const c = configs[i].custom ?? {}; return { label: one.name, stroke: tones[i], width: c.lineWidth ?? 1, spanGaps: Boolean(c.spanNulls), points: { show: c.showPoints === "always" },
    fill: c.fillOpacity ? tones[i] + Math.round(c.fillOpacity * 2.55).toString(16).padStart(2, "0") : undefined, dash: c.lineStyle?.fill === "dash" ? c.lineStyle.dash ?? [6, 4] : undefined, paths: c.drawStyle === "bars" ? uPlot.paths.bars() : undefined }; });
  const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule }, font: "11px system-ui" };
  const plot = new uPlot({ width: chart.clientWidth || body.clientWidth, height, legend: { show: false }, cursor: { sync: { key: "all" }, y: false }, hooks: { draw: [draw], setCursor: [tell] }, scales: { y: { range: span } },
    axes: [axis, { ...axis, size: 80, values: (_, marks) => marks.map(v => written(v, { ...defaults, mappings: [] })) }], series: [{}, ...lines] }, [times, ...data], chart);
  state.charts.set(panel.id, plot);
  return all.some(one => one.values.some(([, v]) => !Number.isNaN(v))) ? "ok" : "empty";
}
function table(panel, body, answers) {
  const several = answers.filter(a => a.series.length).length > 1, change = Object.fromEntries((panel.transformations ?? []).map(t => [t.id, t.options ?? {}])), rows = new Map();
  for (const one of answers.flatMap(a => a.series)) {
    const key = change.merge || change.joinByLabels ? JSON.stringify(Object.entries(one.labels).filter(([n]) => n !== "__name__").sort()) : rows.size;
    rows.set(key, { ...rows.get(key), Time: one.values.at(-1)[0] * 1000, ...one.labels, [several ? `Value #${one.ref}` : "Value"]: one.values.at(-1)[1] });
  }
  const { excludeByName: hidden = {}, renameByName: other = {}, indexByName: order = {} } = change.organize ?? {};
  const columns = [...new Set([...rows.values()].flatMap(Object.keys))].filter(c => !hidden[c]).sort((a, b) => (order[a] ?? 99) - (order[b] ?? 99));
  const [sort] = change.sortBy?.sort ?? panel.options?.sortBy ?? [], field = sort?.field ?? sort?.displayName;
  const shown = [...rows.values()].map(row => Object.fromEntries(columns.map(c => [other[c] || c, row[c]])));
  if (field) shown.sort((a, b) => (a[field] > b[field] ? 1 : -1) * (sort.desc ? -1 : 1));
  const heads = columns.map(c => other[c] || c), made = element("table", { className: "table" }, element("tr", {}, ...heads.map(h => element("th", { textContent: h }))));
  for (const row of shown) made.append(element("tr", {}, ...heads.map(head => {
    const config = configured(panel, head, ""), cell = element("td", { textContent: typeof row[head] === "number" && head !== "Time" ? written(row[head], config) : mapped(row[head], config)?.text ?? row[head] ?? "" });
    if (config.custom?.cellOptions?.type?.startsWith("color")) cell.style.color = shade(row[head], config, 0);
    return cell;
  })));
  body.append(shown.length ? made : element("p", { className: "note", textContent: panel.fieldConfig?.defaults?.noValue ?? "No data" }));
  return shown.length ? "ok" : "empty";
}
function logs(panel, body, answers) {
  const lines = answers.flatMap(a => a.series).flatMap(s => s.values.map(([time, line]) => ({ time: BigInt(time), line, level: s.stream.detected_level ?? s.stream.level }))).sort((a, b) => (a.time < b.time ? 1 : -1));
  const box = element("div", { className: "logs" }), tones = { error: "red", critical: "red", warning: "orange", warn: "orange", info: "green" };
  for (const { time, line, level } of lines.slice(0, 200)) {
    const row = element("div", { className: "value", textContent: `${new Date(Number(time / 1000000n)).toLocaleTimeString()} ${line}` });
    row.style.borderColor = color(tones[level] ?? "gray"); box.append(row);
  }
  body.append(lines.length ? box : element("p", { className: "note", textContent: "No data" }));
  return lines.length ? "ok" : "empty";
}
const escape = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);
function text(panel, body) {
  const inline = escape(panel.options?.content ?? "").replace(/\*\*(.+?)\*\*/g, "<b>$1</b>").replace(/\*(.+?)\*/g, "<i>$1</i>").replace(/`(.+?)`/g, "<code>$1</code>").replace(/\[([^\]]+)\]\((?:\/d\/([a-z0-9-]+)[^)]*|[^)]*)\)/g, (_, label, uid) => uid ? `<a href="#board=${uid}">${label}</a>` : label);
  body.innerHTML = inline.split(/\n\n+/).map(p => `<p>${p}</p>`).join(""); // escaped above
  return "ok";
}
function unknown(panel, body) {
  const query = (panel.targets ?? []).map(t => t.expr).filter(Boolean).join("\n");
  body.append(element("p", { className: "note", textContent: `Only Grafana draws a panel of the kind “${panel.type}”.` }), element("code", { textContent: query }));
  if (state.grafana) body.append(element("p", {}, element("a", { href: `${state.grafana}/d/${state.board.uid}?viewPanel=${panel.id}`, textContent: "Open in Grafana" })));
  return "unsupported";
}
const KINDS = { stat, timeseries, table, logs, text };

// ---- the page -----------------------------------------------------------------------------
async function draw(box, panel) {
  const body = box.querySelector(".body"), at = frame();
  let answers = [], outcome;
  try {
    const drawn = panel.targets?.some(t => t.datasource?.type === "tempo") ? unknown : KINDS[panel.type] ?? unknown; // traces are Grafana's
    if (drawn !== unknown) answers = await Promise.all((panel.targets ?? []).filter(t => !t.hide).map(t => fetchTarget(t, at)));
    state.charts.get(panel.id)?.destroy(); state.charts.delete(panel.id);
    body.replaceChildren();
    outcome = drawn(panel, body, answers, at);
    if (outcome === "empty" && !state.loki && panel.targets.some(t => /\b(loki|promtail)_/.test(t.expr))) throw new Error("No Loki runs here.");
  } catch (error) {
    body.replaceChildren(element("p", { className: "error", role: "alert", textContent: error.message }));
    outcome = /^No \w+ runs here/.test(error.message) ? "absent" : "error";
  }
  Object.assign(box.dataset, { state: outcome, urls: JSON.stringify(answers.map(a => a.url)) });
}
function place(panel, top) {
  const { x, y, w, h } = panel.gridPos, head = element("h3", { textContent: panel.title, title: panel.description ?? "" });
  for (const { title, url } of panel.fieldConfig?.defaults?.links ?? []) {
    const [, uid] = /^\/d\/([a-z0-9-]+)/.exec(url) ?? [];
    if (uid && uid !== state.board.uid) head.append(" ", element("a", { href: `#board=${uid}`, title, textContent: "↗", ariaLabel: title }));
  }
  const box = element("section", { className: "panel", ariaLabel: panel.title }, ...(panel.type === "text" ? [] : [head]), element("div", { className: "body" }));
  if (panel.options?.legend?.placement === "right") box.classList.add("right");
  Object.assign(box.style, { gridColumn: `${x + 1} / span ${w}`, gridRow: `${y - top + 1} / span ${h}` });
  box.style.setProperty("--tall", `${h * 38}px`);
  Object.assign(box.dataset, { panel: panel.title, id: panel.id, kind: panel.type, state: "loading" });
  return box;
}
function section(row, panels) {
  const grid = element("div", { className: "grid" }), top = Math.min(...panels.map(p => p.gridPos.y));
  const boxes = panels.map(panel => [place(panel, top), panel]);
  grid.append(...boxes.map(([box]) => box));
  if (!row) return [grid, boxes];
  const fold = element("details", { open: !row.collapsed || settings().get("open") === "all" }, element("summary", { textContent: row.title }), grid);
  fold.addEventListener("toggle", refresh);
  return [fold, boxes];
}
async function refresh() {
  clearTimeout(state.timer);
  await Promise.all(state.boxes.filter(([box]) => !box.closest("details:not([open])")).map(([box, panel]) => draw(box, panel)));
  state.loaded = Date.now();
  if (Number($("refresh").value)) state.timer = setTimeout(refresh, $("refresh").value * 1000);
}
async function choices(variable) {
  const control = variable.type === "textbox" ? element("input", { size: 14 }) : element("select", {}, ...variable.includeAll ? [element("option", { value: "", textContent: "All" })] : []);
  const parts = /^label_values\((.+), *(\w+)\)$/.exec(variable.query?.query ?? "");
  if (parts) { // not narrowed by another choice: a preview
    const found = await ask("prometheus", "series", { "match[]": fill(parts[1], frame()) }).catch(() => ({ result: [] }));
    for (const value of [...new Set(found.result.map(one => one[parts[2]]))].filter(Boolean).sort()) control.append(element("option", { value, textContent: value }));
  }
  const keep = () => state.values[variable.name] = control.value === "" ? variable.allValue ?? "" : variable.type === "textbox" ? control.value : control.value.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&");
  const first = variable.includeAll || variable.type === "textbox" ? "" : variable.current?.value; control.value = settings().get(variable.name) ?? first; if (control.selectedIndex === -1) control.value = first;
  keep();
  control.addEventListener("change", () => { keep(); remember(variable.name, control.value); refresh(); });
  return element("label", {}, `${variable.label ?? variable.name} `, control, " ");
}
const settings = () => new URLSearchParams(location.hash.slice(1));
function remember(name, value) {
  const now = settings(); value ? now.set(name, value) : now.delete(name);
  history.replaceState(null, "", `#${now}`);
}
async function open() {
  const uid = settings().get("board") || $("board").value;
  $("board").value = uid;
  state.board = await (await fetch(`/boards/${uid}`)).json();
  const variables = state.board.templating?.list ?? [];
  for (const one of variables) state.values[one.name] = one.allValue ?? one.current?.value ?? "";
  $("variables").replaceChildren(...await Promise.all(variables.filter(v => v.type === "query" || v.type === "textbox").map(choices)));
  $("range").value = settings().get("range") ?? $("range").value;
  const groups = [[null, []]];
  for (const panel of state.board.panels) panel.type === "row" ? groups.push([panel, [...panel.panels ?? []]]) : groups.at(-1)[1].push(panel);
  const made = groups.filter(([, panels]) => panels.length).map(([row, panels]) => section(row, panels));
  state.boxes = made.flatMap(([, boxes]) => boxes);
  $("panels").replaceChildren(...made.map(([part]) => part));
  await refresh();
}
async function start() {
  const { boards, grafana, loki } = await (await fetch("/boards")).json();
  Object.assign(state, { grafana, loki });
  if (grafana) $("what").replaceChildren("A preview. ", element("a", { href: grafana, textContent: "Grafana runs here" }), ".");
  $("board").append(...Object.entries(boards).map(([value, textContent]) => element("option", { value, textContent })));
  if (boards["minitwit-overview"]) $("board").value = "minitwit-overview";
  $("board").addEventListener("change", () => { location.hash = `board=${$("board").value}`; });
  $("range").addEventListener("change", () => { remember("range", $("range").value); refresh(); });
  $("refresh").addEventListener("change", refresh);
  $("now").addEventListener("click", refresh);
  addEventListener("hashchange", open);
  addEventListener("keydown", event => { if (event.key === "r" && !/INPUT|SELECT/.test(event.target.tagName) && !event.ctrlKey && !event.metaKey) refresh(); });
  setInterval(() => { $("age").textContent = state.loaded ? `data of ${Math.round((Date.now() - state.loaded) / 1000)} s ago` : "loading"; }, 1000);
  await open();
}
start();
