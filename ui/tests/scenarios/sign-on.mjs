// A provider of OpenID Connect: an administrator sets it up, its groups get roles, its people come in.
import { Person } from '../lib/browser.mjs';

export async function scenario({ browser, url, api }) {
  await api.put('/api/v1/teams/web', { description: '' });
  const ada = await Person.at(browser, url);
  const { page } = ada;
  await ada.signIn('ada');
  await ada.open('/administration/sign-on');
  await page.getByRole('button', { name: 'New provider' }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('staff');
  await page.getByLabel('Title').fill('Staff directory');
  await page.getByLabel('Issuer URL').fill(process.env.CERTWRIGHT_OIDC_ISSUER);
  await page.getByLabel('Client id').fill('certwright');
  await page.getByLabel('Client secret').fill(process.env.CERTWRIGHT_OIDC_SECRET);
  await page.getByLabel('Scopes').first().fill('groups');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Map a group' }).click();
  await page.getByLabel('Group 1', { exact: true }).fill('pki');
  await page.getByRole('combobox', { name: 'Role of group 1' }).click();
  await page.getByRole('option', { name: 'auditor' }).click();
  await page.getByRole('combobox', { name: 'Team of group 1' }).click();
  await page.getByRole('option', { name: 'web' }).click();
  await ada.accessible('the form of a provider');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('pki: auditor in web').waitFor();
  ada.content();

  const lin = await Person.at(browser, url);
  await lin.page.goto(`${url}/sign-in`);
  await lin.page.getByRole('link', { name: 'Staff directory' }).click();
  await lin.page.locator('input[name=login]').fill('lin');
  await lin.page.locator('input[name=password]').fill('any');
  await lin.page.locator('button[type=submit]').click();
  await lin.page.getByRole('button', { name: /continue/i }).click();
  await lin.page.waitForURL(`${url}/**`);
  await lin.settle();
  await lin.open('/profile');
  await lin.page.getByText('in the team web').waitFor();
}
