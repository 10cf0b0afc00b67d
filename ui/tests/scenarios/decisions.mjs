// A queue of approvals without a mouse: j and k move, x chooses, a approves, d denies.
import { check, Person } from '../lib/browser.mjs';
import { enroll, guarded } from '../lib/world.mjs';

export async function scenario({ browser, url, api }) {
  await guarded(api);
  const asked = {};
  for (const name of ['first', 'second', 'third', 'fourth']) asked[name] = (await enroll(api, 'public-web', [`${name}.example.org`])).id;
  const state = async (name) => (await api.get(`/api/v1/enrollments/${asked[name]}`)).status;
  const grace = await Person.at(browser, url);
  const { page } = grace;
  await grace.signIn('grace');
  await grace.open('/approvals');
  const rows = page.locator('li[data-id]');
  await rows.nth(3).waitFor();
  // An approver may not list people, and is told who asked by name all the same.
  check(!/\b(usr|tok)_/.test((await rows.allInnerTexts()).join(' ')), 'who asked is an id');
  const names = (await rows.allInnerTexts()).map((text) => text.trim().split('.')[0]);
  const key = (text) => page.keyboard.press(text);
  const focused = () => page.evaluate(() => document.activeElement?.closest('li')?.innerText.trim().split('.')[0]);

  // Nothing has the focus: a letter that decides does nothing.
  await key('a');
  check((await page.getByRole('dialog').count()) === 0, 'a letter decides for somebody who is nowhere');
  await key('j');
  await key('j');
  await key('j');
  await key('k');
  check((await focused()) === names[1], `${await focused()} has the focus, and not ${names[1]}`);
  await grace.accessible('the queue');

  await key('a');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`${names[1]}.example.org`).waitFor();
  await dialog.getByRole('textbox').press('Tab');
  await key('Enter');
  await dialog.getByText('1 decision taken').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await rows.nth(3).waitFor({ state: 'detached' });
  check(!['awaiting-approval', 'denied'].includes(await state(names[1])), `${names[1]} is ${await state(names[1])}`);

  const left = names.filter((name) => name !== names[1]);
  while ((await focused()) !== left[0]) await key('k');
  await key('x');
  await key('j');
  await key('x');
  await page.getByText('2 requests chosen').waitFor();
  await key('d');
  await dialog.waitFor();
  check(await dialog.getByRole('button', { name: 'Deny' }).isDisabled(), 'one may deny without a word');
  await page.keyboard.type('ask the web team first');
  await key('Tab');
  await key('Enter');
  await dialog.getByText('2 decisions taken').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).press('Enter');
  await rows.nth(1).waitFor({ state: 'detached' });
  for (const name of left.slice(0, 2)) check((await state(name)) === 'denied', `${name} is ${await state(name)}`);
  check((await state(left[2])) === 'awaiting-approval', 'one that nobody chose was decided on');
  grace.content();
}
