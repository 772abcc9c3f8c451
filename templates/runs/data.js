// The runs as columns, and values as people read them. Python writes them: freezer/output/runs/columns.py.

const root = JSON.parse(document.getElementById('data').textContent);
const SPECIAL = { nan: NaN, inf: Infinity, '-inf': -Infinity };
const collator = new Intl.Collator('en', { numeric: true });
const parts = new Map();

/** A value: its kind, what it compares by, and its text in full. */
const value = (kind, key, text) => ({ kind, key, text });

/** Return a double as Python writes it: the shortest text that reads back to the same bits. */
function repr(number) {
  if (Number.isNaN(number)) return 'nan';
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf';
  if (Object.is(number, -0)) return '-0.0';
  const [digits, power] = number.toExponential().split('e');
  const exponent = Number(power);
  if (number !== 0 && (exponent < -4 || exponent >= 16)) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

function decoded(item) {
  if (typeof item === 'string') return value('text', item, item);
  if (typeof item === 'boolean') return value('boolean', item, item ? 'True' : 'False');
  if (typeof item === 'number') return Number.isInteger(item) ? value('integer', item, String(item)) : value('double', item, repr(item));
  if ('t' in item) return value('time', item.t, moment(item.t));
  if ('d' in item) return value('digest', item.d, item.d);
  const whole = /^-?\d+$/.test(item.f);
  return value(whole ? 'integer' : 'double', item.f in SPECIAL ? SPECIAL[item.f] : Number(item.f), item.f);
}

function moment(micros) {
  const date = new Date(micros / 1000);
  return Number.isNaN(date.getTime()) ? String(micros) : `${date.toISOString().slice(0, 19)}Z`;
}

class Column {
  constructor(document) {
    this.name = document.n;
    this.doubles = document.f;
    this.values = document.d && document.d.map(decoded);
    this.places = document.x;
    this.rows = document.i && new Map(document.i.map((row, place) => [row, place]));
    this.numeric = this.doubles ? true : this.values.every((one) => one.kind === 'integer' || one.kind === 'double');
  }

  /** Return the value of a run, or undefined. */
  at(row) {
    const place = this.rows ? this.rows.get(row) : row;
    if (place === undefined) return undefined;
    if (this.doubles) {
      const found = this.doubles[place];
      if (found === null) return undefined;
      const number = typeof found === 'string' ? SPECIAL[found] : found;
      return value('double', number, repr(number));
    }
    if (this.places === undefined) return this.values[place];
    return this.values[typeof this.places === 'number' ? this.places : this.places[place]];
  }

  /** Call `visit` with each run that has a value and the value's place among the different ones. */
  eachPlace(visit) {
    const rows = this.rows ? [...this.rows.keys()] : every;
    rows.forEach((row, index) => {
      const place = this.places === undefined ? index : typeof this.places === 'number' ? this.places : this.places[index];
      if (place >= 0) visit(row, place);
    });
  }

  /** Return the number of a run without its text: NaN for another kind, undefined for none. */
  number(row) {
    if (!this.doubles) {
      const found = this.at(row);
      return found && (typeof found.key === 'number' ? found.key : NaN);
    }
    const place = this.rows ? this.rows.get(row) : row;
    const found = place === undefined ? null : this.doubles[place];
    if (found === null) return undefined;
    return typeof found === 'string' ? SPECIAL[found] : found;
  }
}

const count = root.count;
const columns = new Map(root.columns.map((one) => [one.n, new Column(one)]));
const every = Array.from({ length: count }, (_, row) => row);

/** Return a field of a run, or undefined. */
const field = (row, name) => columns.get(name)?.at(row);
const text = (row, name) => field(row, name)?.text ?? '';
const shortId = (row) => text(row, 'id').slice(0, 8);

/** Return all fields of a run by name. */
function fields(row) {
  const found = new Map();
  for (const [name, column] of columns) {
    const one = column.at(row);
    if (one !== undefined) found.set(name, one);
  }
  return found;
}

/** Return a value as a table displays it. */
function brief(one, name = '') {
  if (one === undefined) return '';
  if (name === 'seconds') return duration(one.key);
  if (one.kind === 'double') return Number.isFinite(one.key) ? String(Number(one.key.toPrecision(6))) : one.text;
  if (one.kind === 'digest') return one.text.slice(0, 12);
  if (one.kind === 'time') return one.text.slice(0, 16).replace('T', ' ');
  return one.kind === 'boolean' ? one.text.toLowerCase() : one.text;
}

function duration(seconds) {
  if (seconds < 100) return `${Number(seconds.toPrecision(3))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function bytes(size) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let place = 0;
  for (; size >= 1000 && place < 4; place += 1) size /= 1000;
  return place ? `${size.toFixed(1)} ${units[place]}` : `${size} B`;
}

const plural = (number, noun) => `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

/** Return what is read of a run only when it is looked at: curves, outputs, last lines. */
function details(row) {
  const part = Math.floor(row / root.part);
  if (!parts.has(part)) parts.set(part, JSON.parse(document.getElementById(`part-${part}`).textContent));
  return parts.get(part)[row % root.part];
}

/** Return the curves of a run by metric. */
function curves(row) {
  const found = new Map();
  for (const [name, [steps, data, length, digest]] of Object.entries(details(row).curves ?? {})) {
    const raw = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    const view = new DataView(raw.buffer);
    const values = Float64Array.from({ length: raw.length / 8 }, (_, place) => view.getFloat64(place * 8, true));
    const places = Array.isArray(steps) ? steps : Array.from(values, (_, place) => steps.s + steps.d * place);
    found.set(name, { steps: places, values, count: length, digest, whole: values.length === length });
  }
  return found;
}

/** Return an element with attributes and children; text is only ever text. */
function make(tag, attributes = {}, ...children) {
  const spaced = tag === 'svg' || SHAPES.has(tag);
  const element = spaced ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, one] of Object.entries(attributes)) {
    if (one === undefined || one === null || one === false) continue;
    if (name === 'on') for (const [event, listener] of Object.entries(one)) element.addEventListener(event, listener);
    else element.setAttribute(name === 'kind' ? 'class' : name, one === true ? '' : one);
  }
  element.append(...children.filter((one) => one !== undefined && one !== null && one !== false));
  return element;
}
const SHAPES = new Set(['path', 'g', 'circle', 'rect', 'text']);
