// The filter language of `freeze runs list`, and bare words that are looked for in every text.

const TOKEN = /\s*(?:('(?:[^']|'')*')|(<=|>=|!=|=|<|>|\(|\)|,)|((?:[^\s()<>=!,'"`]|"[^"]*"|`[^`]*`)+))/y;
const OPERATORS = new Set(['=', '!=', '<', '<=', '>', '>=']);
const PREFIXES = ['params.', 'metrics.', 'tags.', 'data.', 'host.', 'git.', 'settings.'];
let searchedColumns;

class FilterError extends Error {}

/** Return a filter as a function of a run. Throws FilterError. */
function parseFilter(source) {
  const tokens = tokenize(source);
  let place = 0;
  const peek = () => tokens[place];
  const isWord = (word) => peek()?.word?.toLowerCase() === word;
  const take = () => tokens[place++];
  const accept = (word) => (isWord(word) ? take() : undefined);

  function either() {
    const found = [both()];
    while (accept('or')) found.push(both());
    return found.length === 1 ? found[0] : (row) => found.some((one) => one(row));
  }
  function both() {
    const found = [single()];
    for (;;) {
      if (accept('and')) found.push(single());
      else if (peek() && peek().sign !== ')' && !isWord('or')) found.push(single());
      else return found.length === 1 ? found[0] : (row) => found.every((one) => one(row));
    }
  }
  function single() {
    if (accept('not')) {
      const inner = single();
      return (row) => !inner(row);
    }
    if (peek()?.sign === '(') {
      take();
      const inner = either();
      if (take()?.sign !== ')') throw new FilterError('a closing parenthesis is missing');
      return inner;
    }
    return comparison();
  }
  function comparison() {
    const first = take();
    if (!first || first.sign) throw new FilterError(first ? `unexpected ${first.sign}` : 'the filter is not complete');
    if (OPERATORS.has(peek()?.sign)) return compared(first, take().sign, literal());
    if (accept('is')) {
      const without = Boolean(accept('not'));
      if (!accept('null')) throw new FilterError('after "is" comes "null" or "not null"');
      const column = columnOf(first);
      return (row) => (column.at(row) !== undefined) === without;
    }
    const mark = place;
    const negated = Boolean(accept('not'));
    if (accept('in')) return negate(oneOf(first), negated);
    const like = accept('like') ?? accept('ilike');
    if (like) return negate(matching(columnOf(first), literal().text, like.word.toLowerCase() === 'ilike'), negated);
    place = mark;
    return containing(first.text);
  }
  function oneOf(first) {
    if (take()?.sign !== '(') throw new FilterError('after "in" comes a list in parentheses');
    const found = [];
    do found.push(compared(first, '=', literal()));
    while (peek()?.sign === ',' && take());
    if (take()?.sign !== ')') throw new FilterError('a closing parenthesis is missing');
    return (row) => found.some((one) => one(row));
  }
  function literal() {
    const found = take();
    if (!found || found.sign) throw new FilterError('a value is missing');
    return found;
  }

  if (!tokens.length) return () => true;
  const found = either();
  if (peek()) throw new FilterError(`unexpected ${peek().text}`);
  return found;
}

function tokenize(source) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (source.slice(TOKEN.lastIndex).trim()) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) throw new FilterError(`cannot read: ${source.slice(start).trim().slice(0, 40)}`);
    const [, quoted, sign, word] = match;
    if (quoted) found.push({ text: quoted.slice(1, -1).replaceAll("''", "'"), quoted: true });
    else if (sign) found.push({ text: sign, sign });
    else if (/["`]/.test(word)) found.push({ text: word.replace(/["`]([^"`]*)["`]/g, '$1') });
    else found.push({ text: word, word });
  }
  return found;
}

/** Return the column of a name, in full or without its prefix: lr for params.lr. */
function columnOf(token) {
  const name = token.text;
  for (const one of [name, ...PREFIXES.map((prefix) => prefix + name)]) if (columns.has(one)) return columns.get(one);
  throw new FilterError(`no run has a field ${name}`);
}

