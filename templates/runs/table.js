// The table of runs. Only the rows in sight are elements, so ten thousand cost no more than fifty.

const ROW = 30;
const STATE_WIDTH = 116;
const SAMPLE = 300;
const LABELS = { id: 'run', status: 'state', seconds: 'duration', 'cpu-seconds': 'CPU seconds', 'peak-memory': 'peak memory' };
const STATES = { finished: 'good', failed: 'bad', interrupted: 'fair', running: 'info' };

class Table {
  /** `actions`: open(row), toggle(row, range), slotOf(row), sorted(). */
  constructor(grid, actions) {
    this.grid = grid;
    this.actions = actions;
    this.rows = every;
    this.active = -1;
    this.sort = { name: null, down: false };
    this.head = make('div', { kind: 'head', role: 'row', 'aria-rowindex': 1 });
    this.body = make('div', { kind: 'body', role: 'presentation' });
    grid.append(this.head, this.body);
    grid.addEventListener('scroll', () => this.later());
    grid.addEventListener('keydown', (event) => this.key(event));
    grid.addEventListener('focus', () => {
      // Not by a pointer: drawing anew between press and release would lose the click.
      if (this.active < 0 && grid.matches(':focus-visible')) this.move(0);
    });
    new ResizeObserver(() => this.later()).observe(grid);
    this.body.addEventListener('click', (event) => {
      const row = event.target.closest('.row');
      if (!row) return;
      this.move(Number(row.dataset.place), false);
      if (event.target.closest('.pick') || event.ctrlKey || event.metaKey || event.shiftKey) actions.toggle(this.rows[this.active], event.shiftKey);
      else actions.open(this.rows[this.active]);
    });
  }

  show(names) {
    this.names = names;
    const widths = names.map(width);
    this.grid.style.setProperty('--columns', `36px ${widths.map((one, place) => (place === names.length - 1 ? `minmax(${one}px, 1fr)` : `${one}px`)).join(' ')}`);
    this.grid.setAttribute('aria-colcount', names.length + 1);
    this.titles();
    this.draw();
  }

  titles() {
    this.head.replaceChildren(
      make('div', { kind: 'pick', role: 'columnheader' }, make('span', { kind: 'hidden' }, 'Selected')),
      ...this.names.map((name) => {
        const sorted = this.sort.name === name;
        const mark = sorted ? (this.sort.down ? '↓' : '↑') : '';
        const button = make('button', { type: 'button', tabindex: -1, title: `${name}: sort`, on: { click: () => this.sortBy(name) } }, make('span', {}, label(name)), mark && make('span', { 'aria-hidden': 'true' }, mark));
        return make('div', { role: 'columnheader', kind: columns.get(name).numeric ? 'number' : '', 'aria-sort': sorted ? (this.sort.down ? 'descending' : 'ascending') : 'none' }, button);
      }),
    );
  }

  sortBy(name) {
    if (this.sort.name !== name) this.sort = { name, down: columns.get(name).numeric };
    else if (this.sort.down === columns.get(name).numeric) this.sort = { name, down: !this.sort.down };
    else this.sort = { name: null, down: false };
    this.titles();
    this.actions.sorted();
  }

  set(rows) {
    const before = this.rows[this.active];
    this.rows = rows;
    this.active = before === undefined ? -1 : rows.indexOf(before);
    this.grid.setAttribute('aria-rowcount', rows.length + 1);
    this.body.style.height = `${rows.length * ROW}px`;
    this.grid.scrollTop = 0;
    this.draw();
  }

  later() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = 0;
    if (!this.names) return;
    const first = Math.max(0, Math.floor(this.grid.scrollTop / ROW) - 4);
    const last = Math.min(this.rows.length, Math.ceil((this.grid.scrollTop + this.grid.clientHeight) / ROW) + 4);
    const found = [];
    for (let place = first; place < last; place += 1) found.push(this.line(place));
    if (!this.rows.length) found.push(make('p', { kind: 'empty' }, count ? 'No run matches the filter.' : 'There are no runs yet.'));
    this.body.replaceChildren(...found);
    const active = this.active >= first && this.active < last;
    if (active) this.grid.setAttribute('aria-activedescendant', `row-${this.rows[this.active]}`);
    else this.grid.removeAttribute('aria-activedescendant');
  }

  line(place) {
    const row = this.rows[place];
    const slot = this.actions.slotOf(row);
    const cells = this.names.map((name) => {
      const one = field(row, name);
      const words = name === 'id' ? shortId(row) : brief(one, name);
      if (name === 'status') return make('div', { role: 'gridcell' }, make('span', { kind: `state ${STATES[words] ?? 'soft'}` }, words));
      return make('div', { role: 'gridcell', kind: name === 'id' ? 'mono' : columns.get(name).numeric ? 'number' : '', title: one?.text }, words);
    });
    const line = make(
      'div',
      { kind: place === this.active ? 'row active' : 'row', role: 'row', id: `row-${row}`, 'data-place': place, 'aria-rowindex': place + 2, 'aria-selected': String(slot >= 0) },
      make('div', { kind: 'pick', role: 'gridcell', title: 'Select for curves and comparison' }, make('span', { kind: 'swatch', 'data-slot': slot < 0 ? undefined : slot % 10 })),
      ...cells,
    );
    line.style.top = `${place * ROW}px`;
    return line;
  }

  move(place, scroll = true) {
    if (!this.rows.length) return;
    this.active = Math.max(0, Math.min(this.rows.length - 1, place));
    if (scroll) {
      const room = this.grid.clientHeight - this.head.offsetHeight;
      const top = this.active * ROW;
      if (top < this.grid.scrollTop) this.grid.scrollTop = top;
      else if (top + ROW > this.grid.scrollTop + room) this.grid.scrollTop = top + ROW - room;
    }
    this.draw();
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.grid.clientHeight / ROW) - 2);
    const steps = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: this.rows.length - 1 };
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === ' ' && this.active >= 0) this.actions.toggle(this.rows[this.active], event.shiftKey);
    else if (event.key === 'Enter' && this.active >= 0) this.actions.open(this.rows[this.active]);
    else return;
    event.preventDefault();
  }
}

/** Return the width of a column in pixels, as the runs before and its title need it. */
function width(name) {
  if (name === 'status') return STATE_WIDTH;
  const longest = Math.max(0, ...every.slice(0, SAMPLE).map((row) => (name === 'id' ? 9 : brief(field(row, name), name).length)));
  return Math.round(Math.max(56, Math.min(240, Math.max(7.1 * label(name).length + 30, 7.8 * longest + 18))));
}

const label = (name) => LABELS[name] ?? name.replace(/^(params|metrics)\./, '');

/** Return rows in the order of a column: numbers before text, runs without a value last. */
function ordered(rows, { name, down }) {
  if (name === null) return rows;
  const column = columns.get(name);
  const keys = new Map();
  for (const row of rows) {
    const number = column.number(row);
    keys.set(row, number === undefined || !Number.isNaN(number) ? number : (column.at(row).kind === 'double' ? NaN : column.at(row).text));
  }
  const rank = (key) => (key === undefined ? 3 : typeof key === 'string' ? 1 : Number.isNaN(key) ? 2 : 0);
  const way = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    const kinds = rank(one) - rank(other);
    if (kinds) return kinds;
    if (typeof one === 'string') return way * collator.compare(one, other) || a - b;
    return (one === other ? 0 : one < other ? -way : way) || a - b;
  });
}
