// Runs one scenario against a server: `node tests/run.mjs pages`. The environment says which:
//   CERTWRIGHT_URL, CERTWRIGHT_TOKEN (of an administrator), and for screenshots CERTWRIGHT_SCREENSHOTS (a folder).
import { launch } from './lib/browser.mjs';
import { Api, people } from './lib/world.mjs';

const name = process.argv[2];
const { scenario } = await import(`./scenarios/${name}.mjs`);
const url = process.env.CERTWRIGHT_URL;
const api = new Api(url, process.env.CERTWRIGHT_TOKEN);
const browser = await launch();
try {
  const known = await api.get('/api/v1/users');
  if (known.items.length === 0) await people(api);
  await scenario({ browser, url, api });
  console.log(`${name}: done`);
} catch (error) {
  console.error(error);
  // What the page says by itself is often the reason.
  for (const page of browser.contexts().flatMap((context) => context.pages())) console.error(page.url(), await page.locator('[role=alert]').allInnerTexts().catch(() => []));
  process.exitCode = 1;
} finally {
  await browser.close();
}
