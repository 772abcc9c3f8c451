// Curves of the selected runs, laid over each other: one chart for each metric.

const HEIGHT = 220;
const MARGIN = { left: 56, right: 10, top: 10, bottom: 24 };

/** Return a chart: `lines` are {slot, title, curve}; `options` are {width, log, parts}. */
function chart(name, lines, options) {
  const usable = (number) => Number.isFinite(number) && (!options.log || number > 0);
  const scaled = options.log ? Math.log10 : (number) => number;
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { curve } of lines) {
    curve.values.forEach((number, place) => {
      if (!usable(number)) return;
      left = Math.min(left, curve.steps[place]);
      right = Math.max(right, curve.steps[place]);
      low = Math.min(low, scaled(number));
      high = Math.max(high, scaled(number));
    });
  }
  const element = make('svg', { kind: 'chart', role: 'img', tabindex: 0, 'aria-label': described(name, lines), viewBox: `0 0 ${options.width} ${HEIGHT}`, preserveAspectRatio: 'none' });
  if (left === Infinity) {
    element.append(make('text', { x: options.width / 2, y: HEIGHT / 2, 'text-anchor': 'middle' }, options.log ? 'No positive number to draw' : 'No finite number to draw'));
    return element;
  }
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.05, high + (Math.abs(high) || 1) * 0.05];
  const x = (step) => MARGIN.left + ((options.width - MARGIN.left - MARGIN.right) * (step - left)) / (right - left || 1);
  const y = (number) => MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (scaled(number) - low) / (high - low));
  const floor = HEIGHT - MARGIN.bottom;
  for (const tick of ticks(low, high, 5)) {
    const height = MARGIN.top + (floor - MARGIN.top) * (1 - (tick - low) / (high - low));
    element.append(make('path', { kind: 'gridline', d: `M${MARGIN.left} ${height.toFixed(1)}H${options.width - MARGIN.right}` }));
    element.append(make('text', { x: MARGIN.left - 6, y: height + 4, 'text-anchor': 'end' }, compact(options.log ? 10 ** tick : tick)));
  }
  for (const tick of ticks(left, right, 6).filter(Number.isInteger)) element.append(make('text', { x: x(tick), y: HEIGHT - 7, 'text-anchor': 'middle' }, compact(tick)));
  for (const { slot, curve, title } of lines) {
    const attributes = { 'data-line': slot % 10, 'data-slot': slot };
    const kind = slot >= 10 ? 'line second' : 'line';
    let path = '';
    curve.values.forEach((number, place) => {
      if (!usable(number)) return;
      const [before, after] = [usable(curve.values[place - 1]), usable(curve.values[place + 1])];
      const point = [x(curve.steps[place]).toFixed(1), y(number).toFixed(1)];
      path += `${before ? 'L' : 'M'}${point.join(' ')}`;
      if (!before && !after) element.append(make('circle', { ...attributes, kind, cx: point[0], cy: point[1], r: 3 }));
    });
    element.append(make('path', { ...attributes, kind, d: path, 'aria-label': title }));
  }
  if (options.parts !== undefined && options.parts >= left && options.parts <= right) {
    const place = x(options.parts);
    const far = place > options.width * 0.6;
    element.append(make('path', { kind: 'part', d: `M${place.toFixed(1)} ${MARGIN.top}V${floor}` }));
    element.append(make('text', { kind: 'part', x: place + (far ? -5 : 5), y: MARGIN.top + 10, 'text-anchor': far ? 'end' : 'start' }, `differ from step ${options.parts}`));
  }
  element.geometry = { x, y, left, right, floor, usable };
  return element;
}

/** Show the values at a step while the pointer, or the arrow keys, move over a chart. */
function probe(card, element, lines) {
  const tip = make('div', { kind: 'tip', hidden: true, 'aria-live': 'polite' });
  card.append(tip);
  const marks = make('g');
  element.append(marks);
  const steps = [...new Set(lines.flatMap(({ curve }) => [...curve.steps]))].sort((a, b) => a - b);
  let place = -1;
  function hide() {
    tip.hidden = true;
    marks.replaceChildren();
  }
  function show(wanted) {
    if (!element.geometry || !steps.length) return;
    place = Math.max(0, Math.min(steps.length - 1, wanted));
    const { x, y, floor, usable } = element.geometry;
    const step = steps[place];
    marks.replaceChildren(make('path', { kind: 'cross', d: `M${x(step).toFixed(1)} ${MARGIN.top}V${floor}` }));
    const found = lines.map((line) => ({ line, at: Array.prototype.indexOf.call(line.curve.steps, step) })).filter(({ at }) => at >= 0);
    for (const { line, at } of found) {
      const number = line.curve.values[at];
      if (usable(number)) marks.append(make('circle', { 'data-line': line.slot % 10, cx: x(step), cy: y(number), r: 3.5 }));
    }
    tip.replaceChildren(make('div', { kind: 'soft' }, `step ${step}`), ...found.map(({ line, at }) => make('div', { kind: 'chip-row' }, make('span', { kind: 'swatch', 'data-slot': line.slot % 10 }), make('span', {}, line.title), make('b', {}, compact(line.curve.values[at], 7)))));
    tip.hidden = false;
    const ratio = element.clientWidth / Number(element.getAttribute('viewBox').split(' ')[2]);
    const across = x(step) * ratio;
    const beside = across > element.clientWidth / 2 ? across - tip.offsetWidth - 4 : across + 28;
    tip.style.left = `${Math.max(4, Math.min(card.clientWidth - tip.offsetWidth - 4, beside))}px`;
    tip.style.top = `${element.getBoundingClientRect().top - card.getBoundingClientRect().top + 4}px`;
  }
  element.addEventListener('pointermove', (event) => {
    const box = element.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * Number(element.getAttribute('viewBox').split(' ')[2]);
    const { left, right } = element.geometry ?? {};
    if (left === undefined) return;
    const { x } = element.geometry;
    const step = left + ((at - x(left)) / (x(right) - x(left) || 1)) * (right - left);
    show(nearest(steps, step));
  });
  element.addEventListener('pointerleave', hide);
  element.addEventListener('blur', hide);
  element.addEventListener('keydown', (event) => {
    const moves = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: steps.length - 1 };
    if (event.key in moves) show(moves[event.key]);
    else if (event.key === 'Escape') hide();
    else return;
    event.preventDefault();
  });
}

function nearest(steps, wanted) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - steps[low - 1] < steps[low] - wanted ? low - 1 : low;
}

function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? power * 10;
  const found = [];
  for (let place = Math.ceil(low / distance); place * distance <= high + distance * 1e-9 && found.length < 20; place += 1) found.push(place * distance);
  return found;
}

function compact(number, digits = 4) {
  if (!Number.isFinite(number)) return repr(number);
  if (Number.isInteger(number) && Math.abs(number) < 1e5) return String(number);
  if (Math.abs(number) >= 1e5 || (number !== 0 && Math.abs(number) < 1e-3)) return number.toExponential(digits - 2).replace(/\.?0+e/, 'e').replace('e+', 'e');
  return String(Number(number.toPrecision(digits)));
}

function described(name, lines) {
  const last = lines.map(({ title, curve }) => `${title}: ${compact(curve.values.at(-1), 6)} at step ${curve.steps.at(-1)}`);
  return `${name}, ${plural(lines.length, 'run')}. Last values: ${last.join('; ')}. Arrow keys read single steps.`;
}
