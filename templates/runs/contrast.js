// Why two runs differ: the rules of `freeze runs diff`, which are in the page's data.

const RULES = root.rules.map(([pattern, area, level, why]) => ({ pattern: new RegExp(`^(?:${pattern})$`), area, level, why }));
const MOST_LINES = 20;

/** Return the causes, the likeliest first: {area, name, old, new, level, why, details}. */
function contrast(first, second) {
  const [one, other] = [fields(first), fields(second)];
  const names = [...new Set([...one.keys(), ...other.keys()])].sort(byCode);
  let causes = [];
  for (const name of names) {
    const [old, now] = [one.get(name), other.get(name)];
    if (same(old, now)) continue;
    const rule = RULES.find(({ pattern }) => pattern.test(name));
    if (rule) causes.push({ area: rule.area, name, old: summary(old), new: summary(now), level: rule.level, why: rule.why, details: [] });
  }
  causes = withoutEchoes(causes.map((cause) => sameCode(cause, one, other)));
  causes = causes.map((cause) => following(cause, causes, one, other));
  return ranked(causes.map((cause) => explained(cause, one, other)));
}

const byCode = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const same = (one, other) => one?.kind === other?.kind && one?.text === other?.text;
const summary = (one) => (one === undefined ? 'none' : one.kind === 'digest' ? one.text.slice(0, 12) : one.text);

function ranked(causes) {
  const area = (name) => RULES.findIndex((rule) => rule.area === name);
  const level = (name) => root.levels.indexOf(name);
  return [...causes].sort((a, b) => level(a.level) - level(b.level) || area(a.area) - area(b.area) || byCode(a.name, b.name));
}

function sameCode(cause, one, other) {
  const code = one.get('git.files');
  const equal = code !== undefined && same(code, other.get('git.files'));
  if (!equal || (cause.name !== 'git.commit' && cause.name !== 'git.patch')) return cause;
  return { ...cause, level: 'unlikely', why: root.sameCode };
}

function following(cause, causes, one, other) {
  const given = causes.filter(({ name }) => !isReported(name, one, other));
  if (given.some(({ area, level }) => area === 'code' && level !== 'unlikely')) return cause;
  if (given.includes(cause) || !given.some(({ level }) => level === 'certain' || level === 'likely')) return cause;
  return { ...cause, level: 'possible', why: root.follows };
}

function isReported(name, one, other) {
  const [area, ...rest] = name.split('.');
  if (area === 'random' || area === 'versions') return true;
  const known = { params: `given.${rest.join('.')}`, data: `${name}.list` }[area];
  return known !== undefined && !one.has(known) && !other.has(known);
}

function withoutEchoes(causes) {
  const names = new Set(causes.map(({ name }) => name));
  const given = causes.some(({ area }) => area === 'seed' || area === 'parameters');
  return causes.filter(({ name, area }) => {
    if (name === 'command' && (given || names.has('template'))) return false;
    if (name === 'image' && names.has('lock')) return false;
    return !(area === 'seed' && name !== 'seed' && names.has('seed'));
  });
}

/** Return a cause with what it consists of: changed files, or packages. */
function explained(cause, one, other) {
  if (cause.area === 'data') {
    const lists = [one, other].map((all) => root.files[all.get(`${cause.name}.list`)?.text]?.members);
    return lists.every(Boolean) ? { ...cause, details: limited(changedFiles(...lists)) } : cause;
  }
  if (cause.name === 'git.commit' && cause.level !== 'unlikely') return { ...cause, details: committedFiles(one, other) };
  if (cause.name === 'git.patch' && cause.level !== 'unlikely') return { ...cause, details: limited(patchedFiles(one, other)) };
  if (cause.name !== 'lock') return cause;
  const found = root.suspects[`${one.get('lock')?.text} ${other.get('lock')?.text}`];
  if (!found) return cause;
  if (!found.length) return { ...cause, level: 'unlikely', why: 'no package that moves results changed' };
  return { ...cause, level: found[0][0], details: limited(found.map(([level, what, why]) => `${level}: ${what}: ${why}`)) };
}

/** Return the files that differ between the commits of two runs; each pair is in the page's data in one direction. */
function committedFiles(one, other) {
  const [old, now] = [one, other].map((all) => all.get('git.commit')?.text);
  const turned = { '+': '-', '-': '+' };
  const back = () => root.commits[`${now} ${old}`]?.map((line) => (turned[line[0]] ?? line[0]) + line.slice(1));
  return root.commits[`${old} ${now}`] ?? back() ?? [];
}

/** Return the files that the patches of two runs change in different ways; none where one is not in the page's data. */
function patchedFiles(one, other) {
  const lists = [one, other].map((all) => (all.has('git.patch') ? root.patches[all.get('git.patch').text] : []));
  if (!lists.every(Boolean)) return [];
  const [old, now] = lists.map((list) => new Map(list));
  return [...new Set([...old.keys(), ...now.keys()])].sort(byCode).filter((path) => old.get(path) !== now.get(path)).map((path) => `~ ${path}`);
}

