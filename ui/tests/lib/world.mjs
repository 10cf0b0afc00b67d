// A server as it looks after some years: teams, people, profiles, and as many certificates as are asked for.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, certificate, publicKeys } from './der.mjs';

const DAY = 86_400_000;

/** The REST API, with a token. */
export class Api {
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  async call(method, path, body, headers = {}) {
    const isText = typeof body === 'string';
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { 'content-type': isText ? 'application/x-pem-file' : 'application/json' }), ...headers },
      body: body === undefined ? undefined : isText ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  get = (path) => this.call('GET', path);
  post = (path, body) => this.call('POST', path, body);
  put = (path, body) => this.call('PUT', path, body);
}

export const PASSWORD = 'correct horse battery staple';

/** Somebody who signs in with a password. */
export async function person(api, name, displayName, grants) {
  const invited = await api.post('/api/v1/users', { name, display_name: displayName, grants });
  const secret = invited.setup_url.split('/').pop();
  await fetch(`${api.url}/api/v1/session/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret, password: PASSWORD }),
  }).then(async (response) => {
    if (!response.ok) throw new Error(`setup: ${response.status} ${await response.text()}`);
  });
  return invited;
}

export async function people(api) {
  await person(api, 'ada', 'Ada Lovelace', [{ role: 'administrator' }]);
  await person(api, 'grace', 'Grace Hopper', [{ role: 'approver' }]);
}

export const guarded = async (api) => {
  const { rules } = await api.get('/api/v1/profiles/default');
  await api.put('/api/v1/profiles/public-web', {
    ...rules,
    description: 'Names that customers see; the web team agrees to each new one',
    approval: { stages: [{ approvals: 1, approvers: [{ kind: 'role', role: 'approver', scope: 'everywhere' }] }], deadline_seconds: 172800, escalation: [{ after_seconds: 14400, to: [{ kind: 'role', role: 'administrator', scope: 'everywhere' }] }] },
  });
};

export async function configuration(api) {
  const teams = { web: 'Public web sites and shops', payments: 'Everything that moves money', platform: 'Clusters, registries, build machines', mail: 'Mail and calendars', office: 'Printers, phones, meeting rooms' };
  for (const [name, description] of Object.entries(teams)) await api.put(`/api/v1/teams/${name}`, { description });
  await api.put('/api/v1/metadata-fields/cost_center', { label: 'Cost centre', description: 'Who pays for it', kind: 'string', pattern: '[0-9]{4}' });
  await api.put('/api/v1/metadata-fields/environment', { label: 'Environment', kind: 'choice', choices: ['production', 'staging', 'test'] });
  await api.put('/api/v1/metadata-fields/contact', { label: 'Contact', description: 'Whom to call at night', kind: 'string' });
  await guarded(api);
  const { rules } = await api.get('/api/v1/profiles/default');
  await api.put('/api/v1/profiles/internal-service', { ...rules, description: 'Machine to machine, renewed every week', validity_seconds: 604800 });
  await api.post('/api/v1/acme/eab-keys', { name: 'kubernetes production', team: 'platform', usage: 'multi', allowed_names: ['*.cluster.example.net'] });
  await api.post('/api/v1/acme/eab-keys', { name: 'shop front', team: 'web', usage: 'single' });
  await api.post('/api/v1/tokens', { name: 'build machine', role: 'requester', team: 'platform' });
  await api.post('/api/v1/saved-searches', { name: 'Ending this month', search: { expires_within: '30d', sort: 'not_after' } });
}

const HOSTS = ['www', 'shop', 'api', 'login', 'cdn', 'static', 'mail', 'vpn', 'git', 'registry', 'grafana', 'ldap', 'print', 'meet', 'pay', 'ledger', 'files', 'wiki', 'status', 'search'];
const PLACES = ['example.org', 'example.net', 'berlin.example.org', 'oslo.example.org', 'cluster.example.net', 'pay.example.com', 'lab.example.net'];
const TEAMS = ['web', 'payments', 'platform', 'mail', 'office', undefined];

/** When the n-th one ends: most in months, some soon, some long ago. */
function end(n, now) {
  if (n % 11 === 0) return now - ((n % 400) + 1) * DAY;
  if (n % 17 === 0) return now + ((n % 29) + 0.5) * DAY;
  return now + (30 + ((n * 7919) % 330)) * DAY + (n % 24) * 3_600_000;
}

/** Brings certificates of CAs elsewhere into the inventory, by the importer. */
export async function inventory(api, count) {
  const authorities = ['Example Public CA R3', 'Contoso Issuing CA 2', 'Old Corporate CA'].map((cn) => authority({ cn, o: 'Elsewhere' }));
  const keys = publicKeys();
  const now = Date.now();
  for (let first = 0; first < count; first += 2_000) {
    for (const [slot, team] of TEAMS.entries()) {
      const texts = [];
      for (let n = first; n < Math.min(first + 2_000, count); n++) {
        if (n % TEAMS.length !== slot) continue;
        const host = `${HOSTS[n % HOSTS.length]}${n >= 140 ? `-${Math.floor(n / 140)}` : ''}.${PLACES[n % PLACES.length]}`;
        const pool = n % 97 === 0 ? keys.weak : n % 5 === 0 ? keys.rsa : n % 13 === 0 ? keys.ec384 : keys.ec;
        const notAfter = new Date(end(n, now));
        texts.push(
          certificate(authorities[n % 7 === 0 ? 1 : n % 31 === 0 ? 2 : 0], {
            serial: randomBytes(16), subject: { cn: host }, names: n % 4 === 0 ? [host, `alt.${host}`] : [host],
            notBefore: new Date(notAfter.getTime() - 397 * DAY), notAfter, spki: pool[n % pool.length],
          }),
        );
      }
      if (texts.length) {
        const query = new URLSearchParams({ ...(team ? { team } : {}), metadata: JSON.stringify({ environment: ['production', 'staging', 'test'][slot % 3] }) });
        await api.call('POST', `/api/v1/certificates/import?${query}`, texts.join(''));
      }
    }
  }
}

export const enroll = (api, profile, names, more = {}) =>
  api.post('/api/v1/enrollments', { profile, key: { algorithm: 'p-256' }, identifiers: names.map((value) => ({ type: 'dns', value })), ...more });

/** Own ones, through the pipeline: issued, revoked, renewed, waiting for people. */
export async function issued(api, count = 40) {
  const made = [];
  for (let n = 0; n < count; n++) {
    const team = TEAMS[n % TEAMS.length];
    made.push(await enroll(api, n % 3 ? 'default' : 'internal-service', [`${HOSTS[n % HOSTS.length]}-${n}.example.com`], { ...(team ? { team } : {}), metadata: { environment: 'production', cost_center: String(4700 + (n % 9)) } }));
  }
  for (const { certificate: id } of made.slice(0, 6)) await api.post(`/api/v1/certificates/${id}/revoke`, { reason: 'superseded' });
  for (const { certificate: id } of made.slice(6, 10)) await api.post(`/api/v1/certificates/${id}/renew`, {});
  for (const names of [['checkout.example.com', 'pay.example.com'], ['*.campaign.example.com'], ['www.example.com']]) {
    await enroll(api, 'public-web', names, { team: 'web', metadata: { environment: 'production', cost_center: '4711', contact: 'web on call' } });
  }
  return made;
}

/** Another CA, made elsewhere and brought along with its key. */
export async function secondIssuer(api, name = 'issuing-2') {
  const folder = mkdtempSync(join(tmpdir(), 'certwright-ca-'));
  try {
    const file = (part) => join(folder, part);
    const make = (of, subject, path, ...more) => {
      const extensions = [`basicConstraints=critical,CA:TRUE${path}`, 'keyUsage=critical,keyCertSign,cRLSign'].flatMap((text) => ['-addext', text]);
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${of}.key`), '-out', file(`${of}.pem`), '-days', '3650', '-subj', `/O=Example/CN=${subject}`, ...extensions, ...more], { stdio: 'pipe' });
    };
    make('root', 'Example Root 2', '');
    make('sub', `Example ${name}`, ',pathlen:0', '-CA', file('root.pem'), '-CAkey', file('root.key'));
    const read = (part) => readFileSync(file(part), 'utf8');
    return await api.post('/api/v1/issuers/import', { name, certificates: read('sub.pem') + read('root.pem'), key: read('sub.key') });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Where clients without accounts come in, who is told of what, and who is away. */
