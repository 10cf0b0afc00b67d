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
