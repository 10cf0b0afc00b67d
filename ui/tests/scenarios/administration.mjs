// What administrators do, each of it done: people, teams, roles, tokens, fields, keys, the audit log.
import { check, Person } from '../lib/browser.mjs';

const closed = (page) => page.getByRole('dialog').waitFor({ state: 'detached' });

async function people({ page, ...ada }, api) {
  await ada.open('/administration/users');
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByRole('textbox', { name: 'User name' }).fill('lin');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Lin Newhire');
  await page.locator('[role=dialog] button[type=submit]').click();
  await page.getByText('The setup link, this once').waitFor();
  await page.getByRole('button', { name: 'I have it' }).click();
  const user = async () => (await api.get('/api/v1/users')).items.find(({ name }) => name === 'lin');
  const act = async (item) => {
    await page.getByRole('button', { name: 'Actions for lin' }).click();
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  };
  await act('New setup link');
  await page.getByRole('button', { name: 'I have it' }).click();
  await act('What they may do');
  await page.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: 'auditor' }).click();
  await page.getByRole('button', { name: 'Give' }).click();
  await page.getByRole('dialog').getByText('audit:read').first().waitFor();
  await ada.accessible('what somebody may do');
  await page.getByRole('button', { name: 'Close' }).click();
  await closed(page);
  await act('Disable');
  await page.getByText('Disabled').waitFor();
  check((await user()).state === 'disabled', 'lin is not disabled');
  await act('Enable');
  await page.getByText('Disabled').waitFor({ state: 'detached' });
  await act('Delete');
  await page.getByText('gone for good').waitFor();
  check(await user(), 'lin is deleted before anybody said yes');
  await page.getByRole('button', { name: 'Yes, delete' }).click();
  await page.getByText('Lin Newhire').waitFor({ state: 'detached' });
  check(!(await user()), 'lin is still there');
}

async function teamsAndRoles({ page, ...ada }, api) {
  await ada.open('/administration/teams');
  await page.getByRole('button', { name: 'New team' }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('lab');
  await page.getByRole('textbox', { name: 'Description' }).fill('Where things are tried');
  await page.getByRole('button', { name: 'Save' }).click();
  await closed(page);
  await page.getByRole('row', { name: /lab/ }).getByRole('button', { name: 'Describe' }).click();
  await page.getByRole('textbox', { name: 'Description' }).fill('Where things break');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Where things break').waitFor();
  await ada.sure(page.getByRole('row', { name: /lab/ }).getByRole('button', { name: 'Delete' }));
  await page.getByRole('row', { name: /lab/ }).waitFor({ state: 'detached' });

  await ada.open('/administration/roles');
  await page.getByRole('button', { name: 'New role' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('night-watch');
  await page.getByLabel('certificates:read').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await closed(page);
  check((await api.get('/api/v1/roles/night-watch')).permissions.includes('certificates:read'), 'the role may not read');
  await page.getByRole('row', { name: /night-watch/ }).getByRole('button', { name: 'Edit' }).click();
  await ada.sure(page.getByRole('button', { name: 'Delete the role' }));
  await closed(page);
  await page.getByRole('row', { name: /night-watch/ }).waitFor({ state: 'detached' });
}

async function secrets({ page, ...ada }, api) {
  await ada.open('/administration/tokens');
  await page.getByRole('button', { name: 'New token' }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('nightly');
  await page.getByRole('button', { name: 'Make the token' }).click();
  await page.getByText('The token, this once').waitFor();
  await page.getByRole('button', { name: 'I have it' }).click();
  await ada.sure(page.getByRole('row', { name: /nightly/ }).getByRole('button', { name: 'Revoke' }));
  await page.getByRole('row', { name: /nightly/ }).getByText('Revoked').waitFor();

  await ada.open('/automation/keys');
  await page.getByRole('button', { name: 'New key' }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('cluster');
  await page.getByRole('button', { name: 'Make the key' }).click();
  await page.getByText('The key, this once').waitFor();
  await page.getByRole('button', { name: 'I have it' }).click();
  await ada.sure(page.getByRole('row', { name: /cluster/ }).getByRole('button', { name: 'Revoke' }));
  await page.getByRole('row', { name: /cluster/ }).getByText('Revoked').waitFor();
  check((await api.get('/api/v1/acme/eab-keys')).items[0].status === 'revoked', 'the key still works');
}

async function rules({ page, ...ada }, api) {
  await ada.open('/policy/fields');
  await page.getByRole('button', { name: 'New field' }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('building');
  await page.getByRole('textbox', { name: 'Label' }).fill('Building');
  await page.getByRole('button', { name: 'Save' }).click();
  await closed(page);
  await ada.sure(page.getByRole('row', { name: /Building/ }).getByRole('button', { name: 'Retire' }));
  await page.getByRole('row', { name: /Building/ }).getByText('Retired').waitFor();

  await ada.open('/policy/profiles');
  await page.getByRole('button', { name: 'New profile' }).first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('weekly');
  await page.getByRole('button', { name: /Make it/ }).click();
  await page.waitForURL('**/policy/profiles/weekly');
  await ada.settle();
  await page.getByLabel('Days a certificate is valid').fill('7');
  await page.getByRole('button', { name: 'Save as version 2' }).click();
  await page.getByRole('button', { name: 'Save as version 3' }).waitFor();
  check((await api.get('/api/v1/profiles/weekly')).rules.validity_seconds === 7 * 86_400, 'it is not seven days');
}

async function audit({ page, ...ada }) {
  await ada.open('/administration/audit');
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText('The log is whole').waitFor();
  await page.getByRole('textbox', { name: /^Event/ }).fill('team.');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL('**name=team.**');
  await page.getByText('team.deleted').first().waitFor();
}

export async function scenario({ browser, url, api }) {
  const person = await Person.at(browser, url);
  await person.signIn('ada');
  const ada = { page: person.page, open: (path) => person.open(path), settle: () => person.settle(), accessible: (where) => person.accessible(where), sure: (button) => person.sure(button) };
  await people(ada, api);
  await teamsAndRoles(ada, api);
  await secrets(ada, api);
  await rules(ada, api);
  await audit(ada);
  person.content();
}
