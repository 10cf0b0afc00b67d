// Who agrees, who is told, who is away: rules made and changed by forms, pictures that follow them.
import { check, Person } from '../lib/browser.mjs';
import { configuration } from '../lib/world.mjs';

async function approvals(ada, api) {
  const { page } = ada;
  await ada.open('/policy/approval');
  await page.getByRole('button', { name: 'Ask people' }).click();
  await page.getByRole('combobox', { name: 'Profile' }).click();
  await page.getByRole('option', { name: 'default', exact: true }).click();
  await page.getByRole('button', { name: 'Next' }).click();
  const dialog = page.getByRole('dialog', { name: /Who agrees/ });
  await dialog.getByRole('button', { name: 'Another stage' }).click();
  await dialog.getByLabel('How many agree').nth(1).fill('2');
  await dialog.getByRole('button', { name: 'Ask others later' }).click();
  await dialog.getByRole('textbox', { name: 'After', exact: true }).fill('6');
  await dialog.getByRole('textbox', { name: 'Expires after', exact: true }).fill('3');
  await dialog.getByText('asked as well after 6 h').waitFor();
  await ada.accessible('the editor of an approval rule');
  await dialog.getByRole('button', { name: /Save as a new version/ }).click();
  await dialog.waitFor({ state: 'detached' });
  const { approval } = (await api.get('/api/v1/profiles/default')).rules;
  check(approval.stages.length === 2 && approval.stages[1].approvals === 2, JSON.stringify(approval));
  check(approval.escalation[0].after_seconds === 6 * 3_600 && approval.deadline_seconds === 3 * 86_400, JSON.stringify(approval));
  await page.getByRole('button', { name: 'Edit the rule of default' }).click();
  await page.getByRole('button', { name: 'Remove stage 2' }).click();
  await page.getByRole('button', { name: /Save as a new version/ }).click();
  await dialog.waitFor({ state: 'detached' });
  check((await api.get('/api/v1/profiles/default')).rules.approval.stages.length === 1, 'the stage is still there');
  await page.getByRole('button', { name: 'Edit the rule of default' }).click();
  await page.getByRole('button', { name: 'Ask nobody any more' }).click();
  await dialog.waitFor({ state: 'detached' });
  check(!(await api.get('/api/v1/profiles/default')).rules.approval, 'people are still asked');
}

async function notifications(ada, api) {
  const { page } = ada;
  await ada.open('/administration/notifications');
  await page.getByRole('button', { name: 'New channel' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('operations');
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.getByRole('option', { name: /^webhook:/ }).click();
  await page.getByRole('textbox', { name: 'Settings' }).fill('{"url": "https://127.0.0.1:1/hook"}');
  await page.getByLabel('secret').fill('a shared secret of at least 24 octets');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Test operations' }).click();
  await page.getByText('Not delivered').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Edit operations' }).click();
  await page.getByText('The words of its messages').click();
  await page.getByRole('button', { name: 'Show what they make' }).click();
  await page.getByRole('region', { name: 'the message' }).waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'New rule' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('what-ends');
  await page.getByRole('combobox', { name: 'Channels' }).press('ArrowDown');
  await page.getByRole('option', { name: 'operations' }).click();
  await page.keyboard.press('Escape');
  await page.getByText('warning', { exact: true }).click();
  await ada.accessible('the editor of a notification rule');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Edit what-ends' }).waitFor();
  const { rules } = await api.get('/api/v1/notification-rules/what-ends');
  check(rules.min_severity === 'warning' && rules.channels[0] === 'operations', JSON.stringify(rules));
  await page.getByRole('button', { name: 'Edit what-ends' }).click();
  await page.getByLabel('In force').uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  check((await api.get('/api/v1/notification-rules/what-ends')).rules.enabled === false, 'the rule is still in force');
  await ada.sure(page.getByRole('button', { name: 'Delete what-ends' }));
  await page.getByText('No rule yet').waitFor();
  await ada.sure(page.getByRole('button', { name: 'Delete operations' }));
  await page.getByText('Nobody is told yet').waitFor();
}

async function absences(ada, api) {
  const { page } = ada;
  await ada.open('/approvals');
  await page.getByRole('link', { name: 'Absences' }).click();
  await ada.settle();
  await page.getByRole('button', { name: 'Say that somebody is away' }).click();
  await page.getByRole('combobox', { name: 'Who is away' }).click();
  await page.getByRole('option', { name: 'Grace Hopper' }).click();
  await page.getByRole('combobox', { name: 'Who decides meanwhile' }).click();
  await page.getByRole('option', { name: 'Ada Lovelace' }).click();
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 16);
  await page.getByLabel('Until').fill(until);
  await page.getByLabel('Why').fill('holidays');
  await ada.accessible('the form of an absence');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Back', exact: true }).waitFor();
  check((await api.get('/api/v1/approval-delegations?in_force=true')).items.length === 1, 'nobody is away');
  await page.reload();
  await ada.settle();
  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await page.getByText('Over', { exact: true }).waitFor();
  check((await api.get('/api/v1/approval-delegations?in_force=true')).items.length === 0, 'somebody is still away');
}

export async function scenario({ browser, url, api }) {
  await configuration(api);
  const ada = await Person.at(browser, url);
  await ada.signIn('ada');
  await approvals(ada, api);
  await notifications(ada, api);
  await absences(ada, api);
  ada.content();
}
