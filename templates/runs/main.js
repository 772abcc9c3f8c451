// The page's state, and what keys and buttons do to it.

const MOST_CHOSEN = 20;
const MOST_CHARTS = 12;
const element = (id) => document.getElementById(id);
const state = { chosen: [], open: null, first: null, second: null, tab: 'curves', filter: () => true, log: false, metric: '', lastToggled: null, rows: every };
const table = new Table(element('grid'), { open, toggle, slotOf, sorted: () => refresh() });

function slotOf(row) {
  return state.chosen.find((one) => one.row === row)?.slot ?? -1;
}

/** Return what tells a run from the others that are selected: its ID, and what varies among them. */
function runLabel(row) {
  const rows = state.chosen.length > 1 ? state.chosen.map((one) => one.row) : every.slice(0, 200);
  const varying = labelled(rows).map((name) => field(row, name) && `${label(name)}=${brief(field(row, name), name)}`);
  const named = field(row, 'tags.name');
  return [shortId(row), named?.text, ...varying].filter(Boolean).join('  ');
}

function labelled(rows) {
  const known = labelled.known;
  const key = rows.join();
  if (known?.key === key) return known.names;
  const given = [...columns.keys()].filter((name) => name.startsWith('given.')).map((name) => `params.${name.slice(6)}`);
  const names = ['seed', ...given].filter((name) => columns.has(name) && new Set(rows.map((row) => text(row, name))).size > 1).slice(0, 4);
  labelled.known = { key, names };
  return names;
}

function toggle(row, range = false) {
  const [from, to] = [state.rows.indexOf(state.lastToggled), state.rows.indexOf(row)];
  const rows = range && from >= 0 && to >= 0 ? state.rows.slice(Math.min(from, to), Math.max(from, to) + 1) : [row];
  const removing = !range && slotOf(row) >= 0;
  for (const one of rows) {
    if (removing) state.chosen = state.chosen.filter((other) => other.row !== one);
    else if (slotOf(one) < 0 && state.chosen.length < MOST_CHOSEN) state.chosen.push({ row: one, slot: freeSlot() });
  }
  state.lastToggled = row;
  [state.first, state.second] = [null, null];
  say(!removing && state.chosen.length === MOST_CHOSEN ? `${MOST_CHOSEN} runs are selected, the most that can be drawn together` : '');
  chosenChanged();
}

function freeSlot() {
  const taken = new Set(state.chosen.map(({ slot }) => slot));
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}

function open(row) {
  state.open = row;
  table.draw();
  show('run');
}

function pair(first, second) {
  [state.first, state.second] = [first, second];
  render();
}

function chosenChanged() {
  element('clear').hidden = !state.chosen.length;
  table.draw();
  render();
}

