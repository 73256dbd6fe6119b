"""The control panel as a page for the browser; it only uses the JSON beside it."""

from html import escape

from integrations.simulators.faults import KINDS


def page(title: str) -> str:
    """Return the panel."""
    kinds = "".join(f"<option>{escape(kind)}</option>" for kind in sorted(KINDS))
    return (
        TEMPLATE.replace("{{title}}", escape(title))
        .replace("{{kinds}}", kinds)
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
    )


TEMPLATE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<link rel="icon" href="data:,">
<style>{{style}}</style></head><body><header><h1>{{title}}</h1>
<p>What this simulated CRM holds, what was asked of it, and how it misbehaves.</p>
</header><main>
<section id="edit"><h2>Edit as a person would</h2>
<form id="find"><label>Object <select name="object"></select></label>
<label>Name or e-mail <input name="text" size="30"></label>
<button>Find</button></form><div id="found"></div>
<form id="person" hidden><label>Field <select name="field"></select></label>
<label>Value <input name="value" size="40"></label><button>Save</button>
<button type="button" id="delete">Delete this record</button></form>
<p id="told" role="status"></p></section>
<section><h2>Faults</h2><div id="faults"></div>
<form id="fault"><label>Kind <select name="kind">{{kinds}}</select></label>
<label>Object <input name="object" placeholder="contacts"></label>
<label>Method <input name="method" placeholder="any" size="6"></label>
<label>Path pattern <input name="path" placeholder="batch/upsert"></label>
<label>Probability <input name="probability" value="1" size="4"></label>
<label>Times <input name="count" placeholder="for ever" size="6"></label>
<label>Seconds <input name="seconds" value="1" size="4"></label>
<label>Retry-After <input name="retry_after" placeholder="10, date:10" size="9">
</label>
<label>Seed <input name="seed" size="4"></label>
<button>Add fault</button> <button type="button" id="clear">Remove all</button></form>
</section>
<section><h2>Records</h2><div id="records"></div></section>
<section><h2>Requests</h2><div id="stats"></div></section>
<section><h2>Last requests</h2><div id="log"></div></section>
<section><h2>Settings</h2><form id="config"></form></section>
<section><h2>Start over</h2><button id="reset">Forget all records</button></section>
<p id="notice" role="status"></p></main><script>{{script}}</script></body></html>"""

STYLE = """
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;
background:#f4f6f9;color:#1c2b39}header,main{max-width:70rem;margin:0 auto;
padding:1rem 1.5rem}h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.05rem;
margin:0 0 .7rem}section{background:#fff;border:1px solid #d9e0e8;border-radius:8px;
padding:1rem 1.2rem;margin:0 0 1rem;overflow:auto}form{display:flex;flex-wrap:wrap;
gap:.6rem .9rem;align-items:end}label{display:flex;flex-direction:column;
font-size:.8rem;color:#445}input,select,button{font:inherit;padding:.35rem .5rem;
border:1px solid #9fb0c3;border-radius:4px;background:#fff}button{cursor:pointer;
background:#1f5f8b;color:#fff;border-color:#1f5f8b}table{border-collapse:collapse;
width:100%;font-size:.88rem}th,td{text-align:left;padding:.25rem .6rem .25rem 0;
border-bottom:1px solid #e6ebf0;white-space:nowrap}#notice,#told{min-height:1.5rem}
#person,#found{margin-top:.7rem}[hidden]{display:none!important}#told{margin:.4rem 0 0;
overflow-wrap:anywhere}
button:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid #f2a03d}
"""

SCRIPT = """
const el = id => document.getElementById(id);
const say = text => { el('notice').textContent = text; };
const tell = text => { el('told').textContent = text; };
async function api(method, path, body) {
  const reply = await fetch('/__sim/' + path, {method,
    body: body === undefined ? undefined : JSON.stringify(body)});
  const data = await reply.json();
  if (!reply.ok) {
    const told = data.error || data.message || data[0].message;
    say(told); tell(told); throw new Error(reply.status);
  }
  return data;
}
function table(names, rows) {
  const made = document.createElement('table');
  const head = made.createTHead().insertRow();
  for (const name of names) {
    const cell = document.createElement('th'); cell.textContent = name;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) {
      const cell = line.insertCell();
      if (value instanceof Node) cell.append(value); else cell.textContent = value;
    }
  }
  return made;
}
function dumped(name) {
  const link = document.createElement('a');
  link.href = '/__sim/dump?object=' + encodeURIComponent(name);
  link.textContent = name;
  return link;
}
function remover(id) {
  const button = document.createElement('button');
  button.textContent = 'Remove';
  button.onclick = async () => { await api('DELETE', 'faults/' + id); refresh(); };
  return button;
}
async function refresh() {
  const {faults} = await api('GET', 'faults');
  el('faults').replaceChildren(faults.length ? table(
    ['Kind', 'Object', 'Method', 'Path', 'Probability', 'Left', 'Fired', ''],
    faults.map(f => [f.kind, f.object, f.method, f.path, f.probability,
      f.count === null ? 'for ever' : f.count, f.fired, remover(f.id)])) : 'None.');
  const stats = await api('GET', 'stats');
  offer(Object.keys(stats.records));
  el('records').replaceChildren(table(['Object', 'Records'],
    Object.entries(stats.records).map(([name, n]) => [dumped(name), n])));
  el('stats').replaceChildren(table(['Route', 'Requests', 'Inputs', 'Answers'],
    Object.entries(stats.routes).map(([route, r]) => [route, r.count, r.inputs,
      Object.entries(r.statuses).map(([s, n]) => s + ': ' + n).join(', ')])));
  const log = await api('GET', 'log?since=' + (Date.now() / 1000 - 60));
  el('log').replaceChildren(table(['Time', 'Request', 'Answer', 'ms', 'Fault'],
    log.requests.slice(-25).reverse().map(r => [
      new Date(r.at * 1000).toLocaleTimeString(), r.method + ' ' + r.path,
      r.status || 'dropped', r.ms, r.fault])));
}
async function settings() {
  const config = await api('GET', 'config');
  el('config').replaceChildren(...Object.entries(config).map(([name, value]) => {
    const label = document.createElement('label');
    const input = document.createElement('input');
    label.textContent = name; input.name = name; input.value = value; input.size = 8;
    input.onchange = async () => {
      await api('POST', 'config', {[name]: input.value}); say(name + ' changed');
    };
    label.append(input); return label;
  }));
}
const people = ['contacts', 'Lead', 'Contact'];
function options(select, names) {
  select.replaceChildren(...names.map(name => new Option(name)));
}
function offer(objects) {
  const select = el('find').elements.object;
  if (select.options.length === objects.length) return;
  const rest = objects.filter(name => !people.includes(name));
  options(select, [...people.filter(name => objects.includes(name)), ...rest]);
}
let chosen = null;
function called(record) {
  const p = record.properties;
  const name = p.Name || p.name || p.dealname || p.Subject || p.hs_task_subject ||
    [p.firstname, p.lastname].filter(Boolean).join(' ');
  return [name, p.email || p.Email].filter(Boolean).join(', ') || record.id;
}
function chooser(object, record, fields) {
  const button = document.createElement('button');
  button.textContent = 'Edit';
  button.onclick = () => {
    chosen = {object, record};
    options(el('person').elements.field, fields);
    el('person').hidden = false;
    el('found').replaceChildren(called(record));
    shown(); tell('');
  };
  return button;
}
function shown() {
  const {field, value} = el('person').elements;
  value.value = chosen.record.properties[field.value] ?? '';
}
async function change(what, told) {
  const record = {object: chosen.object, id: chosen.record.id, ...what};
  await api('POST', 'seed', {records: [record]});
  tell(called(chosen.record) + ': ' + told);
  refresh();
}
el('find').onsubmit = async event => {
  event.preventDefault();
  const {object, text} = Object.fromEntries(new FormData(el('find')));
  const query = 'dump?archived=false&object=' + encodeURIComponent(object);
  const records = (await api('GET', query))[object] || [];
  const words = text.toLowerCase();
  const found = records.filter(one => called(one).toLowerCase().includes(words));
  const fields = [...new Set(records.flatMap(one => Object.keys(one.properties)))];
  const rank = /title|city|phone|name|email/i;
  fields.sort((a, b) => rank.test(b) - rank.test(a) || a.localeCompare(b));
  el('person').hidden = true;
  el('found').replaceChildren(found.length ? table(['Record', 'Id', ''],
    found.slice(0, 8).map(one => [called(one), one.id,
      chooser(object, one, fields)])) : 'None.');
  tell(found.length > 8 ? found.length + ' found, the first 8 are shown.' : '');
};
el('person').elements.field.onchange = shown;
el('person').onsubmit = async event => {
  event.preventDefault();
  const {field, value} = Object.fromEntries(new FormData(el('person')));
  await change({properties: {[field]: value}}, field + ' is ' + (value || 'empty'));
  chosen.record.properties[field] = value;
};
el('delete').onclick = async () => {
  await change({archived: true}, 'deleted');
  el('person').hidden = true;
};
el('fault').onsubmit = async event => {
  event.preventDefault();
  await api('POST', 'faults', Object.fromEntries(new FormData(el('fault'))));
  refresh();
};
el('config').onsubmit = event => event.preventDefault();
el('clear').onclick = async () => { await api('DELETE', 'faults'); refresh(); };
el('reset').onclick = async () => {
  if (confirm('Forget all records, faults and requests?')) {
    await api('POST', 'reset', {}); refresh(); settings();
  }
};
refresh(); settings(); setInterval(refresh, 3000);
"""