/** Return the files that differ between two lists of [path, size, digest, kind], as `freeze data diff` does. */
function changedFiles(old, now) {
  const [before, after] = [old, now].map((list) => new Map(list.map((one) => [one[0], one])));
  const sorted = (list) => list.sort((a, b) => byCode(a[0], b[0]));
  const gone = sorted(old.filter(([path]) => !after.has(path)));
  const come = sorted(now.filter(([path]) => !before.has(path)));
  const changed = sorted(now.filter((one) => before.has(one[0]) && content(before.get(one[0])) !== content(one)));
  const moved = movedFiles(gone, come);
  const [left, right] = [new Set(moved.map(([from]) => from)), new Set(moved.map(([, to]) => to))];
  return [
    ...come.filter(([path]) => !right.has(path)).map(([path]) => `+ ${path}`),
    ...gone.filter(([path]) => !left.has(path)).map(([path]) => `- ${path}`),
    ...changed.map(([path]) => `~ ${path}`),
    ...moved.map(([from, to]) => `> ${from} -> ${to}`),
  ];
}

const content = ([, size, digest, kind]) => `${kind} ${size} ${digest}`;

/** Pair what is gone with what has come by content; a file that kept its name goes first. */
function movedFiles(gone, come) {
  const waiting = new Map();
  for (const one of come) if (one[3] === 'f' && one[1]) waiting.set(content(one), [...(waiting.get(content(one)) ?? []), one]);
  const nameOf = ([path]) => path.slice(path.lastIndexOf('/') + 1);
  const pairs = [];
  for (const one of gone) {
    const candidates = waiting.get(content(one));
    if (!candidates?.length) continue;
    const chosen = candidates.find((other) => nameOf(other) === nameOf(one)) ?? candidates[0];
    candidates.splice(candidates.indexOf(chosen), 1);
    pairs.push([one[0], chosen[0]]);
  }
  return pairs;
}

const limited = (lines) => (lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `... and ${lines.length - MOST_LINES} more`] : lines);

/** Return how the results compare: one entry for each metric, and the output files. */
function compareResults(first, second) {
  const [one, other] = [curves(first), curves(second)];
  const named = (row) => [...columns.keys()].filter((name) => name.startsWith('metrics.') && field(row, name));
  const names = [...new Set([...named(first), ...named(second), ...one.keys(), ...other.keys()])].sort(byCode);
  const metrics = names.map((name) => compareMetric(name, [field(first, name), field(second, name)], [one.get(name), other.get(name)]));
  return { metrics, outputs: compareOutputs(details(first), details(second)) };
}

/** Return {name, old, new, verdict: same | differs | missing, step, ulps}. */
function compareMetric(name, [old, now], [left, right]) {
  const last = (one, curve) => one ?? (curve && value('double', curve.values.at(-1), repr(curve.values.at(-1))));
  const found = { name, old: last(old, left), new: last(now, right) };
  if (left && right) {
    if (left.digest === right.digest) return { ...found, verdict: 'same' };
    const both = Math.min(left.values.length, right.values.length);
    const whole = left.whole && right.whole;
    let place = 0;
    while (place < both && left.steps[place] === right.steps[place] && Object.is(left.values[place], right.values[place])) place += 1;
    if (place === both) return { ...found, verdict: 'missing' };
    return { ...found, verdict: 'differs', step: whole ? left.steps[place] : undefined, ulps: ulps(left.values[place], right.values[place]), whole };
  }
  if (!found.old || !found.new || left || right) return { ...found, verdict: 'missing' };
  const equal = Object.is(found.old.key, found.new.key);
  return { ...found, verdict: equal ? 'same' : 'differs', ulps: equal ? 0n : ulps(found.old.key, found.new.key), whole: true };
}

/** Return the distance of two doubles in units in the last place; undefined where there is none. */
function ulps(one, other) {
  if (!Number.isFinite(one) || !Number.isFinite(other)) return undefined;
  const view = new DataView(new ArrayBuffer(8));
  const place = (number) => {
    view.setFloat64(0, number);
    const bits = view.getBigInt64(0);
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
  };
  const distance = place(one) - place(other);
  return distance < 0n ? -distance : distance;
}

function compareOutputs(one, other) {
  const [mine, its] = [one, other].map((found) => new Map((found.outputs ?? []).map(([path, , digest]) => [path, digest])));
  const complete = [one, other].every((found) => (found.outputCount ?? 0) === (found.outputs ?? []).length);
  const both = [...mine.keys()].filter((path) => its.has(path));
  return {
    same: both.filter((path) => mine.get(path) === its.get(path)),
    differ: both.filter((path) => mine.get(path) !== its.get(path)),
    missing: complete ? [...mine.keys(), ...its.keys()].filter((path) => !mine.has(path) || !its.has(path)) : [],
    complete,
  };
}
