// The map of the stations: markers that lead to their curves, on tiles if the admin has set any, else on a graticule.
"use strict";

(() => {
  const STEPS = [45, 30, 15, 10, 5, 2, 1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
  // Pixels between meridians, at least: room for a label.
  const SPACE = 90;

  // Translators: E, W, N and S stand behind degrees, for east, west, north and south.
  const [EAST, WEST, NORTH, SOUTH] = [wording.write("E"), wording.write("W"), wording.write("N"), wording.write("S")];

  function formatDegrees(degrees, positive, negative) {
    const value = ((((degrees + 180) % 360) + 360) % 360) - 180;
    const text = String(Math.abs(Number(value.toFixed(4))));
    return `${text}°${value > 0 ? positive : value < 0 ? negative : ""}`;
  }

  function drawGraticule(map, group) {
    group.clearLayers();
    const bounds = map.getBounds();
    const scale = map.getSize().x / (bounds.getEast() - bounds.getWest());
    const step = [...STEPS].reverse().find((one) => one * scale >= SPACE) || STEPS[0];
    const color = getComputedStyle(document.documentElement).getPropertyValue("--line").trim();
    const style = { color, weight: 1, interactive: false };
    const label = (at, text) => L.marker(at, {
      interactive: false,
      keyboard: false,
      icon: L.divIcon({ className: "degree", html: text, iconSize: null, iconAnchor: [-4, -2] }),
    }).addTo(group);
    for (let x = Math.ceil(bounds.getWest() / step) * step; x <= bounds.getEast(); x += step) {
      L.polyline([[bounds.getSouth(), x], [bounds.getNorth(), x]], style).addTo(group);
      label([bounds.getNorth(), x], formatDegrees(x, EAST, WEST));
    }
    for (let y = Math.ceil(bounds.getSouth() / step) * step; y <= bounds.getNorth(); y += step) {
      L.polyline([[y, bounds.getWest()], [y, bounds.getEast()]], style).addTo(group);
      label([y, bounds.getWest()], formatDegrees(y, NORTH, SOUTH));
    }
  }

  function showMap(place) {
    place.closest(".needs-script").hidden = false;
    const stations = JSON.parse(place.dataset.stations);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const map = L.map(place, { zoomAnimation: !still, fadeAnimation: !still, worldCopyJump: true, zoomControl: false });
    L.control.zoom({
      position: "topright",
      zoomInTitle: wording.write("Zoom in"),
      zoomOutTitle: wording.write("Zoom out"),
    }).addTo(map);
    // Leaflet has no option for what this button is called.
    map.on("popupopen", ({ popup }) => {
      popup.getElement().querySelector(".leaflet-popup-close-button").setAttribute("aria-label", wording.write("Close popup"));
    });
    map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
    const group = L.featureGroup();
    for (const station of stations) {
      const link = document.createElement("a");
      link.href = station.href;
      link.textContent = station.name;
      L.marker([station.y, station.x], {
        title: station.name,
        icon: L.divIcon({ className: "station", iconSize: [18, 18] }),
      }).bindPopup(link).addTo(group);
    }
    map.fitBounds(group.getBounds().pad(0.25), { maxZoom: 9 });
    if (place.dataset.tiles) {
      const source = document.createElement("span");
      source.textContent = place.dataset.attribution;
      L.tileLayer(place.dataset.tiles, { attribution: source.innerHTML, maxZoom: 19 }).addTo(map);
    } else {
      const lines = L.layerGroup().addTo(map);
      const draw = () => drawGraticule(map, lines);
      map.on("moveend", draw);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
      draw();
    }
    group.addTo(map);
  }

  document.querySelectorAll(".map").forEach(showMap);
})();