export async function entrances(api) {
  await api.put('/api/v1/est/labels/printers?team=office', {});
  await api.put('/api/v1/scep/services/phones', {});
  await api.put('/api/v1/cmp/endpoints/plant?team=platform', {});
  await api.post('/api/v1/enrollment-passwords', { name: 'printers of the third floor', est_label: 'printers', max_uses: 12, allowed_names: ['.lab.example.net'] });
  await api.post('/api/v1/cmp/secrets', { name: 'line 7', endpoint: 'plant', reference: 'line-7' });
  await api.put('/api/v1/notification-channels/operations', { kind: 'webhook', settings: { url: 'https://hooks.example.org/certwright', secret: 'a shared secret of at least 24 octets' }, enabled: false });
  await api.put('/api/v1/notification-rules/what-ends', { channels: ['operations'], events: ['certificate.expiring', 'certificate.expired', 'renewal.overdue'], min_severity: 'warning', teams: ['web', 'payments'] });
  const { items } = await api.get('/api/v1/users');
  const id = (name) => items.find((user) => user.name === name).id;
  await api.post('/api/v1/approval-delegations', { principal: id('grace'), delegate: id('ada'), reason: 'holidays', starts_at: new Date(Date.now() + 14 * DAY).toISOString(), ends_at: new Date(Date.now() + 28 * DAY).toISOString() });
}

/** A second CA with limits, and a move to it of what one team has. */
export async function moves(api) {
  await secondIssuer(api);
  await api.put('/api/v1/issuers/issuing/limits', { per_day: 5_000 });
  const { rules } = await api.get('/api/v1/profiles/default');
  await api.put('/api/v1/profiles/default', { ...rules, issuers: [{ issuer: 'issuing', weight: 70 }, { issuer: 'issuing-2', weight: 30 }] });
  await api.post('/api/v1/issuer-migrations', { from: 'issuing', to: 'issuing-2', filter: { q: 'team:mail' } });
}
