// An overview that is open shows what a client gets, within a second of its arrival in the event log.
import { writeFile } from 'node:fs/promises';
import { check, Person } from '../lib/browser.mjs';

const NAME = 'arrival.example.org';

export async function scenario({ browser, url, api }) {
  const person = await Person.at(browser, url);
  await person.signIn('ada');
  await person.open('/');
  await person.page.getByText('Live', { exact: true }).first().waitFor();
  // The moment at which the page first has the name, by the page's own clock.
  await person.page.evaluate((name) => {
    window.shown = new Promise((resolve) => {
      const look = () => document.body.textContent?.includes(name) && resolve(Date.now());
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
  }, NAME);
  await writeFile(process.env.CERTWRIGHT_READY, '');
  const issued = await issuance(api);
  const shown = await person.page.evaluate(() => window.shown);
  const after = shown - Date.parse(issued.at);
  console.log(`it showed ${after} ms after it was issued`);
  check(after < 1_000, `it showed ${after} ms after it was issued`);
  person.content();
}

/** The event of the issuance, once there is one. */
async function issuance(api) {
  for (let tries = 0; tries < 1_200; tries++) {
    const { items } = await api.get('/api/v1/audit?name=certificate.issued&limit=20');
    const found = items.find(({ data }) => JSON.stringify(data).includes(NAME));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('certbot got nothing');
}