function show(tab) {
  state.tab = tab;
  for (const name of ['curves', 'compare', 'run']) {
    const button = element(`tab-${name}`);
    button.setAttribute('aria-selected', String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
  }
  element('panel').setAttribute('aria-labelledby', `tab-${tab}`);
  render();
  element('panel').scrollTop = 0;
}

function render() {
  const views = { curves: curvesView, compare: () => compareView(state, { pair }), run: () => runView(state.open, { open, toggle, slotOf }) };
  element('panel').replaceChildren(...views[state.tab]().filter(Boolean));
}

function curvesView() {
  if (!state.chosen.length) return [make('p', { kind: 'empty' }, count ? 'Select runs in the table to lay their curves over each other.' : 'There are no runs yet.')];
  const runs = state.chosen.map(({ row, slot }) => ({ row, slot, title: runLabel(row), curves: curves(row) }));
  const names = [...new Set(runs.flatMap((run) => [...run.curves.keys()]))].sort(byCode);
  const wanted = names.filter((name) => name.toLowerCase().includes(state.metric.toLowerCase()));
  const cards = make('div', { id: 'cards' }, ...wanted.slice(0, MOST_CHARTS).map((name) => card(name, runs)));
  return [legend(runs, cards), names.length > 0 && chartOptions(names, wanted), cards, wanted.length > MOST_CHARTS && make('p', { kind: 'soft' }, `${wanted.length - MOST_CHARTS} more metrics: find them by name.`), lastValues(runs)];
}

function legend(runs, cards) {
  const light = (slot) => {
    cards.classList.toggle('dim', slot !== null);
    for (const line of cards.querySelectorAll('.line')) line.classList.toggle('lit', line.getAttribute('data-slot') === String(slot));
  };
  const chips = runs.map(({ row, slot, title }) => {
    const name = make('button', { type: 'button', kind: 'name', title: 'Open this run', on: { click: () => open(row), focus: () => light(slot), blur: () => light(null) } }, title);
    const remove = make('button', { type: 'button', kind: 'remove', 'aria-label': `Deselect ${shortId(row)}`, on: { click: () => toggle(row) } }, '×');
    return make('span', { kind: 'chip', on: { pointerenter: () => light(slot), pointerleave: () => light(null) } }, make('span', { kind: 'swatch', 'data-slot': slot % 10 }), name, remove);
  });
  return make('div', { kind: 'chips' }, ...chips);
}

function chartOptions(names, wanted) {
  const log = make('label', {}, make('input', { type: 'checkbox', checked: state.log, on: { change: (event) => { state.log = event.target.checked; render(); } } }), 'Logarithmic');
  const find = names.length > 4 && make('input', { type: 'search', id: 'metric', value: state.metric, placeholder: `Find among ${names.length} metrics`, 'aria-label': 'Find a metric', on: { input: (event) => { state.metric = event.target.value; render(); element('metric').focus(); } } });
  return make('div', { kind: 'options' }, log, find, find && make('span', {}, `${wanted.length} of ${names.length}`));
}

function card(name, runs) {
  const lines = runs.filter((run) => run.curves.has(name)).map(({ slot, title, curves: all }) => ({ slot, title, curve: all.get(name) }));
  const parts = lines.length === 2 ? compareMetric(name, [undefined, undefined], lines.map(({ curve }) => curve)) : undefined;
  const thinned = lines.some(({ curve }) => !curve.whole);
  const remark = [parts?.verdict === 'same' && 'identical to the bit', thinned && 'thinned out: extremes are kept'].filter(Boolean).join(', ');
  const drawing = chart(name, lines, { width: Math.max(300, element('panel').clientWidth - 58), log: state.log, parts: parts?.verdict === 'differs' ? parts.step : undefined });
  const made = make('article', { kind: 'card' }, make('header', {}, make('h3', {}, label(name)), make('span', { kind: 'soft' }, remark)), drawing);
  probe(made, drawing, lines);
  return made;
}

function lastValues(runs) {
  const names = [...columns.keys()].filter((name) => name.startsWith('metrics.') && runs.some(({ row }) => field(row, name))).slice(0, 8);
  if (!names.length) return make('p', { kind: 'soft' }, 'The selected runs reported no metric.');
  const head = make('tr', {}, make('th', {}, 'Run'), ...names.map((name) => make('th', { kind: 'number' }, label(name))));
  const rows = runs.map(({ row, title }) => make('tr', {}, make('th', { scope: 'row' }, title), ...names.map((name) => make('td', { kind: 'number', title: field(row, name)?.text }, brief(field(row, name), name)))));
  return make('section', {}, make('h2', {}, 'Last values'), make('div', { kind: 'scroll' }, make('table', { kind: 'many' }, make('thead', {}, head), make('tbody', {}, ...rows))));
}

function refresh() {
  state.rows = ordered(every.filter(state.filter), table.sort);
  table.set(state.rows);
}

function say(words, bad = false) {
  const message = element('filter-message');
  message.textContent = words || (state.rows.length === count ? plural(count, 'run') : `${state.rows.length.toLocaleString('en')} of ${plural(count, 'run')}`);
  message.classList.toggle('bad', bad);
}

function filterChanged() {
  const input = element('filter');
  try {
    state.filter = parseFilter(input.value);
    input.removeAttribute('aria-invalid');
    refresh();
    say('');
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    input.setAttribute('aria-invalid', 'true');
    say(error.message, true);
  }
}

function columnMenu(shown) {
  const rank = (name) => (shown.includes(name) ? 0 : name.startsWith('metrics.') ? 1 : name.startsWith('params.') ? 2 : 3);
  const names = [...columns.keys()].filter((name) => !/^given\.|\.list$/.test(name)).sort((a, b) => rank(a) - rank(b) || byCode(a, b));
  const list = (wanted) => {
    const found = names.filter((name) => name.toLowerCase().includes(wanted.toLowerCase())).slice(0, 200);
    element('column-list').replaceChildren(...found.map((name) => make('label', {}, make('input', { type: 'checkbox', checked: table.names.includes(name), on: { change: (event) => table.show(event.target.checked ? [...table.names, name] : table.names.filter((one) => one !== name)) } }), name)));
  };
  element('column-search').addEventListener('input', (event) => list(event.target.value));
  element('columns').addEventListener('toggle', () => {
    if (!element('columns').open) return;
    list('');
    element('column-search').focus();
  });
}

function splitter() {
  const bar = element('splitter');
  const set = (share) => {
    const left = Math.max(25, Math.min(80, share));
    bar.setAttribute('aria-valuenow', Math.round(left));
    element('main').style.setProperty('--left', `${left}fr`);
    element('main').style.setProperty('--right', `${100 - left}fr`);
  };
  bar.addEventListener('pointerdown', (event) => bar.setPointerCapture(event.pointerId));
  bar.addEventListener('pointermove', (event) => bar.hasPointerCapture(event.pointerId) && set((100 * event.clientX) / document.body.clientWidth));
  bar.addEventListener('lostpointercapture', () => render());
  bar.addEventListener('keydown', (event) => {
    const change = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (!change) return;
    set(Number(bar.getAttribute('aria-valuenow')) + change);
    render();
    event.preventDefault();
  });
}

function theme() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const set = (name) => { document.documentElement.dataset.theme = name; };
  set(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', () => set(dark.matches ? 'dark' : 'light'));
  element('theme').addEventListener('click', () => set(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
}

function keys(event) {
  const typing = event.target.closest('input, select, textarea');
  if (event.key === 'Escape') {
    element('columns').open = false;
    if (event.target === element('filter')) element('grid').focus();
  } else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === '/') {
    event.preventDefault();
    element('filter').focus();
  } else if (event.key === 'c') show('compare');
}

function start() {
  theme();
  splitter();
  element('filter').addEventListener('input', filterChanged);
  element('clear').addEventListener('click', () => { state.chosen = []; chosenChanged(); });
  for (const name of ['curves', 'compare', 'run']) {
    element(`tab-${name}`).addEventListener('click', () => show(name));
    element(`tab-${name}`).addEventListener('keydown', (event) => {
      const names = ['curves', 'compare', 'run'];
      const step = { ArrowRight: 1, ArrowLeft: 2 }[event.key];
      if (!step) return;
      const next = names[(names.indexOf(name) + step) % 3];
      show(next);
      element(`tab-${next}`).focus();
    });
  }
  document.addEventListener('keydown', keys);
  document.addEventListener('click', (event) => { if (!event.target.closest('#columns')) element('columns').open = false; });
  const metrics = root.main.filter((name) => name.startsWith('metrics.'));
  const shown = ['id', 'status', ...metrics, ...root.main.filter((name) => !metrics.includes(name)), 'started', 'seconds'].filter((name) => columns.has(name));
  table.show(shown.length ? shown : [...columns.keys()].slice(0, 5));
  columnMenu(shown);
  filterChanged();
  const drawn = every.slice(0, root.part).filter((row) => details(row).curves).slice(0, 5);
  state.chosen = drawn.map((row, slot) => ({ row, slot }));
  if (count) state.open = 0;
  chosenChanged();
  let waiting;
  addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(() => state.tab === 'curves' && render(), 120); });
}

start();
