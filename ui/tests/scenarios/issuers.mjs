// CAs: limits, one more elsewhere with a trial of the connection, weights, and a move from one to another that survives reloads.
import { check, Person } from '../lib/browser.mjs';
import { configuration, enroll, issued, secondIssuer } from '../lib/world.mjs';

export async function scenario({ browser, url, api }) {
  await configuration(api);
  await issued(api, 12);
  await secondIssuer(api);
  const ada = await Person.at(browser, url);
  const { page } = ada;
  await ada.signIn('ada');

  await ada.open('/issuers/issuing');
  await page.getByRole('button', { name: 'Limits' }).click();
  await page.getByLabel('Certificates a day').fill('5000');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('of 5,000').first().waitFor();
  check((await api.get('/api/v1/issuers/issuing')).limits.per_day === 5000, 'the limit was not kept');
  await page.getByRole('button', { name: 'Test it' }).click();
  await page.getByText('passed').first().waitFor();
  const { number } = (await api.get('/api/v1/issuers/issuing')).crl;
  await page.getByRole('button', { name: 'Publish the next CRL now' }).click();
  await page.waitForFunction((old) => Number(/number (\d+)/.exec(document.body.textContent ?? '')?.[1]) > old, number, { timeout: 60_000 });

  await ada.open('/issuers');
  await page.getByText('of 5,000').first().waitFor();
  const card = page.getByRole('link').filter({ hasText: /^issuing(?!-)/ }).or(page.locator('a[href="/issuers/issuing"]')).first();
  for (const text of ['CRL', /number \d+/, 'OCSP', 'Served here', /answers good for/, 'Backlog']) await card.getByText(text).first().waitFor();
  await page.getByRole('button', { name: 'Add an issuer' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('plant');
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: /^vault:/ }).click();
  await page.getByRole('textbox', { name: 'Url' }).fill('https://127.0.0.1:1');
  await page.getByRole('textbox', { name: 'Mount' }).fill('pki');
  await page.getByRole('textbox', { name: 'Role', exact: true }).fill('web');
  await page.getByLabel('Authentication').fill('{"method": "token"}');
  await page.getByLabel('Token').fill('a secret that is never shown');
  await ada.accessible('the form of an issuer');
  await page.getByRole('button', { name: 'Add it and test the connection' }).click();
  await page.getByText('failed').first().waitFor();
  await page.getByRole('button', { name: 'Open it' }).click();
  await page.waitForURL('**/issuers/plant');
  await ada.settle();
  await page.getByText('never shown').first().waitFor();
  check(!(await page.content()).includes('a secret that is'), 'a secret is shown');
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByRole('textbox', { name: 'Mount' }).fill('pki_int');
  await page.getByLabel('Token').fill('another secret');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('pki_int', { exact: true }).waitFor();

  // Nobody is there: whoever looks reads why the request waits, and when it is tried again.
  const { rules } = await api.get('/api/v1/profiles/default');
  await api.put('/api/v1/profiles/plant', { ...rules, issuers: [{ issuer: 'plant', weight: 1 }] });
  const { id } = await enroll(api, 'plant', ['press.example.org']);
  let waiting = {};
  while (!waiting.reason || !waiting.poll_at) {
    waiting = await api.get(`/api/v1/enrollments/${id}`);
    await page.waitForTimeout(200);
  }
  await ada.open('/');
  await page.getByText(/; next try /).first().waitFor();
  await ada.open(`/requests/${id}`);
  await page.getByText(waiting.reason).first().waitFor();
  await page.getByText('Next try', { exact: true }).first().waitFor();

  await ada.open('/issuers/issuing?swap=yes');
  await page.getByRole('combobox', { name: 'The CA that takes over' }).click();
  await page.getByRole('option', { name: 'issuing-2' }).click();
  await page.getByText('to move', { exact: false }).first().waitFor();
  await page.getByLabel('Certificates in a wave').fill('2');
  await page.reload();
  await ada.settle();
  check((await page.getByLabel('Certificates in a wave').inputValue()) === '2', 'a reload forgets the wizard');
  await page.getByText('need somebody').waitFor();
  await ada.accessible('the plan of a move');
  await page.getByRole('button', { name: 'Begin the move' }).click();
  await page.waitForURL('**/migrations/mig_*');
  await ada.settle();
  await page.getByText('left to people').first().waitFor();
  const [report] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Report' }).click()]);
  check(report.suggestedFilename() === 'issuing-to-issuing-2.csv', `the report is ${report.suggestedFilename()}`);
  await page.reload();
  await ada.settle();
  await ada.accessible('a move');
  // What certbot got renews by itself, so the move waits for it: long enough to be stopped.
  const move = `/api/v1/issuer-migrations/${page.url().split('/').pop()}`;
  await page.getByRole('link', { name: 'moved.example.org' }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  check((await api.get(move)).state === 'paused', 'the move is not paused');
  await page.reload();
  await ada.settle();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  check((await api.get(move)).state === 'running', 'the move does not go on');
  await page.getByRole('button', { name: 'Roll back' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await page.getByText('Rolled back', { exact: true }).first().waitFor({ timeout: 60_000 });
  const { rules: after } = await api.get('/api/v1/profiles/default');
  check(after.issuers.every(({ issuer }) => issuer === 'issuing'), `requests go to ${JSON.stringify(after.issuers)}`);
  ada.content();
}
