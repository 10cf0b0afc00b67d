// U1 and U5: whatever is stored is shown as text, and names that imitate others are pointed out.
import { check, Person } from '../lib/browser.mjs';
import { authority, certificate, publicKeys } from '../lib/der.mjs';
import { enroll } from '../lib/world.mjs';

const HOSTILE = ['<img src=x onerror=alert(1)>', '"><script>alert(2)</script>', "'-alert(3)-'", 'javascript:alert(4)', '{{constructor.constructor("alert(5)")()}}', '<svg/onload=alert(6)>'];

export async function scenario({ browser, url, api }) {
  const ca = authority({ cn: HOSTILE[0], o: HOSTILE[1] });
  const { ec } = publicKeys();
  const one = (n, cn, names) => certificate(ca, { serial: Buffer.from([1, n]), subject: { cn, o: HOSTILE[5] }, names, notBefore: new Date(Date.now() - 1e9), notAfter: new Date(Date.now() + 1e10), spki: ec[0] });
  const imitating = 'xn--pple-43d.example.org';
  const turned = 'shop\u202egpj.example.org';
  await api.put('/api/v1/teams/web', { description: HOSTILE[0] });
  await api.put('/api/v1/metadata-fields/note', { label: HOSTILE[1], description: HOSTILE[0], kind: 'string' });
  const metadata = encodeURIComponent(JSON.stringify({ note: HOSTILE[0] }));
  const report = await api.call('POST', `/api/v1/certificates/import?metadata=${metadata}`, [...HOSTILE.map((text, n) => one(n + 1, text, [])), one(20, turned, []), one(21, 'odd', [imitating])].join(''));
  check(report.broken === 0, JSON.stringify(report));
  await api.post('/api/v1/tokens', { name: HOSTILE[5], role: 'auditor' });
  await api.post('/api/v1/saved-searches', { name: HOSTILE[0], search: { status: 'valid' } });
  const waiting = await enroll(api, 'default', ['plain.example.org'], { metadata: { note: HOSTILE[1] } });

  const person = await Person.at(browser, url);
  await person.signIn('ada');
  const known = await api.get('/api/v1/certificates?origin=imported&limit=50');
  const paths = ['/', '/certificates?columns=names,status,ends,issuer,metadata', `/requests/${waiting.id}`, '/requests', '/policy/fields', '/administration/teams', '/administration/tokens', '/administration/audit', ...known.items.map(({ id }) => `/certificates/${id}`)];
  for (const path of paths) await person.open(path);
  const found = known.items.find(({ names }) => names.includes(imitating));
  await person.open(`/certificates/${found.id}`);
  const mark = person.page.locator('h1 [data-suspicious]');
  check((await mark.innerText()).includes(imitating), 'the name is not shown as it is certified');
  await person.page.getByText('mixes alphabets').first().waitFor();
  const bidi = known.items.find(({ subject }) => subject.includes('\u202e'));
  await person.open(`/certificates/${bidi.id}`);
  const body = await person.page.locator('body').innerText();
  check(body.includes('‹U+202E›') && !body.includes('\u202e'), 'what turns text around is not written out');
  const hostile = known.items.find(({ subject }) => subject.includes('onerror'));
  await person.open(`/certificates/${hostile.id}`);
  check((await person.page.locator('img[src="x"]').count()) === 0, 'a stored text became an element');
  person.content();
}
