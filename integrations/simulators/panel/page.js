const el = id => document.getElementById(id);
const say = text => { el('notice').textContent = text; };
const tell = (text, kind = '') => {
  el('told').textContent = text;
  el('told').className = kind;
};

function reason(data) {
  if (data.error) return data.error;
  const first = Array.isArray(data) ? data[0] : data;
  const details = (first.errors || []).map(one => one.message).filter(Boolean);
  return details.join(' ') || first.message;
}

async function api(method, path, body) {
  const reply = await fetch('/__sim/' + path, {
    method, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await reply.json();
  if (!reply.ok) throw new Error(reason(data));
  return data;
}

// Do something for the person; `told` says what went wrong.
const trying = (act, told) => async event => {
  if (event) event.preventDefault();
  try { await act(event); } catch (error) { told(error.message, 'bad'); }
};

// -- tables

function node(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(text, act) {
  const made = node('button', text);
  made.type = 'button';
  made.onclick = act;
  return made;
}

function table(names, rows) {
  const made = node('table');
  const head = made.createTHead().insertRow();
  head.append(...names.map(name => node('th', name)));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) line.insertCell().append(value);
  }
  return made;
}

const rows = (names, found) => found.length ? table(names, found) : 'None.';

function dumped(name) {
  const link = node('a', name);
  link.href = '/__sim/dump?object=' + encodeURIComponent(name);
  return link;
}

// -- what happens

async function refresh() {
  const [{faults}, stats, log] = await Promise.all([
    api('GET', 'faults'), api('GET', 'stats'),
    api('GET', 'log?since=' + (Date.now() / 1000 - 60)),
  ]);
  el('faults').replaceChildren(rows(
    ['Kind', 'Object', 'Method', 'Path', 'Probability', 'Left', 'Fired', ''],
    faults.map(f => [f.kind, f.object, f.method, f.path, f.probability,
      f.count === null ? 'for ever' : f.count, f.fired, remover(f.id)])));
  offer(Object.keys(stats.records));
  el('records').replaceChildren(rows(['Object', 'Records'],
    Object.entries(stats.records).map(([name, n]) => [dumped(name), n])));
  el('stats').replaceChildren(rows(['Route', 'Requests', 'Inputs', 'Answers'],
    Object.entries(stats.routes).map(([route, r]) => [route, r.count, r.inputs,
      Object.entries(r.statuses).map(([s, n]) => s + ': ' + n).join(', ')])));
  el('log').replaceChildren(rows(['Time', 'Request', 'Answer', 'ms', 'Fault'],
    log.requests.slice(-25).reverse().map(r => [
      new Date(r.at * 1000).toLocaleTimeString([], {hour12: false}), r.method + ' ' + r.path,
      r.status || 'dropped', r.ms, r.fault])));
}

const remover = id => button('Remove', trying(async () => {
  await api('DELETE', 'faults/' + id);
  await refresh();
}, say));

// -- settings

function control(name, value) {
  if (typeof value === 'boolean') {
    const made = node('select');
    made.append(new Option('true'), new Option('false'));
    made.value = value;
    return made;
  }
  const made = node('input');
  made.value = value;
  made.size = Math.max(8, String(value).length);
  return made;
}

async function settings() {
  const config = await api('GET', 'config');
  el('config').replaceChildren(...Object.entries(config).map(([name, value]) => {
    const label = node('label', name);
    const made = control(name, value);
    made.onchange = trying(async () => {
      await api('POST', 'config', {[name]: made.value});
      say(name + ' changed');
    }, say);
    label.append(made);
    return label;
  }));
}

// -- editing a record

const people = ['contacts', 'Lead', 'Contact'];
const usual = /title|city|phone|name|email/i;
let chosen = null;

function options(select, names) {
  select.replaceChildren(...names.map(name => new Option(name)));
}

function offer(objects) {
  const select = el('find').elements.object;
  if (select.options.length === objects.length) return;
  const before = select.value;
  const rest = objects.filter(name => !people.includes(name));
  options(select, [...people.filter(name => objects.includes(name)), ...rest]);
  if (objects.includes(before)) select.value = before;
}

function named(record) {
  const p = record.properties;
  const name = p.Name || p.name || p.dealname || p.Subject || p.hs_task_subject ||
    [p.firstname, p.lastname].filter(Boolean).join(' ');
  return [name, p.email || p.Email].filter(Boolean);
}

const called = record => named(record).join(', ') || record.id;

function shownAs(record) {
  const [name = record.id, more = record.id] = named(record);
  const made = node('span');
  made.append(node('b', name), node('small', more));
  return made;
}

function chooser(object, record, fields) {
  const made = button('Edit', () => {
    chosen = {object, record};
    options(el('person').elements.field, fields);
    el('person').hidden = false;
    el('found').replaceChildren(shownAs(record));
    filled();
    tell('');
    el('person').elements.value.focus();
  });
  made.setAttribute('aria-label', 'Edit ' + called(record));
  return made;
}

function filled() {
  const {field, value} = el('person').elements;
  value.value = chosen.record.properties[field.value] ?? '';
}

async function change(what, told) {
  const record = {object: chosen.object, id: chosen.record.id, ...what};
  await api('POST', 'seed', {records: [record]});
  tell(called(chosen.record) + ': ' + told, 'good');
  await refresh();
}

el('find').onsubmit = trying(async () => {
  const {object, text} = Object.fromEntries(new FormData(el('find')));
  const named = encodeURIComponent(object);
  const [dump, {fields}] = await Promise.all([
    api('GET', 'dump?archived=false&object=' + named),
    api('GET', 'editable?object=' + named),
  ]);
  const records = dump[object] || [];
  const words = text.toLowerCase();
  const found = records.filter(one => called(one).toLowerCase().includes(words));
  const used = new Set(records.flatMap(one => Object.keys(one.properties)));
  const weight = name => 2 * used.has(name) + usual.test(name);
  fields.sort((a, b) => weight(b) - weight(a) || a.localeCompare(b));
  el('person').hidden = true;
  el('found').replaceChildren(found.length ? table(['Record', ''],
    found.slice(0, 8).map(one => [shownAs(one), chooser(object, one, fields)])) : 'None.');
  tell(found.length > 8 ? found.length + ' found, the first 8 are shown.' : '');
}, tell);

el('person').elements.field.onchange = filled;

el('person').onsubmit = trying(async () => {
  const {field, value} = Object.fromEntries(new FormData(el('person')));
  await change({properties: {[field]: value}}, field + ' is ' + (value || 'empty'));
  chosen.record.properties[field] = value;
}, tell);

el('delete').onclick = trying(async () => {
  if (!confirm('Delete ' + called(chosen.record) + '?')) return;
  await change({archived: true}, 'deleted');
  el('person').hidden = true;
  el('found').replaceChildren();
}, tell);

// -- the rest

el('fault').onsubmit = trying(async () => {
  await api('POST', 'faults', Object.fromEntries(new FormData(el('fault'))));
  await refresh();
}, say);

el('clear').onclick = trying(async () => {
  await api('DELETE', 'faults');
  await refresh();
}, say);

el('config').onsubmit = event => event.preventDefault();

el('reset').onclick = trying(async () => {
  if (!confirm('Forget all records, faults and requests?')) return;
  await api('POST', 'reset', {});
  await refresh();
  await settings();
}, say);

trying(refresh, say)();
trying(settings, say)();
setInterval(() => refresh().catch(() => say('The simulator does not answer.')), 3000);
