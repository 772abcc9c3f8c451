// The view of one run: what decided its results, what came out, its data and its environment.

const GROUPS = [
  ['Parameters', /^params\.|^seed$/],
  ['Code', /^(template$|git\.)/],
  ['Settings and resources', /^(settings|resources)\.|^network$/],
  ['Host', /^host\.|^engine$|^ranks|^slurm\./],
];
const SHOWN_APART = /^(id|env|command|status|started|ended|seconds|exit|lock|image|generation|given\..*|metrics\..*|data\..*|tags\..*|links\..*|cpu-seconds|peak-memory|outputs\.left-out)$/;

function runView(row, actions) {
  if (row === null) return [make('p', { kind: 'empty' }, count ? 'Open a run from the table.' : 'There are no runs yet.')];
  const all = fields(row);
  const rest = details(row);
  const order = (name) => (name === 'seed' ? 0 : all.has(`given.${name.slice(7)}`) ? 1 : 2);
  const sections = GROUPS.map(([title, pattern]) => section(title, [...all].filter(([name]) => pattern.test(name) && !SHOWN_APART.test(name)).sort(([a], [b]) => order(a) - order(b))));
  const grouped = (name) => GROUPS.some(([, pattern]) => pattern.test(name));
  const others = [...all].filter(([name]) => !grouped(name) && !SHOWN_APART.test(name));
  return [
    headline(row, all, actions),
    make('pre', { kind: 'block mono' }, text(row, 'command')),
    ...remarks(row, all, actions),
    metricsOf(row),
    sections[0],
    ...dataOf(all),
    ...environmentOf(all),
    ...sections.slice(1),
    ...outputsOf(rest, all),
    section('Also recorded', others),
    rest.tail && make('h2', {}, 'Last lines of the output'),
    rest.tail && make('pre', { kind: 'block mono' }, rest.tail),
  ];
}

function headline(row, all, actions) {
  const state = text(row, 'status');
  const facts = [all.get('started')?.text, all.has('seconds') && duration(all.get('seconds').key), all.has('cpu-seconds') && `${duration(all.get('cpu-seconds').key)} of CPU`, all.has('peak-memory') && `${bytes(all.get('peak-memory').key)} of memory`, state === 'failed' && all.has('exit') && `exit code ${all.get('exit').text}`];
  const chosen = actions.slotOf(row) >= 0;
  return make(
    'div',
    { kind: 'run-head' },
    make('code', {}, text(row, 'id')),
    make('span', { kind: `state ${STATES[state] ?? 'soft'}` }, state),
    make('span', { kind: 'soft' }, facts.filter(Boolean).join(' · ')),
    make('span', { kind: 'grow' }),
    make('button', { type: 'button', kind: 'quiet', on: { click: () => actions.toggle(row) } }, chosen ? 'Deselect' : 'Select'),
  );
}

function remarks(row, all, actions) {
  const tags = [...all].filter(([name]) => name.startsWith('tags.')).map(([name, one]) => make('span', { kind: 'tag' }, `${name.slice(5)}=${one.text}`));
  const links = [...all].filter(([name]) => name.startsWith('links.')).map(([name, one]) => {
    const target = every.find((other) => text(other, 'id') === one.text);
    const words = `${name.slice(6)} ${one.text.slice(0, 8)}`;
    return make('span', { kind: 'tag' }, target === undefined ? words : make('button', { type: 'button', kind: 'link', on: { click: () => actions.open(target) } }, words));
  });
  const notes = (root.notes[row] ?? []).map((note) => make('p', {}, note));
  return [(tags.length > 0 || links.length > 0) && make('div', {}, ...tags, ...links), notes.length > 0 && make('h2', {}, 'Notes'), ...notes];
}

function metricsOf(row) {
  const found = [...columns.keys()].filter((name) => name.startsWith('metrics.')).map((name) => [name, field(row, name)]).filter(([, one]) => one);
  return section('Metrics, last values', found, (one) => one.text);
}

