// A CA elsewhere by its form: refused with the wrong password, tested, mended, and its secret is nowhere to be seen.
import { readFile } from 'node:fs/promises';
import { check, Person } from '../lib/browser.mjs';

export async function scenario({ browser, url, api }) {
  const settings = JSON.parse(await readFile(process.env.CERTWRIGHT_ADCS, 'utf8'));
  const password = process.env.CERTWRIGHT_ADCS_PASSWORD;
  const ada = await Person.at(browser, url);
  const { page } = ada;
  await ada.signIn('ada');
  await ada.open('/issuers');
  await page.getByRole('button', { name: 'Add an issuer' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('corporate');
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: /^adcs:/ }).click();
  for (const [label, value] of [['Url', settings.url], ['Template', settings.template], ['Username', settings.username], ['Domain', settings.domain]]) {
    await page.getByRole('textbox', { name: label, exact: true }).fill(value);
  }
  await page.getByText('Further settings').click();
  await page.getByRole('textbox', { name: 'Trust anchors' }).fill(settings.trust_anchors);
  await page.getByRole('combobox', { name: 'Authentication' }).click();
  await page.getByRole('option', { name: settings.authentication }).click();
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
  await ada.accessible('the form of a CA elsewhere');
  await page.getByRole('button', { name: 'Add it and test the connection' }).click();
  await page.getByText('failed', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'Open it' }).click();
  await page.waitForURL('**/issuers/corporate');
  await ada.settle();

  await page.getByRole('button', { name: 'Change' }).click();
  const field = page.getByRole('textbox', { name: 'Password' });
  check((await field.inputValue()) === '', 'the form holds the secret');
  check((await field.getAttribute('placeholder')) === 'Stays as it is', 'the form does not say that there is one');
  check((await page.getByRole('textbox', { name: 'Trust anchors' }).inputValue()).trim() === settings.trust_anchors.trim(), 'a setting is gone');
  await field.fill(password);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Test it' }).click();
  await page.getByText('passed', { exact: true }).first().waitFor();
  check((await page.getByText('failed', { exact: true }).count()) === 0, await page.locator('main').innerText());
  check(!(await page.content()).includes(password), 'the page shows the secret');
  const shown = JSON.stringify(await api.get('/api/v1/issuers/corporate'));
  check(!shown.includes(password) && shown.includes('"password"'), shown);
  for (const text of ['CRL', 'OCSP', 'Backlog']) await page.getByText(text, { exact: true }).first().waitFor();
  ada.content();
}
