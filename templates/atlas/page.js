(() => {
'use strict';
// Rows of measurements, filtered by words, effect, factor and library. Text is set as text alone.
const element = (id) => document.getElementById(id);
const { libraries, rows } = JSON.parse(element('data').textContent);
const words = rows.map((row) => `${row.package} ${libraries[row.package].title} ${row.versions} ${row.operation} ${row.factor} ${row.effect} ${row.finding} ${row.setting} ${row.note}`.toLowerCase());
const RANK = { varies: 0, differs: 1, same: 2 };
const order = rows.map((_, place) => place).sort((a, b) => RANK[rows[a].effect] - RANK[rows[b].effect] || a - b);

function make(tag, properties = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'kind') found.className = value;
    else found.setAttribute(name, value);
  }
  found.append(...children.filter((child) => child !== ''));
  return found;
}

function line(place) {
  const row = rows[place];
  const finding = make('td', {}, row.finding);
  if (row.setting) finding.append(make('span', { kind: 'soft' }, `Setting: ${row.setting}`));
  const operation = make('button', { kind: 'operation', type: 'button', 'aria-expanded': 'false' }, row.operation);
  const found = make('tr', { kind: 'row' },
    make('td', {}, libraries[row.package].title, make('span', { kind: 'version' }, `${row.package} ${row.versions}`)),
    make('td', {}, operation), make('td', {}, row.factor),
    make('td', {}, make('span', { kind: `badge ${row.effect}` }, row.effect)), finding);
  found.addEventListener('click', () => toggle(found, operation, row));
  return found;
}

function toggle(found, operation, row) {
  const open = operation.getAttribute('aria-expanded') === 'true';
  operation.setAttribute('aria-expanded', String(!open));
  if (open) {
    found.nextElementSibling.remove();
    return;
  }
  const library = libraries[row.package];
  const facts = [['Note', row.note], ['How', row.how], ['CPU', `${library.cpu}, CPython ${library.python}`], ['Measured', row.date]];
  const list = make('dl', {});
  for (const [name, value] of facts) if (value) list.append(make('dt', {}, name), make('dd', {}, value));
  list.append(make('dt', {}, 'Repeat'), make('dd', {}, make('code', {}, library.repeat)));
  found.after(make('tr', { kind: 'more' }, make('td', { colspan: '5' }, list)));
}

function draw() {
  const wanted = element('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const effects = new Set([...document.querySelectorAll('#effects input:checked')].map((box) => box.value));
  const [factor, library] = [element('factor').value, element('library').value];
  const shown = order.filter((place) => effects.has(rows[place].effect) && (!factor || rows[place].factor === factor)
    && (!library || rows[place].package === library) && wanted.every((word) => words[place].includes(word)));
  element('rows').replaceChildren(...shown.map(line));
  element('count').textContent = `${shown.length} of ${rows.length} rows`;
  element('empty').hidden = shown.length > 0;
  const hash = new URLSearchParams({ q: element('search').value, factor, library });
  for (const [name, value] of [...hash]) if (!value) hash.delete(name);
  history.replaceState(null, '', `#${hash}`);
}

function start() {
  for (const name of [...new Set(rows.map((row) => row.factor))].sort()) element('factor').append(make('option', { value: name }, name));
  for (const name of Object.keys(libraries).sort()) element('library').append(make('option', { value: name }, name));
  const given = new URLSearchParams(location.hash.slice(1));
  element('search').value = given.get('q') ?? '';
  for (const name of ['factor', 'library']) element(name).value = given.get(name) ?? '';
  for (const one of ['search', 'factor', 'library', 'effects']) element(one).addEventListener('input', draw);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !/^(INPUT|SELECT)$/.test(event.target.tagName)) { event.preventDefault(); element('search').focus(); }
  });
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  element('theme').addEventListener('click', () => { root.dataset.theme = dark() ? 'light' : 'dark'; });
  draw();
}

start();
})();