function section(title, pairs, words = null) {
  if (!pairs.length) return null;
  const rows = pairs.map(([name, one]) => make('tr', {}, make('th', { scope: 'row' }, name.replace(/^(params|metrics|settings)\./, '')), make('td', { title: one.text }, make('code', {}, words ? words(one) : name === 'started' ? one.text : long(one, name)))));
  return make('section', {}, make('h2', {}, title), make('table', {}, make('tbody', {}, ...rows)));
}

const long = (one, name) => (one.kind === 'digest' || one.kind === 'double' ? brief(one, name) : one.kind === 'boolean' ? one.text.toLowerCase() : one.text);

function dataOf(all) {
  const names = [...all.keys()].filter((name) => name.startsWith('data.') && !name.endsWith('.list'));
  if (!names.length) return [];
  const found = names.map((name) => {
    const listed = root.files[all.get(`${name}.list`)?.text];
    const facts = listed ? `${plural(listed.count, 'file')}, ${bytes(listed.size)}` : all.has(`${name}.list`) ? '' : 'reported by the training';
    const files = listed?.members && make('details', { kind: 'more' }, make('summary', {}, 'Files'), make('div', { kind: 'list-box' }, make('table', { kind: 'many' }, make('tbody', {}, ...listed.members.slice(0, 2000).map(([path, size, digest]) => make('tr', {}, make('th', { scope: 'row' }, make('code', {}, path)), make('td', { kind: 'number' }, bytes(size)), make('td', {}, make('code', {}, digest.slice(0, 12)))))))));
    return make('tr', {}, make('th', { scope: 'row' }, name.slice(5)), make('td', {}, make('code', { title: all.get(name).text }, brief(all.get(name))), ' ', make('span', { kind: 'soft' }, facts), files));
  });
  return [make('h2', {}, 'Data'), make('table', {}, make('tbody', {}, ...found))];
}

function environmentOf(all) {
  const lock = all.get('lock');
  const known = lock && root.environments[lock.text];
  const rows = [
    ['environment', all.get('env')?.text],
    ['lock', lock && make('code', { title: lock.text }, brief(lock))],
    ['generation', all.get('generation')?.text],
    ['image', all.has('image') && make('code', { title: all.get('image').text }, brief(all.get('image')))],
    ['as of', known?.asOf],
  ].filter(([, one]) => one);
  const packages = known && make('details', { kind: 'more' }, make('summary', {}, plural(known.packages.length, 'package')), packageList(known.packages));
  return [make('h2', {}, 'Environment'), make('table', {}, make('tbody', {}, ...rows.map(([name, one]) => make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, one))))), packages];
}

function packageList(packages) {
  const rows = [...packages].sort((a, b) => ORDER.indexOf(a[0]) - ORDER.indexOf(b[0])).map(([ecosystem, name, version]) => make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, make('code', {}, version)), make('td', { kind: 'soft' }, ecosystem)));
  return make('div', { kind: 'list-box' }, make('table', { kind: 'many' }, make('tbody', {}, ...rows)));
}
const ORDER = ['pip', 'conda', 'debian', 'base'];

function outputsOf(rest, all) {
  const left = all.get('outputs.left-out');
  if (!rest.outputs && !left) return [];
  const rows = (rest.outputs ?? []).map(([path, size, digest, format]) => make('tr', {}, make('th', { scope: 'row' }, make('code', {}, path)), make('td', { kind: 'number' }, bytes(size)), make('td', {}, make('code', {}, digest.slice(0, 12)), ' ', make('span', { kind: 'soft' }, format))));
  const more = (rest.outputCount ?? 0) - rows.length;
  return [
    make('h2', {}, `Output files${rest.outputCount ? `: ${rest.outputCount.toLocaleString('en')}, ${bytes(rest.outputSize)}` : ''}`),
    rows.length > 0 && make('div', { kind: 'list-box' }, make('table', { kind: 'many' }, make('tbody', {}, ...rows))),
    more > 0 && make('p', { kind: 'soft' }, `and ${more.toLocaleString('en')} more in the ledger`),
    left && make('p', { kind: 'soft' }, `Not recorded: ${left.text}`),
  ];
}
