// Every page, for two roles, on a phone, a desk and a wall, in both colours, with twenty thousand certificates.
import { mkdir } from 'node:fs/promises';
import { check, DESKTOP, Person, PHONE, WALL } from '../lib/browser.mjs';
import { configuration, entrances, inventory, issued, moves } from '../lib/world.mjs';

const COUNT = Number(process.env.CERTWRIGHT_CERTIFICATES ?? 20_000);
const FOLDER = process.env.CERTWRIGHT_SCREENSHOTS;

/** What is wrong anywhere: all of it is told, not the first alone. */
const faults = [];

async function pages(api) {
  const first = async (path) => (await api.get(path)).items[0]?.id;
  const bulk = await api.post('/api/v1/certificates/bulk', { action: { kind: 'transfer', team: 'web' }, filter: { team: 'mail', expires_within: '30d' } });
  const order = await first('/api/v1/acme/orders?limit=1');
  return {
    overview: '/',
    certificates: '/certificates',
    'certificates-filtered': '/certificates?expires_within=30d&sort=not_after&team=web',
    certificate: `/certificates/${await first('/api/v1/certificates?profile=default&status=valid&limit=1')}`,
    'bulk-actions': '/bulk',
    'bulk-action': `/bulk/${bulk.id}`,
    requests: '/requests',
    request: `/requests/${await first('/api/v1/enrollments?status=awaiting-approval&limit=1')}`,
    'request-wizard': '/requests/new',
    'certificate-import': '/certificates/import',
    approvals: '/approvals?view=pending',
    approval: `/approvals/${await first('/api/v1/approvals?status=pending&limit=1')}`,
    absences: '/approvals/absences',
    'acme-directories': '/automation/directories',
    'acme-keys': '/automation/keys',
    'acme-accounts': '/automation/accounts',
    'acme-orders': '/automation/orders',
    ...(order ? { 'acme-order': `/orders/${order}` } : {}),
    'est-labels': '/automation/est',
    'scep-services': '/automation/scep',
    'cmp-endpoints': '/automation/cmp',
    'enrollment-passwords': '/automation/passwords',
    issuers: '/issuers',
    issuer: '/issuers/issuing',
    'issuer-swap': '/issuers/issuing?swap=yes&to=issuing-2',
    'issuer-migration': `/migrations/${await first('/api/v1/issuer-migrations?limit=1')}`,
    profiles: '/policy/profiles',
    profile: '/policy/profiles/public-web',
    'metadata-fields': '/policy/fields',
    'approval-rules': '/policy/approval',
    users: '/administration/users',
    teams: '/administration/teams',
    roles: '/administration/roles',
    tokens: '/administration/tokens',
    'sign-on': '/administration/sign-on',
    notifications: '/administration/notifications',
    audit: '/administration/audit',
    'own-profile': '/profile',
  };
}

async function tour(browser, url, list, { name, screen, scheme, label, audits }) {
  const person = await Person.at(browser, url, { screen, scheme });
  if (FOLDER && name === 'ada' && label !== 'wall') {
    await person.page.goto(`${url}/sign-in`);
    await person.page.getByLabel('User name').waitFor();
    await person.page.screenshot({ path: `${FOLDER}/${scheme}/sign-in${label === 'desk' ? '' : `-${label}`}.png` });
  }
  await person.signIn(name);
  for (const [title, path] of Object.entries(list)) {
    const where = `${title} for ${name} (${label}, ${scheme})`;
    try {
      await person.open(path);
      await person.fits(where);
      check((await person.page.locator('[role=alert]').count()) === 0, `${where}: ${await person.page.locator('[role=alert]').allInnerTexts()}`);
      if (audits) await person.accessible(where, true);
    } catch (error) {
      faults.push(error.message.includes(where) ? error.message : `${where}: ${error.message}`);
    }
    if (FOLDER && name === 'ada' && label !== 'wall') await person.page.screenshot({ path: `${FOLDER}/${scheme}/${title}${label === 'desk' ? '' : `-${label}`}.png` });
  }
  faults.push(...person.complaints.map((text) => `${name} (${label}, ${scheme}): ${text}`));
  await person.context.close();
}

export async function scenario({ browser, url, api }) {
  if ((await api.get('/api/v1/certificates/count')).count < COUNT) {
    await configuration(api);
    await inventory(api, COUNT);
    await issued(api);
    await entrances(api);
    await moves(api);
  }
  check((await api.get('/api/v1/certificates/count')).count >= COUNT, 'certificates are missing');
  if (FOLDER) for (const scheme of ['light', 'dark']) await mkdir(`${FOLDER}/${scheme}`, { recursive: true });
  const list = await pages(api);
  const shared = Object.fromEntries(Object.entries(list).filter(([, path]) => /^\/(approvals|certificates|requests|profile)?($|[/?])/.test(path) && path !== '/requests/new'));
  await tour(browser, url, list, { name: 'ada', screen: DESKTOP, scheme: 'light', label: 'desk', audits: true });
  await tour(browser, url, list, { name: 'ada', screen: DESKTOP, scheme: 'dark', label: 'desk', audits: true });
  await tour(browser, url, list, { name: 'ada', screen: PHONE, scheme: 'light', label: 'phone' });
  const overview = { overview: '/', certificates: '/certificates' };
  await tour(browser, url, overview, { name: 'ada', screen: WALL, scheme: 'dark', label: 'wall' });
  await tour(browser, url, shared, { name: 'grace', screen: PHONE, scheme: 'dark', label: 'phone' });
  check(faults.length === 0, faults.join('\n\n'));
}
