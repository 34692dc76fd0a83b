// The plot on the page of keys: requests per day of each key.
"use strict";

(() => {
  const drawing = document.getElementById("drawing");
  if (!drawing) return;
  const { days, counts } = JSON.parse(drawing.dataset.curves);
  const x = days.map(series.readTime);
  drawing.hidden = false;
  let plot = null;

  function draw() {
    if (plot) plot.destroy();
    const curves = Object.entries(counts).map(([label, y]) => ({ label, x, y }));
    plot = series.draw(drawing, curves, wording.write("Requests per day"), () => {});
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = drawing.clientWidth;
  new ResizeObserver(() => {
    if (plot && Math.abs(drawing.clientWidth - width) > 8) {
      width = drawing.clientWidth;
      plot.setSize({ width, height: plot.height });
    }
  }).observe(drawing);
  draw();
})();
