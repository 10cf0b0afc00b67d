// U4: a key made on the server is downloaded once; one born in the browser leaves it in a file alone.
import { readFile } from 'node:fs/promises';
import { check, Person } from '../lib/browser.mjs';

async function wizard(person, source, name) {
  const { page } = person;
  await person.open('/requests/new');
  await page.getByRole('radio', { name: /^default/ }).click();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('radio', { name: source }).click();
  await page.getByLabel('Names', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
}

async function nowhere({ page, context }, secret) {
  const kept = await page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), await caches.keys()]));
  const line = secret.split('\n')[1];
  check(!kept.includes(line), 'the key is in the browser’s storage');
  check(!page.url().includes(line), 'the key is in the address');
  check(!(await page.content()).includes(line), 'the key is in the page');
  check(!JSON.stringify(await context.cookies()).includes(line), 'the key is in a cookie');
}

const PEM = /-----[^-]+-----|\s/g;

/** Keeps what the page sends; Chromium does not show the bodies of requests that were copied. */
const KEEP_BODIES = () => {
  window.bodies = [];
  window.Request = class extends window.Request {
    constructor(input, init) {
      super(input, init);
      if (typeof init?.body === 'string') window.bodies.push(init.body);
    }
  };
};

/** The CSR that the page last asked the rules about, in DER. */
async function lastCsr(page) {
  const csr = await page.evaluate(() => window.bodies.map((body) => JSON.parse(body).csr).filter(Boolean).at(-1));
  return Buffer.from(csr.replaceAll(PEM, ''), 'base64');
}

const general = (tag, text) => Buffer.concat([Buffer.from([tag, text.length]), Buffer.from(text)]);

/** A key that was saved opens the way for itself alone: with other names another is made, and saved before anything is asked. */
async function changedMind(person) {
  const { page } = person;
  await page.addInitScript(KEEP_BODIES);
  await wizard(person, /born in this browser/, 'first-name.example.org');
  const submit = page.getByRole('button', { name: 'Submit the request' });
  const save = async (button) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
    return readFile(await file.path(), 'utf8');
  };
  const first = await save('Save the private key');
  check(await submit.isEnabled(), 'the key was saved, and one may not go on');
  const back = page.getByRole('button', { name: 'Back', exact: true });
  const next = page.getByRole('button', { name: 'Next', exact: true });
  await back.click();
  await back.click();
  await next.click();
  await next.click();
  check((await save('Save the key again')) === first, 'nothing changed, and another key was made');
  await back.click();
  await back.click();
  await page.getByLabel('Names', { exact: true }).fill('second-name.example.org ops@example.org spiffe://example.org/ops 192.0.2.7');
  await next.click();
  await next.click();
  check(await submit.isDisabled(), 'one may submit a key that nobody saved');
  check((await save('Save the private key')) !== first, 'other names, and the key is the same');
  const csr = await lastCsr(page);
  for (const [tag, text] of [[0x82, 'second-name.example.org'], [0x81, 'ops@example.org'], [0x86, 'spiffe://example.org/ops']]) {
    check(csr.includes(general(tag, text)), `${text} is not in the CSR as what it is`);
  }
  check(csr.includes(Buffer.from([0x87, 4, 192, 0, 2, 7])), 'the address is not in the CSR as what it is');
  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await page.getByRole('radio', { name: /I have a CSR/ }).click();
  check((await page.getByLabel('CSR in PEM').inputValue()) === '', 'the CSR of a key of this page is offered as one from elsewhere');
}

export async function scenario({ browser, url }) {
  const person = await Person.at(browser, url);
  const { page } = person;
  await person.signIn('ada');
  await wizard(person, /made on the server/, 'server-key.example.org');
  await page.getByRole('button', { name: 'Submit the request' }).click();
  await page.getByRole('button', { name: 'Fetch the private key' }).click();
  const answers = [];
  page.on('response', (response) => response.url().endsWith('/key') && answers.push(response.headers()['cache-control']));
  const [fetched] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the key' }).click()]);
  const key = await readFile(await fetched.path(), 'utf8');
  check(key.includes('PRIVATE KEY'), 'no key was saved');
  check(answers[0] === 'no-store', `the answer may be kept: ${answers[0]}`);
  await nowhere(person, key);
  const id = page.url().split('/').pop();
  const again = await page.evaluate(async (enrollment) => {
    const { csrf_token } = await (await fetch('/api/v1/session')).json();
    const response = await fetch(`/api/v1/enrollments/${enrollment}/key`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrf_token }, body: '{"format":"pkcs8"}' });
    return response.status;
  }, id);
  check(again >= 400, `the key was handed out again: ${again}`);

  await changedMind(person);
  await wizard(person, /born in this browser/, 'browser-key.example.org');
  const submit = page.getByRole('button', { name: 'Submit the request' });
  check(await submit.isDisabled(), 'one may submit without having saved the key');
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the private key' }).click()]);
  const born = await readFile(await saved.path(), 'utf8');
  check(born.includes('PRIVATE KEY'), 'no key was saved');
  await submit.click();
  await page.getByText('Issued', { exact: true }).first().waitFor({ timeout: 20_000 });
  await nowhere(person, born);
  person.content();
}
