// The view of two runs: why they differ, and where their results part.

const MARKS = { certain: 'certain', likely: 'likely', possible: 'possible', unlikely: 'unlikely' };

function compareView(state, actions) {
  const offered = state.chosen.length > 1 ? state.chosen.map(({ row }) => row) : [...new Set([...state.chosen.map(({ row }) => row), ...every.slice(0, 50)])];
  if (count < 2) return [make('p', { kind: 'empty' }, 'Two runs are needed for a comparison.')];
  const [first, second] = pairOf(state, offered);
  const choose = (name, wanted, set) => {
    const listed = offered.includes(wanted) ? offered : [wanted, ...offered];
    const select = make('select', { on: { change: (event) => set(Number(event.target.value)) } }, ...listed.map((row) => make('option', { value: row, selected: row === wanted }, runLabel(row))));
    return make('label', {}, name, select);
  };
  const swap = make('button', { type: 'button', kind: 'quiet', title: 'Swap the two runs', 'aria-label': 'Swap the two runs', on: { click: () => actions.pair(second, first) } }, '⇄');
  const pair = make('div', { kind: 'pair' }, choose('First run', first, (row) => actions.pair(row, second)), swap, choose('Second run', second, (row) => actions.pair(first, row)));
  if (first === second) return [pair, make('p', { kind: 'empty' }, 'Choose two different runs.')];
  const results = compareResults(first, second);
  return [pair, verdict(results), ...causesView(first, second), ...resultsView(results), ...sameView(first, second)];
}

function pairOf(state, offered) {
  const usable = (row) => row !== null && row < count;
  const second = usable(state.second) ? state.second : offered[0];
  const first = usable(state.first) ? state.first : (offered.find((row) => row !== second) ?? 0);
  return [first, second];
}

function verdict({ metrics, outputs }) {
  const equal = metrics.filter((one) => one.verdict === 'same').length + outputs.same.length;
  const compared = metrics.filter((one) => one.verdict !== 'missing').length + outputs.same.length + outputs.differ.length;
  const missing = metrics.length + outputs.missing.length + outputs.same.length + outputs.differ.length > compared;
  if (!compared) return make('p', { kind: 'verdict' }, 'There is no metric and no output file that both runs have.');
  const all = equal === compared && !missing;
  const words = all ? `Identical to the bit: all ${compared} results that were compared.` : `${equal} of ${compared} results are identical to the bit.`;
  return make('p', { kind: `verdict ${all ? 'same' : 'other'}`, role: 'status' }, words);
}

function causesView(first, second) {
  const causes = contrast(first, second);
  const listed = causes.map((cause) =>
    make(
      'div',
      { kind: 'cause', role: 'listitem' },
      make('span', { kind: `badge ${MARKS[cause.level] ?? 'possible'}` }, cause.level),
      make(
        'div',
        { kind: 'text' },
        make('b', {}, cause.name),
        ' ',
        make('code', {}, cause.old),
        make('span', { kind: 'arrow', 'aria-label': 'became' }, '→'),
        make('code', {}, cause.new),
        make('div', { kind: 'soft' }, cause.why),
        cause.details.length > 0 && make('ul', {}, ...cause.details.map((line) => make('li', {}, line))),
      ),
    ),
  );
  const none = make('p', { kind: 'soft' }, 'Nothing differs that is recorded.');
  return [make('h2', {}, 'What differs, likeliest cause first'), causes.length ? make('div', { role: 'list' }, ...listed) : none];
}

function resultsView({ metrics, outputs }) {
  if (!metrics.length && !outputs.same.length && !outputs.differ.length && !outputs.missing.length) return [];
  const rows = metrics.map((one) => make('tr', {}, make('th', { scope: 'row' }, label(one.name)), make('td', { kind: 'number', title: one.old?.text }, brief(one.old)), make('td', { kind: 'number', title: one.new?.text }, brief(one.new)), make('td', {}, ...distance(one))));
  const files = [
    ...outputs.differ.map((path) => fileRow(path, 'certain', 'other content')),
    ...outputs.missing.map((path) => fileRow(path, 'likely', 'in one run only')),
    ...outputs.same.map((path) => fileRow(path, 'same', 'identical')),
  ];
  const head = make('thead', {}, make('tr', {}, make('th', {}, 'Metric'), make('th', { kind: 'number' }, 'First'), make('th', { kind: 'number' }, 'Second'), make('th', {}, 'Difference')));
  return [
    make('h2', {}, 'Results'),
    metrics.length > 0 && make('div', { kind: 'scroll' }, make('table', {}, head, make('tbody', {}, ...rows))),
    files.length > 0 && make('h2', {}, 'Output files'),
    files.length > 0 && make('table', {}, make('tbody', {}, ...files)),
    !outputs.complete && make('p', { kind: 'soft' }, 'More output files are in the ledger: `freeze runs diff` compares all.'),
  ];
}

const fileRow = (path, mark, words) => make('tr', {}, make('th', { scope: 'row' }, make('code', {}, path)), make('td', {}, make('span', { kind: `badge ${mark}` }, words)));

function distance(one) {
  if (one.verdict === 'same') return [make('span', { kind: 'badge same' }, 'identical')];
  if (one.verdict === 'missing') return [make('span', { kind: 'badge likely' }, 'not the same values in both')];
  const found = [make('span', { kind: 'badge certain' }, 'differs')];
  if (one.step !== undefined) found.push(` from step ${one.step}`);
  if (one.whole && one.ulps !== undefined) found.push(`, ${one.ulps === 1n ? '1 ulp' : `${one.ulps < 1000000n ? one.ulps : Number(one.ulps).toExponential(1)} ulps`}`);
  if (one.whole === false) found.push(make('span', { kind: 'soft' }, ': `freeze runs diff` names the step'));
  return found;
}

function sameView(first, second) {
  const [one, other] = [fields(first), fields(second)];
  const equal = [...one.keys()].filter((name) => !/^(metrics|given)\.|\.list$|^(id|started|ended|seconds)$/.test(name) && same(one.get(name), other.get(name)));
  if (!equal.length) return [];
  const rows = equal.map((name) => make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, make('code', {}, brief(one.get(name), name)))));
  return [make('details', { kind: 'more' }, make('summary', {}, `The same in both: ${plural(equal.length, 'field')}`), make('table', {}, make('tbody', {}, ...rows)))];
}
