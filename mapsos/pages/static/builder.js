// The builder of SOS requests: what is chosen, as a URL and as a body, and what the server answers to them.
"use strict";

(() => {
  const page = document.getElementById("builder");
  const catalog = JSON.parse(page.dataset.catalog);
  if (!catalog.length) return;
  page.hidden = false;

  const find = (id) => document.getElementById(id);
  const [offering, property, procedure, begin, end, format] =
    ["offering", "property", "procedure", "begin", "end", "format"].map(find);
  const corners = ["west", "south", "east", "north"].map(find);
  const [status, answer, drawing] = ["status", "answer", "drawing"].map(find);
  const SHOWN = 20000;
  const NEAR = 7 * 86400;
  let plot = null;

  const escape = (text) => text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
  const distinct = (items, key) => [...new Map(items.map((item) => [item[key].toLowerCase(), item])).values()];
  const current = () => catalog.find((entry) => entry.offering === offering.value && entry.property === property.value);

  function listProperties() {
    property.replaceChildren();
    const entries = catalog.filter((entry) => entry.offering.toLowerCase() === offering.value.toLowerCase());
    for (const entry of distinct(entries, "property")) property.add(new Option(entry.propertyName, entry.property));
    listProcedures();
  }

  function listProcedures() {
    const entry = current();
    procedure.replaceChildren();
    for (const id of entry.procedures) procedure.add(new Option(id, id));
    if (entry.begin) {
      const first = series.readTime(entry.begin);
      const last = series.readTime(entry.end);
      series.writeInput(begin, Math.max(first, last - NEAR) < last ? Math.max(first, last - NEAR) : first);
      series.writeInput(end, last);
    } else {
      series.writeInput(begin, null);
      series.writeInput(end, null);
    }
  }

  function readChoice() {
    const ends = [series.readInput(begin), series.readInput(end)].map((time) => (time === null ? "" : series.formatTime(time)));
    const box = corners.map((corner) => corner.value.trim());
    return {
      ends,
      box: box.every(Boolean) ? box : null,
      procedures: [...procedure.selectedOptions].map((option) => option.value),
    };
  }

  function writeUrl() {
    const { ends, box, procedures } = readChoice();
    const parameters = {
      service: "SOS",
      version: "1.0.0",
      request: "GetObservation",
      offering: offering.value,
      observedProperty: property.value,
      procedure: procedures.join(","),
      eventTime: ends.some(Boolean) ? ends.join("/") : "",
      featureOfInterest: box ? `BBOX:${box.join(",")},EPSG:4326` : "",
      responseFormat: format.value,
    };
    return new URL(page.dataset.sos + series.write(parameters), location.href).href;
  }

  function writeBody() {
    const { ends, box, procedures } = readChoice();
    const lines = [
      '<GetObservation xmlns="http://www.opengis.net/sos/1.0" xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml" service="SOS" version="1.0.0">',
      `  <offering>${escape(offering.value)}</offering>`,
    ];
    if (ends.some(Boolean)) {
      const [from, to] = ends;
      lines.push(
        "  <eventTime>",
        "    <ogc:TM_During>",
        "      <ogc:PropertyName>om:samplingTime</ogc:PropertyName>",
        "      <gml:TimePeriod>",
        `        <gml:beginPosition${from ? "" : ' indeterminatePosition="unknown"'}>${from}</gml:beginPosition>`,
        `        <gml:endPosition${to ? "" : ' indeterminatePosition="now"'}>${to}</gml:endPosition>`,
        "      </gml:TimePeriod>",
        "    </ogc:TM_During>",
        "  </eventTime>",
      );
    }
    for (const id of procedures) lines.push(`  <procedure>${escape(id)}</procedure>`);
    lines.push(`  <observedProperty>${escape(property.value)}</observedProperty>`);
    if (box) {
      lines.push(
        "  <featureOfInterest>",
        "    <ogc:BBOX>",
        "      <ogc:PropertyName>msGeometry</ogc:PropertyName>",
        '      <gml:Envelope srsName="EPSG:4326">',
        `        <gml:lowerCorner>${escape(box[0])} ${escape(box[1])}</gml:lowerCorner>`,
        `        <gml:upperCorner>${escape(box[2])} ${escape(box[3])}</gml:upperCorner>`,
        "      </gml:Envelope>",
        "    </ogc:BBOX>",
        "  </featureOfInterest>",
      );
    }
    lines.push(`  <responseFormat>${escape(format.value)}</responseFormat>`, "</GetObservation>");
    return lines.join("\n");
  }

  function update() {
    find("kvp").textContent = writeUrl();
    find("open-get").href = writeUrl();
    find("body").textContent = writeBody();
  }

  async function run(url, options) {
    status.textContent = wording.write("Asking …");
    const started = performance.now();
    try {
      const response = await fetch(url, options);
      const type = response.headers.get("Content-Type") || "";
      const untyped = wording.write("no type");
      const bytes = await response.arrayBuffer();
      const took = Math.round(performance.now() - started);
      status.textContent = wording.write("Status %(status)s, %(type)s, %(size)s B, %(time)s ms.", {
        status: response.status,
        type: type || untyped,
        size: bytes.byteLength,
        time: took,
      });
      const readable = /json|xml|csv|text/.test(type);
      const text = readable ? new TextDecoder().decode(bytes) : wording.write("What came is for programs: open it to save it.");
      answer.textContent = text.length > SHOWN ? `${text.slice(0, SHOWN)}\n…` : text;
      answer.hidden = false;
      showCurves(type.startsWith("application/json") ? JSON.parse(text) : null);
    } catch (error) {
      status.textContent = wording.write("The server did not answer: %(reason)s", { reason: error.message });
    }
  }

  function showCurves(table) {
    if (plot) plot.destroy();
    plot = null;
    drawing.hidden = true;
    const column = current().columns.find((one) => one.numeric);
    if (!table || table.type !== "ObservationTable" || !column) return;
    const curves = [];
    for (const [id, { times, columns }] of series.readTable(table).stations) {
      if (!columns[column.name] || !times.length) continue;
      const [x, y] = series.breakGaps(times, columns[column.name], 0);
      curves.push({ label: id || wording.write("observations"), x, y });
    }
    if (!curves.length) return;
    drawing.hidden = false;
    plot = series.draw(drawing, curves, series.nameColumn(column), (from, to) => {
      series.writeInput(begin, Math.round(from));
      series.writeInput(end, Math.round(to));
      update();
      runGet();
    });
  }

  const runGet = () => run(writeUrl(), {});
  const runPost = () => run(page.dataset.sos.replace(/[?&]$/, ""), { method: "POST", headers: { "Content-Type": "text/xml" }, body: writeBody() });

  async function copy(text, place) {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = wording.write("Copied.");
    } catch {
      // A page without secure context cannot use the clipboard: then the text is selected for copying by keyboard.
      getSelection().selectAllChildren(place);
      status.textContent = wording.write("The text is marked: copy it by the keyboard.");
    }
  }

  for (const entry of distinct(catalog, "offering")) offering.add(new Option(entry.offeringName, entry.offering));
  offering.addEventListener("change", () => { listProperties(); update(); });
  property.addEventListener("change", () => { listProcedures(); update(); });
  for (const input of [procedure, begin, end, format, ...corners]) input.addEventListener("input", update);
  page.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); runGet(); });
  find("run-get").addEventListener("click", runGet);
  find("run-post").addEventListener("click", runPost);
  find("copy-get").addEventListener("click", () => copy(writeUrl(), find("kvp")));
  find("copy-post").addEventListener("click", () => copy(writeBody(), find("body")));
  listProperties();
  update();
  runGet();
})();
