// Time series: what to ask for, how its answer becomes columns, and how these are drawn.
"use strict";

const series = (() => {
  const STEPS = [
    [60, "PT1M"], [120, "PT2M"], [300, "PT5M"], [600, "PT10M"], [900, "PT15M"], [1800, "PT30M"],
    [3600, "PT1H"], [7200, "PT2H"], [10800, "PT3H"], [21600, "PT6H"],
    [86400, "P1D"], [604800, "P1W"], [2592000, "P1M"], [7776000, "P3M"], [31536000, "P1Y"],
  ];
  const COLORS = 6;
  // Spaces between points this many times as long as usual are gaps.
  const GAP = 2.5;

  // The step that leaves no more summaries than there are pixels, null where observations themselves are few enough.
  function chooseStep(seconds, width) {
    const least = seconds / Math.max(width, 100);
    if (least < 1) return null;
    return STEPS.find(([length]) => length >= least) || STEPS[STEPS.length - 1];
  }

  function write(parameters) {
    return Object.entries(parameters)
      .filter(([, value]) => value)
      .map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/%(3A|2F|2C)/g, decodeURIComponent)}`)
      .join("&");
  }

  function formatTime(seconds) {
    return new Date(seconds * 1000).toISOString().replace(".000", "");
  }

  function readTime(text) {
    return Date.parse(text) / 1000;
  }

  // The text of an input of type datetime-local as seconds, which are of UTC there.
  function readInput(input) {
    return input.value ? readTime(`${input.value}Z`) : null;
  }

  function writeInput(input, seconds) {
    input.value = seconds === null ? "" : formatTime(seconds).replace("Z", "");
  }

  // Points by station: {station: {times, columns: {name: values}}} in order of time.
  function readTable(table) {
    const stations = new Map();
    const numbers = table.columns.filter((one) => one.role === "property" && one.type === "number").map((one) => one.name);
    for (const block of table.blocks) {
      const times = block.time || [];
      for (let row = 0; row < times.length; row += 1) {
        if (times[row] === null) continue;
        const id = (block.procedure && block.procedure[row]) || "";
        if (!stations.has(id)) stations.set(id, []);
        stations.get(id).push([readTime(times[row]), numbers.map((name) => (block[name] ? block[name][row] : null))]);
      }
    }
    const found = new Map();
    for (const [id, points] of stations) {
      points.sort((one, other) => one[0] - other[0]);
      const columns = {};
      numbers.forEach((name, index) => { columns[name] = points.map((point) => point[1][index]); });
      found.set(id, { times: points.map((point) => point[0]), columns });
    }
    return { stations: found, columns: table.columns };
  }

  // A column with an empty point in each space that is longer than usual.
  function breakGaps(times, values, step) {
    const spaces = times.slice(1).map((time, index) => time - times[index]).sort((one, other) => one - other);
    const usual = Math.max(spaces.length ? spaces[Math.floor(spaces.length / 2)] : 0, step || 0);
    const x = [];
    const y = [];
    times.forEach((time, index) => {
      if (index > 0 && usual > 0 && time - times[index - 1] > GAP * usual) {
        x.push(times[index - 1] + usual);
        y.push(null);
      }
      x.push(time);
      y.push(values[index]);
    });
    return [x, y];
  }

  function nameColumn({ name, unit }) {
    return unit ? `${name} ${unit.startsWith("[") ? unit : `[${unit}]`}` : name;
  }

  // Years, months, days or clock times in UTC, with what is longer below the first and wherever it changes.
  function labelTimes(plot, splits, axis, space, step) {
    let last = "";
    return splits.map((seconds) => {
      const text = formatTime(seconds);
      if (step >= 31536000) return text.slice(0, 4);
      const [short, long] = step >= 2419200 ? [text.slice(5, 7), text.slice(0, 4)]
        : step >= 86400 ? [text.slice(5, 10), text.slice(0, 4)]
          : [text.slice(11, step >= 60 ? 16 : 19), text.slice(0, 10)];
      const label = long === last ? short : `${short}\n${long}`;
      last = long;
      return label;
    });
  }

  function readColor(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function fade(color) {
    return `color-mix(in srgb, ${color} 22%, transparent)`;
  }

  // Draw curves ({label, x, y, thin, low, high}); low and high, where there are any, are drawn as a band, a thin one as
  // a hairline. Calls select with the ends of a period that was dragged over. Returns the plot, which has a method destroy.
  function draw(place, curves, axisLabel, select) {
    const tables = [];
    const drawn = [{ label: wording.write("Time"), value: (plot, raw) => (raw === null ? "–" : formatTime(raw).replace("T", " ").replace("Z", " UTC")) }];
    const bands = [];
    curves.forEach((curve, index) => {
      const stroke = readColor(`--series-${(index % COLORS) + 1}`);
      const value = (plot, raw) => (raw === null || raw === undefined ? "–" : String(Number(raw.toPrecision(6))));
      tables.push([curve.x, curve.y]);
      drawn.push({ label: curve.label, stroke, width: curve.thin ? 0.8 : 1.6, value, points: { show: curve.x.length < 120, size: 5 } });
      if (curve.low) {
        const first = drawn.length;
        tables.push([curve.x, curve.high], [curve.x, curve.low]);
        drawn.push(
          { label: wording.write("%(station)s, highest", { station: curve.label }), inBand: true, stroke: fade(stroke), width: 0.5, value, points: { show: false } },
          { label: wording.write("%(station)s, lowest", { station: curve.label }), inBand: true, stroke: fade(stroke), width: 0.5, value, points: { show: false } },
        );
        bands.push({ series: [first, first + 1], fill: fade(stroke) });
      }
    });
    // 2: an empty value stays a gap although other stations have a point at the same time.
    const data = uPlot.join(tables, tables.map(() => [0, 2]));
    place.replaceChildren();
    const axis = { stroke: readColor("--ink"), grid: { stroke: readColor("--line"), width: 1 }, ticks: { stroke: readColor("--line"), width: 1 } };
    const plot = new uPlot({
      width: Math.max(place.clientWidth, 260),
      height: place.clientWidth < 560 ? 300 : 380,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      series: drawn,
      bands,
      axes: [{ ...axis, values: labelTimes, space: 70 }, { ...axis, label: axisLabel, size: 64 }],
      cursor: { drag: { x: true, y: false, setScale: false }, focus: { prox: 24 } },
      focus: { alpha: 1 },
      hooks: {
        setSelect: [(plot) => {
          if (plot.select.width < 4) return;
          select(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"));
        }],
      },
    }, data, place);
    // The ends of a band have no use in the legend: they are in the summary that is told below it.
    plot.root.querySelectorAll(".u-series").forEach((row, index) => { row.hidden = Boolean(drawn[index].inBand); });
    return plot;
  }

  return { nameColumn, chooseStep, write, formatTime, readTime, readInput, writeInput, readTable, breakGaps, draw };
})();
