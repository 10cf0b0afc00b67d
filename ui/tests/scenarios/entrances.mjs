// Entry points of EST, SCEP and CMP with their passwords, and certificates that are brought along.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, Person } from '../lib/browser.mjs';
import { authority, certificate, publicKeys } from '../lib/der.mjs';
import { configuration } from '../lib/world.mjs';

const POINTS = [
  { path: 'est', noun: 'label', name: 'printers', list: '/api/v1/est/labels', tick: 'Makes keys for clients that ask for it', rule: 'server_keys' },
  { path: 'scep', noun: 'service', name: 'phones', list: '/api/v1/scep/services', tick: 'Reads messages encrypted with 3DES', rule: 'old_ciphers' },
  { path: 'cmp', noun: 'endpoint', name: 'plant', list: '/api/v1/cmp/endpoints', tick: 'A requester may do without confirming the certificate', rule: 'implicit_confirm' },
];

async function points(ada, api) {
  const { page } = ada;
  for (const { path, noun, name, list, tick, rule } of POINTS) {
    await ada.open(`/automation/${path}`);
    await page.getByRole('button', { name: `New ${noun}` }).first().click();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: `Edit ${name}` }).click();
    const before = (await api.get(`${list}/${name}`)).rules[rule];
    await page.getByLabel(tick).click();
    await ada.accessible(`the rules of ${name}`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    check((await api.get(`${list}/${name}`)).rules[rule] === !before, `${rule} of ${name} is as before`);
  }
}

async function passwords(ada, api) {
  const { page } = ada;
  await ada.open('/automation/passwords');
  for (const [point, kind] of [['printers', 'EST and SCEP'], ['phones', 'EST and SCEP'], ['plant', 'CMP']]) {
    await page.getByRole('button', { name: 'New password' }).first().click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(`for ${point}`);
    await page.getByRole('combobox', { name: 'What it opens' }).click();
    await page.getByRole('option', { name: point }).click();
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('The password, this once').waitFor();
    const secret = (await page.getByLabel(kind === 'CMP' ? 'Secret' : 'Password', { exact: true }).innerText()).trim();
    check(secret.length >= 12, `the secret is ${secret.length} characters long`);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('radiogroup', { name: 'Of' }).getByText(kind, { exact: true }).click();
    await page.getByText(`for ${point}`).waitFor();
    check(!(await page.content()).includes(secret), 'the secret is still in the page');
    await ada.sure(page.getByRole('button', { name: `Revoke for ${point}` }));
    await page.getByText('Revoked').first().waitFor();
  }
  check((await api.get('/api/v1/enrollment-passwords')).items.every(({ status }) => status === 'revoked'), 'a password still opens something');
  await ada.open('/automation/scep');
  await ada.sure(page.getByRole('button', { name: 'Delete phones' }));
  await page.getByText('No service yet').waitFor();
}

async function imports(ada, api) {
  const { page } = ada;
  const ca = authority({ cn: 'Elsewhere', o: 'Elsewhere' });
  const { ec } = publicKeys();
  const one = (n) => certificate(ca, { serial: Buffer.from([7, n]), subject: { cn: `imported-${n}.example.org` }, names: [`imported-${n}.example.org`], notBefore: new Date(Date.now() - 1e9), notAfter: new Date(Date.now() + 1e10), spki: ec[n] });
  const count = async () => (await api.get('/api/v1/certificates/count?origin=imported')).count;
  await ada.open('/certificates');
  await page.getByRole('link', { name: 'Import' }).click();
  await ada.settle();
  check(await page.getByRole('button', { name: 'Import' }).isDisabled(), 'one may import without having looked');
  await page.getByLabel('Or paste').fill(one(1) + one(2) + '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n');
  await page.getByRole('combobox', { name: 'Owner' }).click();
  await page.getByRole('option', { name: 'web' }).click();
  await page.getByRole('button', { name: 'Show what would happen' }).click();
  await page.getByText('2 new').waitFor();
  await page.getByText('1 broken').waitFor();
  await ada.accessible('a dry run');
  check((await count()) === 0, 'a dry run imported something');
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('What happened').waitFor();
  check((await count()) === 2, 'they are not there');
  check((await api.get('/api/v1/certificates/count?team=web&origin=imported')).count === 2, 'they are not the team’s');

  const folder = mkdtempSync(join(tmpdir(), 'certwright-import-'));
  const der = join(folder, 'third.cer');
  await writeFile(der, Buffer.from(one(3).replaceAll(/-----.*-----|\n/g, ''), 'base64'));
  await ada.open('/certificates/import');
  await page.locator('input[type=file]').setInputFiles(der);
  await page.getByRole('button', { name: 'Show what would happen' }).click();
  await page.getByText('1 new').waitFor();
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('What happened').waitFor();
  const [{ fingerprint }] = (await api.get('/api/v1/certificates?q=name:imported-3.example.org')).items;
  const table = join(folder, 'known.csv');
  await writeFile(table, `fingerprint,cost_center\n${fingerprint},4711\n`);
  await page.locator('input[type=file]').setInputFiles(table);
  await page.getByRole('button', { name: 'Show what would happen' }).click();
  await page.getByText('1 new').waitFor();
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('What happened').waitFor();
  check((await api.get('/api/v1/certificates/count?metadata.cost_center=4711')).count === 1, 'the table changed nothing');
  await bundles(page, api, folder);
  rmSync(folder, { recursive: true });
}

/** What Windows and Java hand out: PKCS#7, and PKCS#12 behind a password, whose key is thrown away. */
async function bundles(page, api, folder) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const made = (name) => openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '90', '-subj', `/CN=${name}.example.org`, '-addext', `subjectAltName=DNS:${name}.example.org`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  for (const name of ['bundled-1', 'bundled-2', 'locked']) made(name);
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'bundled-1.pem', '-certfile', 'bundled-2.pem', '-outform', 'DER', '-out', 'both.p7b');
  openssl('pkcs12', '-export', '-inkey', 'locked.key', '-in', 'locked.pem', '-passout', 'pass:for the file', '-out', 'locked.pfx');
  const look = page.getByRole('button', { name: 'Show what would happen' });

  await page.locator('input[type=file]').setInputFiles(join(folder, 'both.p7b'));
  await look.click();
  await page.getByText('2 new').waitFor();
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('What happened').waitFor();

  await page.locator('input[type=file]').setInputFiles(join(folder, 'locked.pfx'));
  await page.getByLabel('Password of the file').fill('another');
  await look.click();
  await page.getByRole('alert').filter({ hasText: /password/i }).waitFor();
  await page.getByLabel('Password of the file').fill('for the file');
  await look.click();
  await page.getByText('1 private key thrown away').waitFor();
  await page.getByRole('button', { name: 'Import' }).click();
  await page.getByText('What happened').waitFor();
  for (const name of ['bundled-1', 'bundled-2', 'locked']) {
    check((await api.get(`/api/v1/certificates/count?q=name:${name}.example.org`)).count === 1, `${name} is not there`);
  }
}

export async function scenario({ browser, url, api }) {
  await configuration(api);
  const ada = await Person.at(browser, url);
  await ada.signIn('ada');
  await points(ada, api);
  await passwords(ada, api);
  await imports(ada, api);
  ada.content();
}
