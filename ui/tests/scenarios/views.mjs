// The inventory: what is chosen stands in the address, is kept as a view, and goes into a sheet.
import { execFileSync } from 'node:child_process';
import { check, Person } from '../lib/browser.mjs';
import { configuration, inventory } from '../lib/world.mjs';

const rows = (page) => page.locator('[role=row][aria-rowindex]');

export async function scenario({ browser, url, api }) {
  await configuration(api);
  await inventory(api, 240);
  const ada = await Person.at(browser, url);
  const { page } = ada;
  await ada.signIn('ada');
  await ada.open('/certificates');
  await page.getByRole('textbox', { name: 'Search certificates' }).fill('team:web');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('menuitem', { name: 'State' }).hover();
  await page.getByRole('menuitemcheckbox', { name: 'expired' }).waitFor();
  await ada.accessible('the menu of filters');
  await page.getByRole('menuitemcheckbox', { name: 'expired' }).click();
  await page.waitForURL('**status=expired**');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Names' }).click();
  await page.waitForURL('**sort=name**');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Serial' }).click();
  await page.waitForURL('**columns=**serial**');
  await ada.accessible('the menu of columns');
  await page.keyboard.press('Escape');
  const filter = 'q=team%3Aweb&status=expired';
  const { count } = await api.get(`/api/v1/certificates/count?${filter}`);
  check(count > 0, 'the scenario finds nothing');
  await page.getByText(`${count} certificate`).first().waitFor();
  const first = (await api.get(`/api/v1/certificates?${filter}&sort=name&limit=1`)).items[0].names[0];
  check((await rows(page).first().innerText()).includes(first), 'it is not in the order that was asked for');

  // Whoever is sent the address sees the same.
  const address = new URL(page.url());
  const grace = await Person.at(browser, url);
  await grace.signIn('grace');
  await grace.open(address.pathname + address.search);
  await grace.page.getByText(`${count} certificate`).first().waitFor();
  check((await rows(grace.page).first().innerText()).includes(first), 'the address shows somebody else something else');
  await grace.page.getByRole('columnheader', { name: 'Serial' }).waitFor();
  grace.content();

  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Keep this view' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Gone from the web');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await ada.open('/certificates');
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Gone from the web', exact: true }).waitFor();
  await ada.accessible('the menu of views');
  await page.getByRole('menuitem', { name: 'Gone from the web', exact: true }).click();
  await page.waitForURL('**status=expired**');
  await page.getByText(`${count} certificate`).first().waitFor();

  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: 'XLSX' }).waitFor();
  await ada.accessible('the menu of exports');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'XLSX' }).click()]);
  check(file.suggestedFilename() === 'certificates.xlsx', `the sheet is ${file.suggestedFilename()}`);
  const sheet = execFileSync('python3', ['-c', 'import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as z: assert z.testzip() is None; print(z.read("xl/worksheets/sheet1.xml").decode())', await file.path()], { maxBuffer: 1 << 26 }).toString();
  check(sheet.split('<row>').length - 1 === count + 1, `the sheet has ${sheet.split('<row>').length - 1} rows for ${count} certificates`);
  check(sheet.includes(first), `${first} is not in the sheet`);

  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Delete Gone from the web' }).click();
  await page.getByRole('menuitem', { name: 'Gone from the web', exact: true }).waitFor({ state: 'detached' });
  check(!(await api.get('/api/v1/saved-searches')).items.some(({ name }) => name === 'Gone from the web'), 'the view is still there');
  ada.content();
}
