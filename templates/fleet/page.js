const data = JSON.parse(document.getElementById('data').textContent);
const element = (id) => document.getElementById(id);
const made = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};
const row = (name, ...cells) => {
  const line = made('tr', undefined, name);
  line.append(...cells);
  return line;
};
const wanted = { words: [], states: new Set() };

function matrix() {
  const head = ['Environment', 'Class', 'Hosts', 'States', 'What separates them'];
  element('matrix').append(row('', ...head.map((text) => made('th', text))));
  for (const group of data.groups) {
    const states = made('td');
    group.states.forEach(([title, count, look], number) => {
      if (number) states.append(', ');
      states.append(made('span', `${count} ${title}`, look));
    });
    const factors = made('td');
    for (const text of group.factors) factors.append(made('div', text));
    element('matrix').append(row('', made('td', group.environment), made('td', group.class),
      made('td', String(group.hosts)), states, factors));
  }
}

function facts(host) {
  const details = made('details');
  details.append(made('summary', 'facts'));
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return;
    const list = made('dl');
    for (const [name, value] of data.facts[host.facts]) list.append(made('dt', name), made('dd', value));
    details.append(list);
  }, { once: true });
  return details;
}

function text(host) {
  const values = (data.facts[host.facts] || []).map((pair) => pair.join(' '));
  return [host.name, host.environment, host.title, host.reason, host.class, host.first, ...host.causes, ...values].join(' ').toLowerCase();
}

function shown(host) {
  return (!wanted.states.size || wanted.states.has(host.title)) && wanted.words.every((word) => host.text.includes(word));
}

function hosts() {
  const table = element('hosts');
  const lines = [row('', ...['Host', 'State', 'Reason and first difference', ''].map((one) => made('th', one)))];
  let count = 0;
  let last = '';
  for (const host of data.hosts) {
    if (!shown(host)) continue;
    count += 1;
    const group = `${host.environment}, class ${host.class || 'unknown'}`;
    if (group !== last) {
      const head = made('th', group);
      head.colSpan = 4;
      lines.push(row('group', head));
      last = group;
    }
    const why = made('td', host.reason);
    if (host.first) why.append(made('div', host.first, 'soft'));
    for (const cause of host.causes) why.append(made('div', cause, 'soft'));
    const more = made('td');
    if (host.facts >= 0) more.append(facts(host));
    lines.push(row('host', made('td', host.name), made('td', host.title, `state ${host.look}`), why, more));
  }
  table.replaceChildren(...lines);
  element('count').textContent = `${count} of ${data.hosts.length}`;
}

function chips() {
  for (const [title, count, look] of data.states) {
    const chip = made('button', `${title} ${count}`, `quiet ${look}`);
    chip.type = 'button';
    chip.setAttribute('aria-pressed', 'false');
    chip.addEventListener('click', () => {
      if (!wanted.states.delete(title)) wanted.states.add(title);
      chip.setAttribute('aria-pressed', String(wanted.states.has(title)));
      hosts();
    });
    element('chips').append(chip);
  }
}

function theme() {
  const dark = () => (document.documentElement.dataset.theme
    || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  element('theme').addEventListener('click', () => { document.documentElement.dataset.theme = dark() ? 'light' : 'dark'; });
}

for (const host of data.hosts) host.text = text(host);
element('filter').addEventListener('input', (event) => {
  wanted.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  hosts();
});
matrix();
chips();
hosts();
theme();
