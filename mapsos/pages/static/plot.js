// The plot on the page of a procedure: its observations over time, and those of other stations beside them.
"use strict";

(() => {
  const section = document.getElementById("plot");
  const own = section.dataset.procedure;
  const same = (one, other) => one.toLowerCase() === other.toLowerCase();
  const choices = JSON.parse(section.dataset.catalog)
    .filter((entry) => entry.begin && entry.procedures.some((id) => same(id, own)))
    .flatMap((entry) => entry.columns.filter((column) => column.numeric).map((column) => ({ entry, column })));
  if (!choices.length) return;
  section.hidden = false;

  const find = (id) => document.getElementById(`plot-${id}`);
  const [property, begin, end, stations, drawing, status, csv] =
    ["property", "begin", "end", "stations", "drawing", "status", "csv"].map(find);
  let plot = null;
  let asked = 0;
  let shown = () => {};
  let loading = new AbortController();

  // Means that are there within so many milliseconds are not preceded by a preview.
  const PATIENCE = 300;

  choices.forEach(({ entry, column }, index) => {
    property.add(new Option(`${entry.propertyName}: ${series.nameColumn(column)}`, String(index)));
  });

  function showWhole() {
    const { entry } = choices[Number(property.value)];
    series.writeInput(begin, series.readTime(entry.begin));
    series.writeInput(end, series.readTime(entry.end));
  }

  function listStations() {
    const { entry } = choices[Number(property.value)];
    stations.querySelectorAll("label").forEach((label) => label.remove());
    for (const id of entry.procedures) {
      const label = document.createElement("label");
      label.className = "check";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = id;
      box.checked = same(id, own);
      box.addEventListener("change", show);
      label.append(box, id);
      stations.append(label);
    }
    stations.hidden = entry.procedures.length < 2;
  }

  async function show() {
    const { entry, column } = choices[Number(property.value)];
    const from = series.readInput(begin) ?? series.readTime(entry.begin);
    const to = series.readInput(end) ?? series.readTime(entry.end);
    const chosen = [...stations.querySelectorAll("input:checked")].map((box) => box.value);
    if (!chosen.length || !(to >= from)) {
      status.textContent = chosen.length ? wording.write("The period ends before it begins.") : wording.write("No station is chosen.");
      return;
    }
    const step = series.chooseStep(to - from, drawing.clientWidth);
    const parameters = {
      service: "SOS",
      version: "1.0.0",
      request: "GetObservation",
      offering: entry.offering,
      observedProperty: entry.property,
      procedure: chosen.join(","),
      eventTime: `${series.formatTime(from)}/${series.formatTime(to)}`,
    };
    csv.href = section.dataset.sos + series.write({ ...parameters, responseFormat: "text/csv" });
    asked += 1;
    const mine = asked;
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    drawing.classList.add("busy");
    status.textContent = wording.write("Loading …");
    const draw = (table, kind) => {
      if (mine !== asked) return;
      shown = () => drawTable(table, column, entry, step, chosen, kind);
      shown();
      drawing.classList.remove("busy");
    };
    const summarize = (functions) => load({ ...parameters, aggregateInterval: step[1], aggregateFunction: functions }, signal);
    const previewing = step && entry.previews
      ? showPreview(summarize("first"), (table) => { if (!signal.aborted) draw(table, "first"); })
      : Promise.resolve();
    try {
      const table = await (step ? summarize("avg,min,max") : load(parameters, signal));
      draw(table, "avg");
    } catch (error) {
      if (mine === asked) status.textContent = wording.write("The observations could not be loaded: %(reason)s", { reason: error.message });
    } finally {
      if (mine === asked) {
        loading.abort();
        drawing.classList.remove("busy");
      }
      await previewing;
    }
  }

  // The first observation of each step, which an index finds at once: drawn until the means are there.
  async function showPreview(answer, draw) {
    const soon = new Promise((resolve) => { setTimeout(resolve, PATIENCE); });
    try {
      const table = await answer;
      await soon;
      draw(table);
    } catch {
      // The plot of the means reports the error.
    }
  }

  async function load(parameters, signal) {
    const answer = await fetch(section.dataset.sos + series.write({ ...parameters, responseFormat: "application/json" }), { signal });
    const type = answer.headers.get("Content-Type") || "";
    if (!answer.ok || !type.startsWith("application/json")) throw new Error(await readError(answer));
    return series.readTable(await answer.json());
  }

  async function readError(answer) {
    const text = new DOMParser().parseFromString(await answer.text(), "text/xml").documentElement.textContent;
    return text.trim() || wording.write("Status %(code)s.", { code: answer.status });
  }

  const describePreview = (points, step) => wording.count(
    points,
    "Preview: %(count)s observation, the first of each %(step)s; the means are being computed.",
    "Preview: %(count)s observations, the first of each %(step)s; the means are being computed.",
    { step: step[1] },
  );

  const describeMeans = (points, step) => wording.count(
    points,
    "%(count)s mean of %(step)s; the band is from the lowest to the highest value.",
    "%(count)s means of %(step)s; the band is from the lowest to the highest value.",
    { step: step[1] },
  );

  const describePoints = (points) => wording.count(points, "%(count)s observation.", "%(count)s observations.");

  // The kind of a summary is "avg", with its band, or "first", which is a preview.
  function drawTable(table, column, entry, step, chosen, kind) {
    const curves = [];
    let points = 0;
    for (const id of chosen) {
      const found = [...table.stations].find(([name]) => same(name, id));
      if (!found) continue;
      const { times, columns } = found[1];
      const read = (suffix) => columns[step ? `${column.name}_${suffix}` : column.name];
      if (!read(kind)) continue;
      const length = step ? step[0] : 0;
      const [x, y] = series.breakGaps(times, read(kind), length);
      points += times.length;
      const differs = step && kind === "avg" && read("min").some((low, index) => low !== read("max")[index]);
      curves.push({
        label: id,
        x,
        y,
        thin: kind === "first",
        low: differs ? series.breakGaps(times, read("min"), length)[1] : null,
        high: differs ? series.breakGaps(times, read("max"), length)[1] : null,
      });
    }
    if (plot) plot.destroy();
    plot = null;
    if (!curves.length) {
      drawing.replaceChildren();
      status.textContent = wording.write("No observations in this period.");
      return;
    }
    plot = series.draw(drawing, curves, series.nameColumn(column), (from, to) => {
      series.writeInput(begin, Math.round(from));
      series.writeInput(end, Math.round(to));
      show();
    });
    const summed = curves.some((curve) => curve.low);
    status.textContent = kind === "first" ? describePreview(points, step) : summed ? describeMeans(points, step) : describePoints(points);
    drawing.setAttribute("aria-label", wording.write("Plot of %(property)s, %(column)s, at %(stations)s, from %(begin)s to %(end)s UTC", {
      property: entry.propertyName,
      column: series.nameColumn(column),
      stations: curves.map((one) => one.label).join(", "),
      begin: begin.value,
      end: end.value,
    }));
  }

  property.addEventListener("change", () => { listStations(); showWhole(); show(); });
  document.getElementById("plot-whole").addEventListener("click", () => { showWhole(); show(); });
  section.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown());
  let width = 0;
  new ResizeObserver(() => {
    if (plot && Math.abs(drawing.clientWidth - width) > 8) {
      width = drawing.clientWidth;
      plot.setSize({ width, height: plot.height });
    }
  }).observe(drawing);

  listStations();
  showWhole();
  show();
})();