function compared(first, operator, wanted) {
  const column = columnOf(first);
  const test = (order) => ({ '=': order === 0, '!=': order !== 0, '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 })[operator];
  const lower = wanted.text.toLowerCase();
  const number = wanted.quoted ? undefined : lower in SPECIAL ? SPECIAL[lower] : Number.isNaN(Number(lower)) ? undefined : Number(lower);
  const large = number !== undefined && /^[+-]?\d+$/.test(lower) && !Number.isSafeInteger(number) ? BigInt(lower) : undefined;
  const time = Date.parse(wanted.text.length > 7 ? (/\d{4}-\d\d-\d\d$/.test(wanted.text) ? `${wanted.text}T00:00Z` : wanted.text) : '');
  const digits = lower.replace(/^sha256:/, '').replace(/[….]+$/, '');
  return (row) => {
    if (large !== undefined && column.at(row)?.kind === 'integer') {
      const distance = BigInt(column.at(row).text) - large; // a double could not tell large ones apart
      return test(distance < 0n ? -1 : distance > 0n ? 1 : 0);
    }
    if (number !== undefined) {
      const found = column.number(row);
      if (found === undefined) return false;
      if (Number.isNaN(number)) return Number.isNaN(found) === (operator === '=') && (operator === '=' || operator === '!=');
      if (!Number.isNaN(found)) return test(found - number || (found === number ? 0 : NaN));
    }
    const found = column.at(row);
    if (found === undefined) return false;
    if (found.kind === 'digest') return operator === '=' ? found.key.startsWith(digits) : operator === '!=' && !found.key.startsWith(digits);
    if (found.kind === 'time') return !Number.isNaN(time) && test(found.key / 1000 - time);
    if (found.kind === 'boolean') return test(found.text.toLowerCase() === lower ? 0 : 1) && (operator === '=' || operator === '!=');
    if (found.kind !== 'text' || number !== undefined || (!wanted.quoted && /^(true|false)$/.test(lower))) return false;
    return test(found.key === wanted.text ? 0 : found.key < wanted.text ? -1 : 1);
  };
}

function matching(column, pattern, folded) {
  const exactly = (one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const source = pattern.replace(/\\(.)|([%_])|([^\\%_]+)/gs, (all, escaped, wild, plain) => (wild ? (wild === '%' ? '.*' : '.') : exactly(escaped ?? plain)));
  const expression = new RegExp(`^${source}$`, folded ? 'is' : 's');
  return (row) => {
    const found = column.at(row);
    return Boolean(found && (found.kind === 'text' || found.kind === 'digest') && expression.test(found.text));
  };
}

const negate = (inner, negated) => (negated ? (row) => !inner(row) : inner);

/** Return a test for runs with a word in any text. Each different text is looked at once. */
function containing(word) {
  const wanted = word.toLowerCase();
  const found = new Uint8Array(count);
  for (const { column, texts } of searched()) {
    const hits = texts.map((one) => one.includes(wanted));
    if (hits.includes(true)) column.eachPlace((row, place) => { if (hits[place]) found[row] = 1; });
  }
  for (const [row, notes] of Object.entries(root.notes)) if (notes.some((note) => note.toLowerCase().includes(wanted))) found[row] = 1;
  return (row) => found[row] === 1;
}

/** Return the columns that hold texts, with their different texts in lower case. */
function searched() {
  searchedColumns ??= [...columns.values()]
    .filter((column) => column.values && !/^(settings|given)\.|\.list$/.test(column.name))
    .map((column) => ({ column, texts: column.values.map((one) => (one.kind === 'text' || one.kind === 'digest' ? one.text.toLowerCase() : '')) }))
    .filter(({ texts }) => texts.some(Boolean));
  return searchedColumns;
}
