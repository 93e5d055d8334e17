(function (figure) {
  "use strict";
  const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const all = (what) => [...figure.querySelectorAll(what)].filter((e) => e.closest("figure") === figure);
  const one = (what) => all(what)[0];
  const svg = one("svg"), slider = one("input"), says = one(".hg-says"), play = one(".hg-play");
  const nodes = all("g.hg-node"), edges = all("path.hg-edge"), last = data.steps.length - 1;
  let timer = null;

  function heat(group, arrays) {
    group.replaceChildren();
    if (!arrays) return;
    arrays.forEach((array, place) => draw(group, array, place, arrays.length));
  }

  function draw(group, array, place, count) {
    const left = +group.dataset.x, top = +group.dataset.y, wide = +group.dataset.w / count, high = +group.dataset.h;
    if (!array.rows) {
      const text = document.createElementNS(svg.namespaceURI, "text");
      text.setAttribute("x", left + wide * (place + 0.5));
      text.setAttribute("y", top + high / 2 + 4);
      text.textContent = array.text;
      group.append(text);
      return;
    }
    const cell = Math.min(wide / array.cols, high / array.rows, 12);
    const x0 = left + wide * place + (wide - cell * array.cols) / 2, y0 = top + (high - cell * array.rows) / 2;
    array.cells.forEach((value, i) => {
      const rect = document.createElementNS(svg.namespaceURI, "rect");
      rect.setAttribute("x", x0 + cell * (i % array.cols));
      rect.setAttribute("y", y0 + cell * Math.floor(i / array.cols));
      rect.setAttribute("width", cell);
      rect.setAttribute("height", cell);
      rect.setAttribute("class", value < 0 ? "hg-low" : "hg-high");
      rect.setAttribute("fill-opacity", Math.abs(value));
      group.append(rect);
    });
  }

  function show(step) {
    const bars = {}, reached = new Set();
    data.steps.slice(0, step + 1).forEach((s) => {
      if (s.kind === "forward") reached.add(s.node);
      Object.assign(bars, s.bars || {});
    });
    const now = data.steps[step];
    nodes.forEach((node, n) => {
      node.classList.toggle("hg-there", reached.has(n));
      node.classList.toggle("hg-now", now.node === n);
      heat(node.querySelector(".hg-value"), reached.has(n) ? data.values[n] : null);
      heat(node.querySelector(".hg-bar"), bars[n]);
    });
    edges.forEach((edge, n) => edge.classList.toggle("hg-back", (now.edges || []).includes(n)));
    figure.classList.toggle("hg-backward", now.kind === "backward");
    slider.value = step;
    says.textContent = now.says;
    const box = nodes[now.node].getBBox(), frame = svg.parentElement, scale = svg.clientWidth / svg.viewBox.baseVal.width;
    frame.scrollLeft = (box.x + box.width / 2) * scale - frame.clientWidth / 2;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ play";
  }

  function move(by) {
    stop();
    show(Math.max(0, Math.min(last, +slider.value + by)));
  }

  play.addEventListener("click", () => {
    if (timer) return stop();
    if (+slider.value === last) show(0);
    play.textContent = "❚❚ pause";
    timer = setInterval(() => (+slider.value === last ? stop() : show(+slider.value + 1)), 1100);
  });
  one(".hg-before").addEventListener("click", () => move(-1));
  one(".hg-next").addEventListener("click", () => move(1));
  slider.addEventListener("input", () => { stop(); show(+slider.value); });
  figure.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -last, End: last }[event.key];
    if (by === undefined || event.target === slider || event.target.closest("figure") !== figure) return;
    event.preventDefault();
    event.stopPropagation();
    move(by);
  });
  show(0);
})
